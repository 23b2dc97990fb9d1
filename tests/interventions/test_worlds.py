"""Worlds are studied apart, once, with the run's parameters and a seed of their own."""

from __future__ import annotations

import json
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml

from social_provenance.errors import WorldError
from social_provenance.interventions import worlds
from social_provenance.interventions.worlds import (
    EFFECTS,
    METRICS,
    OF_TOPICS,
    RECORD,
    find_project,
    gather_effects,
    gather_metrics,
    plan_worlds,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PARAMETERS = {"root": "data", "miniature": {"seed": 42, "choices": 4}, "scoring": {"damping": 3.0}, "worlds": 2}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project in whose folder we are."""
    (tmp_path / "conf" / "base").mkdir(parents=True)
    (tmp_path / "conf" / "base" / "globals.yml").write_text("root: data\n")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


def study(command: Sequence[str]) -> CompletedProcess[str]:
    """Leave what a study leaves, with its seed as its accuracy in percent."""
    from pathlib import Path

    conf = Path(command[command.index("--conf-source") + 1]) / command[command.index("--env") + 1]
    data = Path(yaml.safe_load((conf / "globals.yml").read_text())["root"]) / "08_reporting"
    settings = yaml.safe_load((conf / "parameters.yml").read_text())
    assert settings == {**settings, "scoring": {"damping": 3.0}}
    seed = settings["miniature"]["seed"]
    data.mkdir(parents=True)
    (data / "validation.json").write_text(json.dumps({"seed": seed, "accuracy": {"quiz": seed / 100}}))
    shared = {"method": "m", "benchmark": "quiz", **{name: [place, -1.0] for place, name in enumerate(OF_TOPICS)}}
    table = pd.DataFrame({**shared, "level": ["topic", "bin"], "auc": [0.9, 0.8]})
    table.to_parquet(data / "validation_metrics.parquet")
    effects = pd.DataFrame({"benchmark": "quiz", "reading": ["equal_compute", "area"], "influence_minus_random": -1.0})
    effects.to_parquet(data / "unlearning_effects.parquet")
    return CompletedProcess(command, 0, "", "")


def fail(command: Sequence[str]) -> CompletedProcess[str]:
    return CompletedProcess(command, 1, "", "INFO x\nerror: after 1600 steps the model answers nothing\n\n")


def folders_of(names: Any, folder: Path) -> dict[str, Path]:
    folders = {name: folder / name for name in names}
    for own in folders.values():
        own.mkdir(parents=True)
    return folders


def test_each_world_leaves_its_figures_and_nothing_else(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "run_command", study)
    parts = plan_worlds(PARAMETERS, 2)
    folders = folders_of(parts.digests, project / "parts")
    assert list(parts.write(folders)) == ["world-43", "world-44"]
    for folder in folders.values():
        assert {path.name for path in folder.iterdir()} == {METRICS, RECORD, EFFECTS}
    table = gather_metrics(folders)
    assert table.to_dict("list") == {
        "seed": [43, 44],
        "method": ["m"] * 2,
        "benchmark": ["quiz"] * 2,
        "accuracy": [0.43, 0.44],
        "topic_auc": [0.9] * 2,
        "bin_auc": [0.8] * 2,
        **{name: [place] * 2 for place, name in enumerate(OF_TOPICS)},
    }
    assert gather_effects(folders).to_dict("list") == {
        "seed": [43, 44],
        "benchmark": ["quiz"] * 2,
        "reading": ["equal_compute"] * 2,
        "influence_minus_random": [-1.0] * 2,
    }


def test_a_world_is_the_same_whatever_else_is_studied() -> None:
    few, many = plan_worlds(PARAMETERS, 1), plan_worlds({**PARAMETERS, "root": "x", "worlds": 9}, 3)
    assert few.digests["world-43"] == many.digests["world-43"]
    assert len(set(many.digests.values())) == 3
    other = plan_worlds({**PARAMETERS, "scoring": {"damping": 1.0}}, 1)
    assert other.digests["world-43"] != few.digests["world-43"]


@pytest.mark.usefixtures("project")
def test_a_world_that_fails_is_named_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "run_command", fail)
    parts = plan_worlds(PARAMETERS, 1)
    with pytest.raises(
        WorldError, match=r"seed 43 cannot be studied: error: after 1600 steps the model answers nothing"
    ):
        list(parts.write(folders_of(parts.digests, tmp_path / "parts")))


def test_the_project_is_found_from_below(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert find_project(project / "below") == project
    with pytest.raises(WorldError, match="is not in the project"):
        find_project(tmp_path_factory.mktemp("elsewhere"))
