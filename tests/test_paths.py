"""Paths: what exists under its own name is literal, whatever characters the name has."""

from __future__ import annotations

import glob
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from social_provenance.paths import hadoop_literal, is_wild, literal, split_local, split_table, table_pattern

NAMES = st.text(st.sampled_from("ab1[]*?{}!%#=:'\"\\ ~é中\u00a0"), min_size=1, max_size=6).filter(
    lambda name: name not in {"*", "**"}
)
"""Names of folders, dense in what engines give a meaning to."""


@given(NAMES)
@example("run[1]")
def test_a_folder_that_exists_is_itself(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        for neighbour in ("run1", "a", "ab", name):
            (Path(base) / neighbour).mkdir(exist_ok=True)
        folder = Path(base) / name
        assert split_local(folder) == (folder, "")
        assert glob.glob(literal(folder)) == [str(folder)]
        assert split_local(f"{folder}/*.jsonl") == (folder, "*.jsonl")
        assert split_local(f"{folder}/no[1]/*") == (folder, "no[1]/*")
        assert table_pattern(f"{folder}/*/t.parquet") == f"{literal(folder)}/*/t.parquet"


@given(NAMES)
def test_a_table_that_is_not_there_is_no_pattern(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        assert glob.glob(table_pattern(f"{base}/{name}/t.parquet")) == []
        (Path(base) / "a").mkdir()
        (Path(base) / "a/t.parquet").touch()
        assert glob.glob(table_pattern(f"{base}/{name}/t.parquet")) in ([], [f"{base}/{name}/t.parquet"])


@given(NAMES)
@example("run[1]")
def test_a_folder_that_is_not_there_yet_is_itself(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / name
        assert split_table(folder / "lineage.json") == (folder / "lineage.json", [])
        assert split_table(folder / "labels/*/t.parquet") == (folder / "labels", ["*", "t.parquet"])
        assert split_table(folder / "*.parquet") == (folder, ["*.parquet"])


@pytest.mark.parametrize(
    ("place", "above", "pattern"),
    [("no/where", "no/where", ""), ("*.jsonl", ".", "*.jsonl"), ("/*/a", "/", "*/a"), ("no/[1]/x", "no", "[1]/x")],
)
def test_a_pattern_starts_at_the_first_wildcard_that_is_no_name(place: str, above: str, pattern: str) -> None:
    assert split_local(place) == (Path(above), pattern)


def test_spark_escapes_what_hadoop_reads_as_a_pattern() -> None:
    assert hadoop_literal("/run[1]/{a,b}/c*?") == r"/run\[1\]/\{a\,b\}/c\*\?"
    assert is_wild("run[1]")
    assert not is_wild("run{1}")
