"""A dataset that may not be there is None until it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from social_provenance.datasets import OptionalDataset, PartsFolder
from social_provenance.lineage import ABSENT

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_none_until_it_is_saved(tmp_path: Path) -> None:
    dataset = OptionalDataset(filepath=str(tmp_path / "v.json"), dataset={"type": "json.JSONDataset"})
    assert not dataset.exists()
    assert dataset.load() is None
    dataset.save({"seed": 42})
    assert dataset.exists()
    assert dataset.load() == {"seed": 42}


def test_it_stores_as_the_dataset_inside_does(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1, 2]})
    dataset = OptionalDataset(filepath=str(tmp_path / "t.parquet"), dataset={"type": "pandas.ParquetDataset"})
    dataset.save(table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)
    pd.testing.assert_frame_equal(dataset.load(), table)


def test_a_value_that_is_there_is_told_from_none(tmp_path: Path) -> None:
    dataset = OptionalDataset(filepath=str(tmp_path / "v.json"), dataset={"type": "json.JSONDataset"})
    dataset.save({})
    assert dataset.load() == {}


def test_its_identity_is_that_of_the_dataset_inside(tmp_path: Path) -> None:
    dataset = OptionalDataset(filepath=str(tmp_path / "v.json"), dataset={"type": "json.JSONDataset"})
    assert dataset.location() == tmp_path / "v.json"
    assert dataset.digest() == ABSENT
    dataset.save({"seed": 42})
    before = dataset.digest()
    (tmp_path / "v.json").rename(tmp_path / "w.json")
    assert dataset.digest() == ABSENT
    moved = OptionalDataset(filepath=str(tmp_path / "w.json"), dataset={"type": "json.JSONDataset"})
    assert moved.digest() == before
    assert moved.accepted() == {}


class Old(PartsFolder):
    def __init__(self, filepath: str) -> None:
        super().__init__(path=filepath)

    def accepted(self) -> dict[str, str]:
        return {"old": "new"}


def test_it_passes_on_what_was_accepted(tmp_path: Path) -> None:
    assert OptionalDataset(filepath=str(tmp_path / "v"), dataset={"type": Old}).accepted() == {"old": "new"}
