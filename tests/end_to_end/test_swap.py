"""Another corpus, model and benchmark, by catalog entries and parameters alone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yaml

from social_provenance.regions.grid import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CATALOG = """
raw_documents:
  type: social_provenance.datasets.ShardFolder
  path: {corpus}
  fields: {{doc_id: key, text: body.content, url: link, given_topic: subject, given_format: kind}}
  metadata: {{kedro-viz: {{layer: raw}}}}

language_model:
  type: social_provenance.datasets.LanguageModelFolder
  path: {model}
  metadata: {{kedro-viz: {{layer: models}}}}

benchmark_items:
  type: social_provenance.datasets.BenchmarkFolder
  path: {benchmarks}
  metadata: {{kedro-viz: {{layer: raw}}}}
"""

PARAMETERS: dict[str, Any] = {
    "documents": {"min_chars": 20},
    "working_set": {"per_bin": 2, "min_documents": 90},
    "evaluation": {
        "benchmarks": [
            {"name": "manners", "domain": "social", "level": "reasoning", "task": "manners.yaml", "file": "m.jsonl"},
            {"name": "physics", "domain": "stem", "level": "reasoning", "task": "manners.yaml", "file": "p.jsonl"},
        ]
    },
    "gradients": {"projection_dim": 4, "max_tokens": 64, "token_batch": 256},
    "scoring": {"target_component": 4, "default_method": "trackstar"},
    "bootstrap": {"replicates": 50},
    "unlearning": {
        "order_seeds": [0],
        "random_sets": 1,
        "forget_documents": 2,
        "retain_per_topic": 1,
        "steps": 2,
        "read_every": 1,
        "processes": 1,
        "batch_documents": 2,
        "lora": {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": ["q_proj", "v_proj"]},
    },
}

TASK = {
    "task": "manners",
    "output_type": "multiple_choice",
    "test_split": "test",
    "doc_to_text": "{{ask}}",
    "doc_to_choice": "{{[good, bad]}}",
    "doc_to_target": 0,
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
}


@pytest.fixture
def corpus(tmp_path: Path, write_shard: Callable[..., Path]) -> Path:
    """Return a Parquet corpus of other column names: four documents of every topic, in two formats."""
    rows = [
        {
            "key": f"{topic}-{form}-{copy}",
            "body": {"content": f"Copy {copy} of a {form} about {topic.replace('_', ' ')}, not a long one."},
            "link": None,
            "subject": topic,
            "kind": form,
        }
        for topic in TOPICS
        for form in ("faq", "tutorial")
        for copy in (1, 2)
    ]
    write_shard(tmp_path / "corpus/part-0.parquet", rows)
    return tmp_path / "corpus"


@pytest.fixture
def benchmarks(tmp_path: Path) -> Path:
    """Return a folder with a task definition and two files of items."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "manners.yaml").write_text(yaml.safe_dump(TASK))
    for name, word in (("m", "thank"), ("p", "heat")):
        rows = [{"ask": f"When you {word} someone {n} times they are", "good": "glad", "bad": "sad"} for n in range(5)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def conf(tmp_path: Path, corpus: Path, benchmarks: Path, llama_folder: Path, request: pytest.FixtureRequest) -> Path:
    """Return the project's configuration with one more environment, ``mine``."""
    copy = shutil.copytree(request.config.rootpath / "conf", tmp_path / "conf")
    (copy / "mine").mkdir()
    entries = CATALOG.format(corpus=corpus, model=llama_folder, benchmarks=benchmarks)
    (copy / "mine/catalog.yml").write_text(entries)
    (copy / "mine/parameters.yml").write_text(yaml.safe_dump(PARAMETERS))
    (copy / "mine/globals.yml").write_text(f"root: {tmp_path / 'data'}\n")
    (copy / "mine/mlflow.yml").write_text("enabled: false\n")
    return copy


def test_all_three_are_swapped_without_code(conf: Path, kedro: Callable[..., Any], tmp_path: Path) -> None:
    ended = kedro("run", "--conf-source", str(conf), "--env", "mine", "--pipelines", "provenance")
    assert ended.returncode == 0, ended.stderr[-3000:]
    data = tmp_path / "data"

    scores = pd.read_parquet(data / "07_model_output/document_scores.parquet")
    assert set(scores["benchmark"]) == {"manners", "physics"}
    assert scores["doc_id"].nunique() == 96
    assert scores["score"].std() > 0

    bins = pd.read_parquet(data / "08_reporting/bin_influence.parquet")
    empty = bins["n_documents"] == 0
    maps = scores[["benchmark", "method"]].drop_duplicates()
    assert len(maps) == 2 * 8
    assert empty.sum() == (576 - 48) * len(maps)
    assert bins.loc[empty, "potency"].isna().all()
    assert set(bins.loc[~empty, "format"]) == {"faq", "tutorial"}

    contrasts = pd.read_parquet(data / "08_reporting/contrasts.parquet")
    assert set(contrasts["kind"]) == {"reasoning"}

    runs = pd.read_parquet(data / "07_model_output/unlearning_runs.parquet")
    checkpoints = data / "06_models/unlearned_models"
    assert all((checkpoints / run / "checkpoint/adapter_model.safetensors").exists() for run in runs["run_id"])
    assert "no ground truth to compare with" in (data / "08_reporting/report.html").read_text()
