"""A folder of benchmarks: complete lm-eval tasks, written only where the miniature wrote before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kedro.io import DatasetError

from social_provenance.datasets import BenchmarkFolder
from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

ROWS: list[dict[str, Any]] = [{"prompt": "Fünf\u2028ist", "answer": 0}, {"prompt": "Six is", "answer": 1}]


@pytest.fixture
def folder(tmp_path: Path) -> BenchmarkFolder:
    return BenchmarkFolder(path=str(tmp_path / "items"))


def test_items_are_read_back_line_by_line(folder: BenchmarkFolder) -> None:
    folder.save({"items": {"quiz": ROWS}, "task": {}})
    lines = (folder.load() / "quiz.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line) for line in lines if line] == ROWS


def test_the_task_names_itself_and_where_its_items_are(folder: BenchmarkFolder) -> None:
    folder.save({"items": {"quiz": ROWS, "riddle": ROWS}, "task": {"doc_to_text": "{{prompt}}"}})
    for name in ("quiz", "riddle"):
        task = yaml.safe_load((folder.load() / f"{name}.yaml").read_text(encoding="utf-8"))
        assert task["task"] == name
        assert task["doc_to_text"] == "{{prompt}}"
        assert task["dataset_kwargs"]["data_files"] == {"test": f"{name}.jsonl"}


def test_the_same_items_have_the_same_digest_wherever_they_are(folder: BenchmarkFolder, tmp_path: Path) -> None:
    other = BenchmarkFolder(path=str(tmp_path / "other" / "place"))
    for each in (folder, other):
        each.save({"items": {"quiz": ROWS}, "task": {}})
    assert folder.digest() == other.digest()


def test_saving_again_leaves_nothing_of_before(folder: BenchmarkFolder) -> None:
    folder.save({"items": {"quiz": ROWS}, "task": {}})
    folder.save({"items": {"riddle": ROWS}, "task": {}})
    assert sorted(file.stem for file in folder.load().glob("*.yaml")) == ["riddle"]


def test_benchmarks_of_the_users_own_are_left_alone(folder: BenchmarkFolder, tmp_path: Path, refused: Any) -> None:
    own = tmp_path / "items"
    own.mkdir()
    (own / "mine.jsonl").write_text("{}")
    with refused(BenchmarkError, f"{own} is not a folder that the miniature pipeline made"):
        folder.save({"items": {"quiz": ROWS}, "task": {}})
    assert [file.name for file in own.iterdir()] == ["mine.jsonl"]
    assert folder.load() == own


def test_a_save_that_fails_leaves_the_benchmarks_of_before(folder: BenchmarkFolder) -> None:
    folder.save({"items": {"quiz": ROWS}, "task": {}})
    with pytest.raises(DatasetError, match="not JSON serializable"):
        folder.save({"items": {"riddle": [{"prompt": {1}}]}, "task": {}})
    assert sorted(file.stem for file in folder.load().glob("*.jsonl")) == ["quiz"]


def test_a_folder_that_is_not_there_yet_is_a_place_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = BenchmarkFolder(path="items")
    assert not folder.exists()
    assert folder.load() == tmp_path / "items"
