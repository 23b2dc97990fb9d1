"""Whatever file of a study is damaged in whatever way: one line that names its place, never a traceback.

The walk is generated: every type of dataset in the catalog, its file damaged in six ways, read to its end.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog

from social_provenance.artifacts import OneByOne, Parts
from social_provenance.documents.records import plan_records
from social_provenance.documents.settings import DocumentSettings
from social_provenance.errors import ProvenanceError
from social_provenance.estimation.maps.scored import Scored
from social_provenance.hooks.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[2]
OWN = "social_provenance.datasets."
FRAME = pd.DataFrame({"doc_id": list("abc"), "value": [1.0, 2.0, 3.0]})


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: max(1, len(content) * 2 // 3)])


def overwrite(path: Path) -> None:
    path.write_bytes(b"\x93\x00\xff\xfe" * 64)


def mistake(path: Path) -> None:
    """Put a file of another type there."""
    if path.suffix == ".parquet":
        path.write_text('{"doc_id": "a"}\n')
    else:
        FRAME.to_parquet(path)


def nest(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = {each.__name__: each for each in (remove, empty, truncate, overwrite, mistake, nest)}


def sealed(name: str) -> Parts:
    return Parts({"x": "1"}, OneByOne({"x": lambda folder: FRAME.to_parquet(folder / name)}))


def read_table(catalog: DataCatalog) -> Any:
    return catalog.load("mine").execute()


def read_parts(catalog: DataCatalog) -> Any:
    return {name: pd.read_parquet(folder / "t.parquet") for name, folder in catalog.load("mine").items()}


def read_shards(catalog: DataCatalog) -> Any:
    parts = plan_records(catalog.load("mine"), DocumentSettings(min_chars=1))
    target = Path(catalog["mine"].location()).parent / "records"
    folders = {name: target / name for name in parts.inputs}
    for folder in folders.values():
        folder.mkdir(parents=True)
    return list(parts.write(folders))


def load(catalog: DataCatalog) -> Any:
    return catalog.load("mine")


def figure() -> Any:
    import plotly.graph_objects as go

    return go.Figure(layout_height=100)


def scored() -> Scored:
    one = np.ones(1)
    return Scored(np.array(["a"], dtype=object), [("quiz", "bm25")], one[:, None], one, one, one, one)


def arrow_rows() -> Any:
    import pyarrow as pa

    from social_provenance.artifacts import Stream

    table = pa.Table.from_pandas(FRAME)
    return Stream(table.schema, lambda: iter(table.to_batches()))


PATH = "{root}/mine"
Entry = tuple[dict[str, Any], "Callable[[], Any]", str, "Callable[[DataCatalog], Any]"]

ENTRIES: dict[str, Entry] = {
    "pandas.ParquetDataset": ({"filepath": f"{PATH}.parquet"}, lambda: FRAME, "mine.parquet", load),
    "json.JSONDataset": ({"filepath": f"{PATH}.json"}, lambda: {"value": 1}, "mine.json", load),
    "text.TextDataset": ({"filepath": f"{PATH}.txt"}, lambda: "one", "mine.txt", load),
    "plotly.JSONDataset": ({"filepath": f"{PATH}.json"}, figure, "mine.json", load),
    f"{OWN}ArrowFile": ({"filepath": f"{PATH}.arrow"}, arrow_rows, "mine.arrow", load),
    f"{OWN}TableFile": (
        {"filepath": f"{PATH}.parquet"},
        lambda: ibis.memtable(FRAME).order_by("doc_id"),
        "mine.parquet",
        read_table,
    ),
    f"{OWN}RecordFolder": (
        {"path": PATH, "file": "t.parquet"},
        lambda: sealed("t.parquet"),
        "mine/x/t.parquet",
        read_table,
    ),
    f"{OWN}PartsFolder": ({"path": PATH}, lambda: sealed("t.parquet"), "mine/current.json", read_parts),
    f"{OWN}ArraysFile": (
        {"filepath": f"{PATH}.safetensors", "holds": f"{Scored.__module__}.Scored"},
        scored,
        "mine.safetensors",
        load,
    ),
    f"{OWN}ShardFolder": (
        {"path": PATH, "shards": 1},
        lambda: [{"id": f"d{n}", "text": f"text {n}"} for n in range(99)],
        "mine/shard-00.jsonl.zst",
        read_shards,
    ),
    f"{OWN}OptionalDataset": (
        {"filepath": f"{PATH}.json", "dataset": {"type": "json.JSONDataset"}},
        lambda: {"value": 1},
        "mine.json",
        load,
    ),
}

ELSEWHERE = {
    f"{OWN}BenchmarkFolder",
    f"{OWN}LanguageModelFolder",
    f"{OWN}OptionalModelFolder",
    f"{OWN}CheckpointFolder",
    f"{OWN}ReferenceFolder",
    "MemoryDataset",
}
"""Types that load a place and leave its files to who reads them, with laws in test_harness_errors, test_language_model
and test_reference; and what stands in the catalog itself, in no file."""

READ_ALL_THE_SAME = {
    ("text.TextDataset", "empty"),
    ("text.TextDataset", "truncate"),
    ("pandas.ParquetDataset", "nest"),  # as a folder without rows, which its schema refuses
    (f"{OWN}OptionalDataset", "remove"),  # as None
    (f"{OWN}PartsFolder", "remove"),  # as not made
}
"""Damages that no format can show; the ledger does, by the digest."""


def types() -> set[str]:
    """Return the types of datasets in the catalogs of all environments."""
    entries: list[Any] = [
        entry
        for file in (PROJECT / "conf").rglob("catalog*.yml")
        for entry in yaml.safe_load(file.read_text()).values()
    ]
    return {entry["type"] for entry in entries if isinstance(entry, dict)}


def test_the_walk_visits_every_type_of_the_catalog() -> None:
    assert types() <= set(ENTRIES) | ELSEWHERE
    assert len(ENTRIES) > 8


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ENTRIES)
def test_a_damaged_file_is_one_line_that_names_its_place(kind: str, damage: str, tmp_path: Path) -> None:
    arguments, make, file, read = ENTRIES[kind]
    root = tmp_path / "a root"
    given = {name: value.format(root=root) if isinstance(value, str) else value for name, value in arguments.items()}
    catalog = DataCatalog.from_config({"mine": {"type": kind, **given}})
    catalog.save("mine", make())
    read(catalog)
    shutil.rmtree(root / "records", ignore_errors=True)
    DAMAGES[damage](root / file)
    fresh = DataCatalog.from_config({"mine": {"type": kind, **given}})
    if (kind, damage) in READ_ALL_THE_SAME:
        read(fresh)
        return
    with pytest.raises(Exception) as caught:  # noqa: PT011 (of any library)
        read(fresh)
    line = one_line(caught.value)
    assert line is not None, caught.value
    assert "\n" not in line
    assert str(root / "mine") in line
    assert isinstance(caught.value, ProvenanceError) or "mine" in line
