"""Equal inputs give equal digests and equal bytes: in another folder, moved, copied, again, and on more threads."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(kedro: Callable[..., Any], tmp_path: Path) -> Callable[..., None]:
    """Return a function that runs pipelines in a data root on so many threads of DuckDB."""

    def run_in(root: Path, pipelines: str, threads: int) -> None:
        conf = tmp_path / f"conf-{threads}"
        if not conf.exists():
            shutil.copytree(PROJECT / "conf", conf)
            with (conf / "test/globals.yml").open("a") as file:
                file.write(f"\nconnection: {{backend: duckdb, threads: {threads}, memory_limit: 2GB}}\n")
        options = ["--conf-source", str(conf), "--env", "test", "--pipelines", pipelines]
        ended = kedro("run", *options, "--params", f"root={root}")
        assert ended.returncode == 0, ended.stderr[-3000:]

    return run_in


def digests(root: Path) -> dict[str, str]:
    return {name: row["digest"] for name, row in json.loads((root / "lineage.json").read_text()).items()}


def tables(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every table and description."""
    files = [path for path in root.rglob("*") if path.suffix in (".parquet", ".json") and path.name != "lineage.json"]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_a_study_is_the_same_wherever_and_however_often_it_is_made(run: Callable[..., None], tmp_path: Path) -> None:
    made, moved, copied, remade = (tmp_path / name for name in ("made", "moved", "a copy", "deep/er/remade"))
    run(made, "miniature,corpus,taxonomy", 2)
    known, content = digests(made), tables(made)
    assert len(known) > 15
    assert sum(name.endswith(".parquet") for name in content) > 10

    made.rename(moved)
    run(moved, "taxonomy", 1)  # reads what corpus made, and refuses nothing
    shutil.copytree(moved, copied, copy_function=shutil.copyfile)
    run(copied, "corpus,taxonomy", 4)
    remade.parent.mkdir(parents=True)
    run(remade, "miniature,corpus,taxonomy", 1)
    for root in (moved, copied, remade):
        assert digests(root) == known
        assert tables(root) == content


@pytest.mark.slow
def test_a_label_edited_by_hand_is_refused(kedro: Callable[..., Any], test_study: Path, tmp_path: Path) -> None:
    import pandas as pd

    root = tmp_path / "root"
    for name in ("02_intermediate", "06_models/label_classifier"):
        shutil.copytree(test_study / name, root / name)
    shutil.copy(test_study / "lineage.json", root)
    file = sorted((root / "02_intermediate/shard_labels").glob("*/labels.parquet"))[0]
    pd.read_parquet(file).assign(topic="politics").to_parquet(file, index=False)
    options = ["--env", "test", "--pipelines", "taxonomy", "--from-nodes", "join_labels"]
    ended = kedro("run", *options, "--params", f"root={root}")
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: shard_labels has changed since node label_shards wrote it")
