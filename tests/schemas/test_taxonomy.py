"""Prevalence has every bin once; the quality of a classifier is a share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pandera.errors
import pytest

from social_provenance.schemas.taxonomy import BinPrevalence, ClassifierQuality

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def prevalence(grid: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(grid, columns=["topic", "format"]).assign(n_documents=1, share=1 / 576)


@pytest.mark.parametrize(("column", "value"), [("topic", "cooking"), ("n_documents", -1), ("share", 1.5)])
def test_prevalence_faults(refuses: Callable[..., None], prevalence: pd.DataFrame, column: str, value: object) -> None:
    refuses(BinPrevalence, prevalence, column, value)


def test_a_missing_bin_is_refused(prevalence: pd.DataFrame) -> None:
    with pytest.raises(pandera.errors.SchemaError, match="every bin has a row"):
        BinPrevalence.validate(prevalence.iloc[1:])


def test_a_bin_twice_is_refused(prevalence: pd.DataFrame) -> None:
    with pytest.raises(pandera.errors.SchemaError, match="unique"):
        BinPrevalence.validate(pd.concat([prevalence.iloc[1:], prevalence.iloc[[5]]], ignore_index=True))


def test_quality_faults(refuses: Callable[..., None]) -> None:
    row = {"accuracy": 0.7, "majority_share": 0.1, "confidence": 0.6, "n_train": 80, "n_test": 20}
    quality = pd.DataFrame([{"axis": "topic", **row}, {"axis": "format", **row}])
    refuses(ClassifierQuality, quality, "accuracy", 70.0)
    refuses(ClassifierQuality, quality, "axis", "colour")
    refuses(ClassifierQuality, quality, "n_test", 0)
