"""DuckDB and Spark: the same shards, the same nodes, the same rows."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest

from scale import write_corpus
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[2]
TABLES = {
    "02_intermediate/documents.parquet": ["doc_id"],
    "02_intermediate/rejected_documents.parquet": ["shard", "row"],
    "03_primary/labelled_documents.parquet": ["doc_id"],
    "03_primary/bin_prevalence.parquet": ["topic", "format"],
    "03_primary/working_set.parquet": ["doc_id"],
    "03_primary/sampling_manifest.parquet": ["doc_id"],
}
FILES = ("02_intermediate/corpus_summary.json", "03_primary/sampling_contract.json")
WORDS = [f"wörd{number}" for number in range(400)]


@pytest.fixture
def corpus(tmp_path: Path, write_shard: Callable[..., Path], row: Callable[..., Any]) -> Path:
    """Return shards of all formats with duplicates, near-duplicates, unusable records and a damaged shard."""
    rng = random.Random(0)
    rows = []
    for number in range(240):
        topic, form = BINS[number % 7 * 27]
        words = rng.choices(WORDS, k=60)
        both = {"topic": topic, "format": form, "topic_confidence": number / 240}
        labels = {0: {}, 1: {"topic": topic}}.get(number % 11, both)  # some lack one, some both
        rows.append(row(f"d{number}", " ".join(words), url=f"https://s{number % 9}.org/{number}", weborganizer=labels))
        if number % 10 == 0:
            rows.append(row(f"copy{number}", " ".join(words).upper(), weborganizer=labels))
        if number % 12 == 0:
            rows.append(row(f"c{number}", " ".join(["near", *words]), weborganizer=labels))
    folder = tmp_path / "corpus"
    write_shard(folder / "a.jsonl.zst", [*rows[:90], "no json"])
    write_shard(folder / "b.jsonl.gz", [*rows[90:180], row("short", "x")])
    write_shard(folder / "sub/c.parquet", rows[180:])
    damaged = write_shard(folder / "d.jsonl.zst", rows)
    damaged.write_bytes(damaged.read_bytes()[:-100])
    return folder


@pytest.mark.campaign
@pytest.mark.spark
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="needs the extra spark")
def test_a_driver_of_a_gigabyte_is_enough_for_many_documents(tmp_path: Path) -> None:
    """Driver and workers are one process in local mode: nothing as large as the corpus may be in either."""
    corpus, conf = tmp_path / "corpus", tmp_path / "conf"
    write_corpus(corpus, 200_000, 600)
    shutil.copytree(PROJECT / "conf", conf)
    engines = conf / "spark/engines.yml"
    assert "spark.driver.memory: 4g" in engines.read_text()
    engines.write_text(engines.read_text().replace("spark.driver.memory: 4g", "spark.driver.memory: 1g"))
    (conf / "one").mkdir()
    for env in ("one", "spark"):
        (conf / env / "parameters.yml").write_text("documents: {near_duplicates: {}}")
        given = f"root={tmp_path / env},corpus={corpus},documents.min_chars=1,working_set.min_documents=1"
        command = [sys.executable, "-m", "kedro", "run", "--conf-source", str(conf), "--env", env]
        command += ["--pipelines", "corpus,taxonomy", "--params", given]
        ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr[-3000:]
    one, other = (tmp_path / env for env in ("one", "spark"))
    for name in TABLES:
        files = [place / name for place in (one, other)]
        found = [duckdb.read_parquet(str(file / "*.parquet" if file.is_dir() else file)) for file in files]
        columns = ", ".join(found[0].columns)
        assert len(found[0]) == len(found[1]) > 500
        assert len(found[0].project(columns).except_(found[1].project(columns))) == 0, name
    assert [(one / name).read_text() for name in FILES] == [(other / name).read_text() for name in FILES]
    assert json.loads((one / FILES[0]).read_text())["rejected"] == {"near_duplicate": 20_000}


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="needs the extra spark")
@pytest.mark.parametrize("drop", [True, False], ids=["dropped", "grouped"])
def test_both_engines_give_the_same_tables(corpus: Path, tmp_path: Path, kedro: Callable[..., Any], drop: bool) -> None:
    for env in ("base", "spark"):
        given = {
            "root": tmp_path / env,
            "corpus": corpus,
            "documents.max_malformed_share": 0.1,
            "documents.max_damaged_share": 0.5,
            "documents.near_duplicates.drop": str(drop).lower(),
            "working_set.min_documents": 10,
        }
        listed = ",".join(f"{name}={value}" for name, value in given.items())
        ended = kedro("run", "--env", env, "--pipelines", "corpus,taxonomy", "--params", listed)
        assert ended.returncode == 0, ended.stderr[-3000:]
    for name, key in TABLES.items():
        one, other = (
            pd.read_parquet(tmp_path / env / name).sort_values(key, ignore_index=True) for env in ("base", "spark")
        )
        assert len(one) > 0
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    for name in FILES:
        first, second = (json.loads((tmp_path / env / name).read_text()) for env in ("base", "spark"))
        assert first == second
    summary = json.loads((tmp_path / "spark" / FILES[0]).read_text())
    reasons = {"damaged_shard", "duplicate_text", "not_json", "too_short"} | ({"near_duplicate"} if drop else set())
    assert set(summary["rejected"]) == reasons
    documents = pd.read_parquet(tmp_path / "spark" / "02_intermediate/documents.parquet")
    assert (documents["alike_id"] == documents["doc_id"]).all() == drop
    labelled = pd.read_parquet(tmp_path / "spark" / "03_primary/labelled_documents.parquet")
    sources = set(labelled[["topic_source", "format_source"]].itertuples(index=False, name=None))
    assert sources == {("given", "given"), ("given", "linear"), ("linear", "linear")}
