"""The ledger sees datasets of every class, and says so where it cannot see their content."""

from __future__ import annotations

import json
import logging
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import AbstractDataset, CachedDataset, DataCatalog, MemoryDataset, SharedMemoryDataset, Version
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset, ParquetDataset, SQLTableDataset
from kedro_datasets.partitions import PartitionedDataset
from kedro_datasets.pickle import PickleDataset
from kedro_datasets.plotly import JSONDataset as FigureDataset
from kedro_datasets.text import TextDataset

from social_provenance.datasets import OptionalDataset
from social_provenance.errors import LineageError
from social_provenance.hooks.lineage import LineageHooks
from social_provenance.lineage import UNKNOWN, Ledger
from social_provenance.report import sections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Made = "tuple[Callable[[Path], Any], Callable[[int], Any]]"


class Bare(AbstractDataset[Any, Any]):
    """Persisted, and neither states its identity nor has a path."""

    shelf: Any = None

    def load(self) -> Any:
        return Bare.shelf

    def save(self, data: Any) -> None:
        Bare.shelf = data

    def _describe(self) -> dict[str, Any]:
        return {}


class Misplaced(Bare):
    """Writes elsewhere than its path says."""

    def __init__(self, filepath: str) -> None:
        self.where = filepath

    def _exists(self) -> bool:
        return False


def frame(value: int) -> pd.DataFrame:
    return pd.DataFrame({"value": [value]})


def figure(value: int) -> go.Figure:
    return go.Figure(layout_height=100 + value)


def versioned(folder: Path) -> CSVDataset:
    return CSVDataset(filepath=f"{folder}/table.csv", version=Version(None, None))


def partitions(folder: Path) -> PartitionedDataset:
    return PartitionedDataset(path=f"{folder}/table", dataset="pandas.CSVDataset", filename_suffix=".csv")


KNOWN: dict[str, Any] = {
    "csv": (lambda folder: CSVDataset(filepath=f"{folder}/table.csv"), frame),
    "parquet": (lambda folder: ParquetDataset(filepath=f"{folder}/table.parquet"), frame),
    "versioned": (versioned, frame),
    "partitions": (partitions, lambda value: {"a": frame(value), "b": frame(0)}),
    "json": (lambda folder: JSONDataset(filepath=f"{folder}/table.json"), lambda value: {"value": value}),
    "figure": (lambda folder: FigureDataset(filepath=f"{folder}/table.json"), figure),
    "pickle": (lambda folder: PickleDataset(filepath=f"{folder}/table.pkl"), lambda value: {"value": value}),
    "text": (lambda folder: TextDataset(filepath=f"{folder}/table.txt"), str),
    "cached": (lambda folder: CachedDataset(CSVDataset(filepath=f"{folder}/table.csv")), frame),
}


def sql(folder: Path) -> SQLTableDataset:
    credentials = {"con": f"sqlite:///{folder}/store.db"}
    return SQLTableDataset(table_name="scores", credentials=credentials, save_args={"if_exists": "replace"})


BLIND: dict[str, Any] = {
    "sql": (sql, frame),
    "remote": (lambda _: CSVDataset(filepath="memory://table.csv"), frame),
    "bare": (lambda _: Bare(), str),
    "misplaced": (lambda folder: Misplaced(f"{folder}/table.txt"), str),
}


@pytest.fixture(params=KNOWN)
def known(request: pytest.FixtureRequest, tmp_path: Path) -> Study:
    return Study(tmp_path / "data", *KNOWN[request.param])


@pytest.fixture(params=BLIND)
def blind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Study]:
    yield Study(tmp_path / "data", *BLIND[request.param])
    for engine in SQLTableDataset.engines.values():
        engine.dispose()
    SQLTableDataset.engines.clear()


class Study:
    """``a`` -> ``table``, of the class in question -> ``seen``, and ``pair`` from both."""

    def __init__(self, folder: Path, dataset: Callable[[Path], Any], value: Callable[[int], Any]) -> None:
        folder.mkdir()
        self.folder, self.dataset, self.value = folder, dataset, value
        self.write("a", 1)

    def write(self, name: str, value: Any) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(value))

    def records(self) -> dict[str, Any]:
        return Ledger.open(self.folder / "lineage.json").records

    def catalog(self) -> DataCatalog:
        entries: dict[str, Any] = {
            name: JSONDataset(filepath=f"{self.folder}/{name}.json") for name in ("a", "seen", "pair")
        }
        path = f"{self.folder}/lineage.json"
        entries["lineage"] = OptionalDataset(filepath=path, dataset={"type": "json.JSONDataset"})
        return DataCatalog({**entries, "table": self.dataset(self.folder)})

    def run(self, *names: str, shift: int = 0, fails: bool = False) -> None:
        def make(a: int) -> Any:
            if fails:
                raise RuntimeError("stopped")
            return self.value(a + shift)

        nodes = {
            "make": Node(make, "a", "table", name="make"),
            "see": Node(lambda table: type(table).__name__, "table", "seen", name="see"),
            "pair": Node(lambda table, seen: [type(table).__name__, seen], ["table", "seen"], "pair", name="pair"),
        }
        hooks, manager, catalog = LineageHooks(), _create_hook_manager(), self.catalog()
        manager.register(hooks)
        hooks.before_pipeline_run({"run_id": "2026-01-01"}, Pipeline([]), catalog)
        SequentialRunner().run(Pipeline([nodes[name] for name in names]), catalog, manager)


