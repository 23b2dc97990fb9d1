"""A study in a folder of any name reads its own files and not those next door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_root_with_wildcards_reads_its_own_tables(
    kedro: Callable[..., Any], write_shard: Callable[..., Path], row: Callable[..., Any], tmp_path: Path
) -> None:
    name = "r un[1]*?%20#é=1"
    rows = [row(f"d{number}", f"text number {number} " * 20) for number in range(5)]
    write_shard(tmp_path / name / "01_raw/corpus/a.jsonl", rows)
    neighbour = tmp_path / name.replace("[1]*?", "1") / "02_intermediate/documents.parquet"
    neighbour.parent.mkdir(parents=True)
    pd.DataFrame({"doc_id": ["next door"]}).to_parquet(neighbour)
    ended = kedro("run", "--env", "test", "--pipelines", "corpus", "--params", f"root={tmp_path / name}")
    assert ended.returncode == 0, ended.stderr
    own = pd.read_parquet(tmp_path / name / "02_intermediate/documents.parquet")
    assert sorted(own["doc_id"]) == [one["id"] for one in rows]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, neighbour.parents[1].name])


def test_a_root_with_wildcards_that_is_not_there_yet_is_made(
    kedro: Callable[..., Any], write_shard: Callable[..., Path], row: Callable[..., Any], tmp_path: Path
) -> None:
    shard = write_shard(
        tmp_path / "corpus/a.jsonl", [row(f"d{number}", f"text number {number} " * 20) for number in (1, 2)]
    )
    root = tmp_path / "studies" / "run[1]*"
    given = f"root={root},corpus={shard.parent}"
    ended = kedro("run", "--env", "test", "--pipelines", "corpus", "--params", given)
    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in root.iterdir()) == [".lock", "02_intermediate", "lineage.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "studies"]
