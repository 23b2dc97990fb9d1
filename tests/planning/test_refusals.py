"""Refusals are listed, a line each; what is no refusal is raised."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from social_provenance.errors import ArtifactError, AttributionError
from social_provenance.planning.refusals import checks_of_items, checks_of_model, list_refusals, refuse_full_disk

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study


def _refuse(line: str) -> None:
    raise AttributionError(line)


def test_all_that_would_be_refused_is_listed_in_order() -> None:
    checks = [lambda: _refuse("one"), lambda: None, lambda: _refuse("two")]
    assert list_refusals(checks) == ["one", "two"]


def test_a_mistake_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        list_refusals([lambda: 1 // 0])


def test_a_disk_without_room_is_refused_in_one_line(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    folder = tmp_path / "not" / "there"
    refuse_full_disk(folder, free // 2, "the study", "--params root=DIR")
    with pytest.raises(ArtifactError) as caught:
        refuse_full_disk(folder, 4 * free, "the study", "--params root=DIR")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{folder} needs {4 * free / 1e9:.1f} GB for the study and its disk has ")
    assert line.endswith("make room, or name another place with --params root=DIR")


def test_a_model_that_fits_is_refused_nothing_and_a_small_gpu_is(model: LanguageModel, study: Study) -> None:
    assert list_refusals(checks_of_model(model, study, None)) == []
    refused = list_refusals(checks_of_model(model, study, 2_000_000_000))
    assert len(refused) == 2
    assert all("but the GPU has 2.0 GB" in line for line in refused)


def test_an_item_beyond_the_budget_is_refused(requests: pd.DataFrame, study: Study) -> None:
    from dataclasses import replace

    assert list_refusals(checks_of_items(requests, study)) == []
    short = replace(study, gradients=study.gradients.model_copy(update={"max_tokens": 3}))
    (refused,) = list_refusals(checks_of_items(requests, short))
    assert "benchmark one, item one/1: 4 tokens" in refused