def test_it_is_on_record_and_behind_what_was_made_of_it(known: Study, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "social_provenance"):
        known.run("make", "see", "pair")
    records = known.records()
    assert set(records) == {"table", "seen", "pair"}
    assert records["table"].place.startswith("table")
    assert set(records["table"].ancestors) == {"a"}
    assert records["seen"].ancestors["table"] == records["table"].digest != UNKNOWN
    assert records["pair"].unknown == ()
    assert [each for each in caplog.records if each.name.startswith("social_provenance")] == []


def test_content_that_changed_is_refused(known: Study) -> None:
    known.run("make")
    known.dataset(known.folder).save(known.value(2))
    with pytest.raises(LineageError, match="table has changed since node make wrote it"):
        known.run("see")


def test_other_content_beside_what_was_made_of_the_first_is_refused(known: Study) -> None:
    known.run("make", "see")
    known.run("make", shift=1)
    with pytest.raises(LineageError, match=r"pair would mix runs: .* different versions of table"):
        known.run("pair")
    known.run("see", "pair")


def test_the_same_content_beside_what_was_made_of_the_first_is_taken(known: Study) -> None:
    known.run("make", "see")
    known.run("make")
    known.run("pair")


def test_a_folder_that_was_moved_is_the_same(known: Study) -> None:
    known.run("make", "see")
    before = known.records()
    shutil.copytree(known.folder, known.folder.with_name("moved"))
    shutil.rmtree(known.folder)
    known.folder = known.folder.with_name("moved")
    known.run("pair")
    assert {name: known.records()[name] for name in before} == before
    known.run("make", "see")
    assert {name: known.records()[name] for name in before} == before


def test_content_that_cannot_be_seen_is_named_in_one_warning(blind: Study, caplog: pytest.LogCaptureFixture) -> None:
    for names in (("make", "see", "pair"), ("see", "pair")):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "social_provenance"):
            blind.run(*names)
        warnings = [each.message for each in caplog.records if each.name.startswith("social_provenance")]
        assert len(warnings) == 1
        assert warnings[0].startswith("the content of table cannot be identified (")


def test_it_is_on_record_as_unknown_and_what_rests_on_it_says_so(blind: Study) -> None:
    blind.run("make", "see", "pair")
    records = blind.records()
    assert set(records) == {"table", "seen", "pair"}
    assert records["table"].digest == UNKNOWN
    assert set(records["table"].ancestors) == {"a"}
    assert records["table"].unknown == ()
    assert records["seen"].unknown == records["pair"].unknown == ("table",)
    assert records["seen"].digest != UNKNOWN
    page = sections.lineage(json.loads((blind.folder / "lineage.json").read_text()))
    assert page.count("depends on unknown content: table") == 2


def test_the_users_own_unknown_content_is_behind_what_is_made_of_it(blind: Study) -> None:
    blind.run("make")
    (blind.folder / "lineage.json").unlink()
    if isinstance(blind.dataset(blind.folder), Misplaced):
        return  # without a record it is a file that is not there
    blind.run("see")
    assert blind.records()["seen"].unknown == ("table",)


def test_what_can_be_known_of_it_is_checked(blind: Study) -> None:
    blind.run("make", "see")
    with pytest.raises(RuntimeError, match="stopped"):
        blind.run("make", fails=True)
    with pytest.raises(LineageError, match="table is incomplete: node make was stopped while writing it"):
        blind.run("see")
    blind.write("a", 2)
    blind.run("make")
    with pytest.raises(LineageError, match=r"pair would mix runs: .* different versions of a"):
        blind.run("pair")


@pytest.mark.parametrize("memory", [MemoryDataset, lambda: CachedDataset(MemoryDataset()), SharedMemoryDataset])
def test_what_is_in_memory_leaves_no_record(tmp_path: Path, memory: Callable[[], Any]) -> None:
    hooks = LineageHooks()
    study = Study(tmp_path / "data", lambda _: memory(), frame)
    hooks.before_pipeline_run({"run_id": "2026-01-01"}, Pipeline([]), study.catalog())
    assert hooks._persisted(["a", "table", "params:x", "nowhere"]) == ["a"]


def test_of_two_views_the_one_that_can_be_seen_counts(tmp_path: Path) -> None:
    study = Study(tmp_path / "data", *KNOWN["csv"])
    study.run("make")
    whole = study.catalog()
    entries = {name: whole[name] for name in ("a", "seen", "lineage")}
    views = {"table@bare": Bare(), "table@csv": whole["table"]}
    catalog = DataCatalog({**entries, **views})
    hooks, manager = LineageHooks(), _create_hook_manager()
    manager.register(hooks)
    hooks.before_pipeline_run({"run_id": "2026-01-02"}, Pipeline([]), catalog)
    Bare.shelf = "x"
    SequentialRunner().run(Pipeline([Node(lambda table: table, "table@bare", "seen", name="see")]), catalog, manager)
    assert study.records()["seen"].ancestors["table"] == study.records()["table"].digest != UNKNOWN
