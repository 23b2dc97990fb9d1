"""Trials run the code of a study on a sample, and leave nothing behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from social_provenance.planning.trials import Line, Sample, try_small_model

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study

TEXTS = ["Anna thanked Ben. Ben felt glad.", "The judge saw the contract near the court."] * 12


def test_a_line_goes_through_two_measurements_and_never_falls() -> None:
    line = Line.through((10, 3.0), (20, 5.0))
    assert (line.fixed, line.per, line.at(40)) == (1.0, 0.2, 9.0)
    assert Line.through((10, 3.0), (20, 2.0)) == Line(3.0, 0.0)
    assert Line.through((10, 1.0), (20, 5.0)).fixed == 0.0


@pytest.mark.slow
def test_all_stages_of_a_small_model_are_tried(model: LanguageModel, requests: pd.DataFrame, study: Study) -> None:
    long = replace(study, unlearning=study.unlearning.model_copy(update={"steps": 60, "read_every": 30}))
    stages = ["pretrain", "compare", "tail_patch", "unlearn"]
    found = try_small_model(Sample(model, TEXTS, requests), long, stages)
    assert set(found) == {"pretrain", "walk", "compare", "tail_patch", "unlearn"}
    assert found["pretrain"]["step"] >= 0
    assert found["walk"]["tokens"]["per"] >= 0
    assert found["tail_patch"]["patch"] > 0
    assert found["unlearn"]["run"] > 0
    assert found["unlearn"]["start"] > 0
