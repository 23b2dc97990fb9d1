"""A digest is of content alone: it moves with the files, changes with them, and is never made up."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from kedro.io import AbstractDataset, CachedDataset, MemoryDataset, SharedMemoryDataset, Version
from kedro_datasets.api import APIDataset
from kedro_datasets.huggingface import ArrowDataset
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset, SQLQueryDataset, SQLTableDataset
from kedro_datasets.partitions import PartitionedDataset
from kedro_datasets.pickle import PickleDataset
from kedro_datasets.plotly import JSONDataset as FigureDataset
from kedro_datasets.text import TextDataset

from social_provenance import datasets
from social_provenance.datasets import identity
from social_provenance.datasets.identity import Elsewhere, Files, Identified, identity_of
from social_provenance.lineage import ABSENT, UnknownContentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Kind = tuple["Callable[[Path], Any]", "Callable[[int], Any]"]


class OfAny(CSVDataset):
    """Passes on whatever it is given."""

    def __init__(self, **entry: Any) -> None:
        super().__init__(**entry)


class Bare(AbstractDataset[Any, Any]):
    """Neither states its identity nor has a path."""

    def __init__(self, shelf: object = None) -> None:
        self.shelf = shelf

    def load(self) -> Any:
        return self.shelf

    def save(self, data: Any) -> None:
        self.shelf = data

    def _describe(self) -> dict[str, Any]:
        return {}


class Ephemeral(Bare):
    _EPHEMERAL = True


class Misplaced(Bare):
    """Says that it exists, and has nothing where its path is."""

    def __init__(self, filepath: str) -> None:
        super().__init__(filepath)

    def _exists(self) -> bool:
        return True


def frame(value: int) -> pd.DataFrame:
    return pd.DataFrame({"value": [value, 0]})


def figure(value: int) -> go.Figure:
    return go.Figure(layout_height=100 + value)


def versioned(folder: Path) -> CSVDataset:
    return CSVDataset(filepath=f"{folder}/v.csv", version=Version(None, None))


KINDS: dict[str, Kind] = {
    "csv": (lambda folder: CSVDataset(filepath=f"{folder}/x.csv"), frame),
    "address of a file": (lambda folder: CSVDataset(filepath=f"file://{folder}/x.csv"), frame),
    "arguments passed on": (lambda folder: OfAny(filepath=f"{folder}/x.csv"), frame),
    "json": (lambda folder: JSONDataset(filepath=f"{folder}/x.json"), lambda value: {"value": value}),
    "figure": (
        lambda folder: FigureDataset(filepath=f"{folder}/f.json"),
        lambda value: go.Figure(layout_height=100 + value),
    ),
    "pickle": (lambda folder: PickleDataset(filepath=f"{folder}/x.pkl"), lambda value: {"value": value}),
    "text": (lambda folder: TextDataset(filepath=f"{folder}/x.txt"), str),
    "versioned": (versioned, frame),
    "cached": (lambda folder: CachedDataset({"type": "pandas.CSVDataset", "filepath": f"{folder}/x.csv"}), frame),
    "cached instance": (lambda folder: CachedDataset(OfAny(filepath=f"{folder}/x.csv")), frame),
    "partitions": (
        lambda folder: PartitionedDataset(path=f"{folder}/parts", dataset="pandas.CSVDataset", filename_suffix=".csv"),
        lambda value: {"a": frame(value), "b": frame(0)},
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def digest(dataset: Any) -> str:
    found = identity_of(dataset)
    assert found is not None
    return found.digest()


def test_what_was_not_made_is_absent(kind: Kind, tmp_path: Path) -> None:
    assert digest(kind[0](tmp_path / "a")) == ABSENT


def test_a_digest_moves_with_the_files_and_with_their_copy_whenever_that_was_made(kind: Kind, tmp_path: Path) -> None:
    make, value = kind
    make(tmp_path / "a").save(value(1))
    before = digest(make(tmp_path / "a"))
    assert before != ABSENT
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*"):
        os.utime(path, (0, 0))
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest(make(tmp_path / "copy")) == before
    assert digest(make(tmp_path / "b")) == before


def test_a_digest_is_that_of_the_content(kind: Kind, tmp_path: Path) -> None:
    make, value = kind
    found = []
    for number in (1, 2, 1):
        make(tmp_path / "a").save(value(number))
        found.append(digest(make(tmp_path / "a")))
    assert found[0] == found[2] != found[1]


def test_of_versions_the_one_that_is_loaded_counts(tmp_path: Path) -> None:
    for version, value in (("2026-01-01", 1), ("2026-01-02", 2)):
        CSVDataset(filepath=f"{tmp_path}/v.csv", version=Version(None, version)).save(frame(value))
    latest, first, second = (
        digest(CSVDataset(filepath=f"{tmp_path}/v.csv", version=Version(load, None)))
        for load in (None, "2026-01-01", "2026-01-02")
    )
    assert latest == second != first
    entry = {"type": "pandas.CSVDataset", "filepath": f"{tmp_path}/v.csv"}
    assert digest(CachedDataset(entry, version=Version("2026-01-01", None))) == first


def test_a_class_that_inherits_how_it_is_made_has_its_path(tmp_path: Path) -> None:
    found = identity_of(ArrowDataset(path=str(tmp_path / "rows")))
    assert isinstance(found, Files)
    assert found.location() == tmp_path / "rows"


@pytest.mark.parametrize(
    "dataset", [MemoryDataset(1), SharedMemoryDataset(), CachedDataset(MemoryDataset(1)), Ephemeral()]
)
def test_what_is_in_memory_has_no_identity(dataset: Any) -> None:
    assert identity_of(dataset) is None


SECRET = "sesame"
STORE = {"con": f"sqlite:///{SECRET}.db"}
UNKNOWN: dict[str, tuple[Callable[[], Any], str]] = {
    "table": (lambda: SQLTableDataset(table_name="scores", credentials=STORE), "neither .* nor a filepath or path"),
    "query": (lambda: SQLQueryDataset(sql="select 1", credentials=STORE), "the answer to a query"),
    "query in a file": (
        lambda: SQLQueryDataset(filepath=__file__, credentials=STORE),
        "the answer to a query",
    ),
    "service": (lambda: APIDataset(url=f"https://x.org/?key={SECRET}"), "neither .* nor a filepath or path"),
    "remote": (
        lambda: CSVDataset(filepath=f"https://me:{SECRET}@x.org/a.csv?key={SECRET}"),
        r"it is at https://x\.org/a\.csv, not on this machine",
    ),
    "remote, cached": (
        lambda: CachedDataset({"type": "pandas.CSVDataset", "filepath": "memory://a.csv"}),
        "it is at memory://a.csv",
    ),
    "bare": (Bare, "neither .* nor a filepath or path"),
    "what cannot be copied": (lambda: Bare(number for number in [1]), "neither .* nor"),
    "misplaced": (lambda: Misplaced("/nowhere/a.csv"), "it exists, but not as a file at /nowhere/a.csv"),
    "model": (lambda: datasets.LanguageModelFolder(path="hf://a/b"), "hf://a/b has no fixed revision"),
    "checkpoints": (
        lambda: datasets.CheckpointFolder(places={"x": "hf://a/b@main"}),
        "hf://a/b@main has no fixed revision",
    ),
    "optional": (
        lambda: datasets.OptionalDataset(filepath="memory://a.json", dataset={"type": "json.JSONDataset"}),
        "it is at memory://a.json",
    ),
    "table file": (lambda: datasets.TableFile(filepath="memory://a.parquet"), "it is at memory://a.parquet"),
}


@pytest.fixture(params=UNKNOWN)
def unknown(request: pytest.FixtureRequest) -> tuple[Callable[[], Any], str]:
    return UNKNOWN[request.param]


def test_content_that_cannot_be_seen_has_a_reason_and_no_digest(unknown: tuple[Callable[[], Any], str]) -> None:
    make, reason = unknown
    with pytest.raises(UnknownContentError, match=reason) as caught:
        digest(make())
    assert SECRET not in str(caught.value)


def test_its_place_is_the_same_each_time_and_has_no_secret(unknown: tuple[Callable[[], Any], str]) -> None:
    make, _ = unknown
    one, other = (str(found.location()) for found in map(identity_of, (make(), make())) if found)
    assert one == other
    assert SECRET not in one


def test_tables_of_one_database_are_two_places() -> None:
    one, other = (identity_of(SQLTableDataset(table_name=name, credentials=STORE)) for name in "ab")
    assert isinstance(one, Elsewhere)
    assert isinstance(other, Elsewhere)
    assert one.location() != other.location()


def test_what_a_cache_cannot_be_asked_for_is_unknown() -> None:
    class OfNoModule(Bare):
        """Cannot be imported, as a configuration needs it."""

    with pytest.raises(UnknownContentError, match=r"what it caches cannot be made again \(DatasetError: .*OfNoModule"):
        digest(CachedDataset(OfNoModule()))


OWN: dict[str, Callable[[str], Any]] = {
    "arrays": lambda path: datasets.ArraysFile(filepath=path, holds="a.B"),
    "benchmarks": lambda path: datasets.BenchmarkFolder(path=path),
    "reference": lambda path: datasets.ReferenceFolder(path=path),
    "table": lambda path: datasets.TableFile(filepath=path),
    "tables": lambda path: datasets.TableFile(filepath=f"{path}/*.parquet"),
    "versions": lambda path: datasets.TableFile(filepath=f"{path}/t", version=Version("1", None)),
}


@pytest.mark.parametrize("name", OWN)
def test_own_classes_state_the_identity_of_what_is_in_their_place(name: str, tmp_path: Path) -> None:
    make = OWN[name]
    assert digest(make(str(tmp_path / "a"))) == ABSENT
    file = tmp_path / "a" / "t" / "1" / "t"
    file.parent.mkdir(parents=True)
    file.write_text("one")
    before = digest(make(str(tmp_path / "a")))
    (tmp_path / "a").rename(tmp_path / "b")
    assert digest(make(str(tmp_path / "b"))) == before != ABSENT
    (tmp_path / "b" / "t" / "1" / "t").write_text("two")
    assert digest(make(str(tmp_path / "b"))) not in (before, ABSENT)


def unidentified(names: dict[str, type]) -> list[str]:
    return [name for name, kind in names.items() if not issubclass(kind, Identified)]


def test_every_class_of_this_package_states_its_identity() -> None:
    assert unidentified({name: getattr(datasets, name) for name in datasets.__all__}) == []


def test_a_class_that_does_not_is_found() -> None:
    assert unidentified({"Bare": Bare, "TableFile": datasets.TableFile}) == ["Bare"]


def test_a_class_that_keeps_nothing_has_no_identity() -> None:
    assert identity_of(datasets.ReferenceFolder()) is None


def test_accepted_code_is_asked_of_those_who_know_of_it(tmp_path: Path) -> None:
    class Old(datasets.PartsFolder):
        def accepted(self) -> dict[str, str]:
            return {"old": "new"}

    assert identity.accepted_by(Old(path=str(tmp_path))) == {"old": "new"}
    assert identity.accepted_by(datasets.TableFile(filepath=str(tmp_path / "x.parquet"))) == {}
