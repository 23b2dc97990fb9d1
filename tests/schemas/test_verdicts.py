"""Tables of verdicts: what was tried has a value, and a share is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from social_provenance.schemas.verdicts import ExplainedVariance, Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("value", np.nan, "a verdict has a value, and what was not tried has none"),
        ("verdict", "not tried", "a verdict has a value, and what was not tried has none"),
        ("verdict", "perhaps", "verdict"),
        ("question", "beyond_doubt", "question"),
        ("reading", "truth", "reading"),
        ("ci_low", 0.9, "intervals are in order"),
    ],
)
def test_verdict_faults(refuses: Callable[..., None], column: str, value: object, message: str) -> None:
    table = pd.DataFrame({"question": ["beyond_words", "beyond_untrained"], "verdict": "no"}).assign(
        benchmark="quiz", against="bm25", value=0.6, ci_low=0.5, ci_high=0.7, rule="a rule", reading="similarity"
    )
    refuses(Verdicts, table, column, value, message)


@pytest.mark.parametrize(("column", "value"), [("share", 1.1), ("n_topics", 25), ("ci_high", 0.2), ("method", "x")])
def test_explained_variance_faults(refuses: Callable[..., None], column: str, value: object) -> None:
    table = pd.DataFrame({"other": ["bm25", "random_weights"]}).assign(
        benchmark="quiz", method="influence", n_topics=24, share=0.5, ci_low=0.4, ci_high=0.6
    )
    refuses(ExplainedVariance, table, column, value, "intervals are in order" if column == "ci_high" else column)
