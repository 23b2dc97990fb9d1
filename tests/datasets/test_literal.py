"""Tables are saved to and loaded from the path as written, whatever characters its folders have."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import ibis
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from social_provenance.datasets.literal import LiteralFile, read_parquet

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text(st.sampled_from("ab1[]*?{}!%#=:'\" ~é中\n\u00a0"), min_size=1, max_size=6).filter(
    lambda name: name not in {"*", "**"}
)
ENGINE = ibis.duckdb.connect()


@given(NAMES)
@example("run[1]")
@example("run=1")
@settings(max_examples=25, deadline=None)
def test_a_table_comes_back_from_a_folder_of_any_name(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        files = {folder: f"{base}/{folder}/t.parquet" for folder in ("run1", "a", "ab", "a1", name)}
        for folder, file in files.items():
            LiteralFile(filepath=file).save(ibis.memtable({"folder": [folder]}))
        assert LiteralFile(filepath=files[name]).load().to_pyarrow().to_pylist() == [{"folder": name}]
        assert read_parquet(ENGINE, [files[name]]).to_pyarrow().to_pylist() == [{"folder": name}]
        everything = LiteralFile(filepath=f"{base}/*/t.parquet").load().to_pyarrow().to_pylist()
        assert sorted(row["folder"] for row in everything) == sorted(files)


def test_a_path_that_the_engine_cannot_read_is_refused(tmp_path: Path) -> None:
    for name in ("back\\slash", "back\\slash[1]"):
        LiteralFile(filepath=str(tmp_path / name / "t.parquet")).save(ibis.memtable({"folder": [name]}))
    assert LiteralFile(filepath=str(tmp_path / "back\\slash/t.parquet")).load().count().execute() == 1
    with pytest.raises(Exception, match="which DuckDB cannot read: rename it"):
        LiteralFile(filepath=str(tmp_path / "back\\slash[1]/t.parquet")).load()


def test_a_table_that_is_missing_is_not_found_next_door(tmp_path: Path) -> None:
    LiteralFile(filepath=str(tmp_path / "run1/t.parquet")).save(ibis.memtable({"folder": ["run1"]}))
    missing = LiteralFile(filepath=str(tmp_path / "run[1]/t.parquet"))
    assert not missing.exists()
    with pytest.raises(DatasetError, match="No files found"):
        missing.load()
