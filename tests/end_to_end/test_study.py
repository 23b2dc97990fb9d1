"""The study of ``--env test``: each pipeline run alone, then parts of it again, as a user runs them."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BENCHMARKS = ["social_reasoning", "stem_reasoning", "social_knowledge", "stem_knowledge"]
RUN = re.compile(r"\d{4}-\d\d-\d\dT[\d.]+Z")
EXPENSIVE = [
    "04_feature/corpus_gradients",
    "04_feature/query_gradients",
    "04_feature/random_weights/corpus_gradients",
    "07_model_output/gradient_scores",
    "07_model_output/text_scores",
    "06_models/unlearned_models",
]


@pytest.fixture
def own_study(test_study: Path, tmp_path: Path) -> Path:
    """Return a copy of the study that a test may change."""
    return shutil.copytree(test_study, tmp_path / "data")


def done_marks(root: Path) -> dict[str, int]:
    """Return when each finished part was written."""
    return {
        mark.relative_to(root).as_posix(): mark.stat().st_mtime_ns
        for folder in EXPENSIVE
        for mark in (root / folder).glob("*/done.json")
    }


def test_records_are_documents_or_rejected(test_study: Path) -> None:
    summary = json.loads((test_study / "02_intermediate/corpus_summary.json").read_text())
    assert summary["records"] == 576 * 3
    assert summary["documents"] + sum(summary["rejected"].values()) == summary["records"]


def test_every_bin_has_a_row_for_every_benchmark_and_method(test_study: Path) -> None:
    table = pd.read_parquet(test_study / "08_reporting/bin_influence.parquet")
    assert set(table["benchmark"]) == set(BENCHMARKS)
    assert table.groupby(["benchmark", "method"]).size().tolist() == [576] * 4 * 8


def test_statistics_rest_on_documents_and_queries(test_study: Path) -> None:
    reporting = test_study / "08_reporting"
    bins = pd.read_parquet(reporting / "bin_influence.parquet")
    assert (bins["ess"] <= bins["n_documents"]).all()
    assert (bins["contribution_low"].isna() == bins["ci_low"].isna()).all()
    reliability = pd.read_parquet(reporting / "profile_reliability.parquet")
    assert len(reliability) == 4 * 8 * 3
    assert (reliability.loc[reliability["method"] == "length", "queries"] > 0.999).all()
    assert reliability.loc[reliability["method"] == "influence", "queries"].between(-1, 0.999).all()
    assert len(pd.read_parquet(reporting / "profile_similarity.parquet")) == 6 * 8 * 3
    strength = pd.read_parquet(reporting / "contrast_strength.parquet").set_index("method")
    assert len(strength) == 8
    assert strength.loc["length", "difference"] == 0  # length asks nothing, so no benchmark differs from another


def test_every_document_has_every_score(test_study: Path) -> None:
    scores = pd.read_parquet(test_study / "07_model_output/document_scores.parquet")
    assert len(scores) == 1152 * 4 * 8
    assert not scores.duplicated(["doc_id", "benchmark", "method"]).any()


def test_the_mean_over_query_blocks_is_the_score(test_study: Path) -> None:
    outputs = test_study / "07_model_output"
    key = ["doc_id", "benchmark", "method"]
    table = pd.read_parquet(outputs / "document_scores.parquet").merge(
        pd.read_parquet(outputs / "block_scores.parquet"), on=key, validate="one_to_one"
    )
    queries = pd.read_parquet(test_study / "04_feature/queries.parquet").query("variant == 'items'")
    for benchmark, own in table.groupby("benchmark"):
        sizes = queries[queries["benchmark"] == benchmark].groupby("block").size().to_numpy()
        means = np.stack(own["blocks"]) @ (sizes / sizes.sum())
        np.testing.assert_allclose(means, own["score"], rtol=1e-4, atol=1e-4 * own["score"].abs().max())


def test_nulls_have_a_score_of_every_document(test_study: Path) -> None:
    nulls = pd.read_parquet(test_study / "07_model_output/null_scores.parquet")
    assert set(nulls["variant"]) == {"items", "wrong_answers", "generic_text"}
    random = pd.read_parquet(test_study / "07_model_output/random_weights_scores.parquet")
    assert set(random["variant"]) == {"random_weights"}
    for table in (nulls, random):
        counts = table.groupby(["variant", "benchmark", "method"]).size()
        assert set(counts) == {1152}
        assert len(counts) == table["variant"].nunique() * 4 * 4


def test_random_weights_are_calibrated_and_judge_nothing(test_study: Path) -> None:
    tests = pd.read_parquet(test_study / "08_reporting/null_tests.parquet")
    assert set(tests["variant"]) == {"wrong_answers", "generic_text"}
    calibration = pd.read_parquet(test_study / "08_reporting/null_calibration.parquet")
    assert "random_weights" in set(calibration["variant"]) & set(calibration["judge"])


def test_every_topic_is_patched(test_study: Path) -> None:
    table = pd.read_parquet(test_study / "08_reporting/tail_patch.parquet")
    assert table.groupby(["benchmark", "dose"]).size().tolist() == [24] * 4 * 2
    np.testing.assert_allclose(table.groupby(["benchmark", "dose"])["effect"].sum(), 0, atol=1e-9)


def test_topics_and_bins_are_held_against_the_truth(test_study: Path) -> None:
    table = pd.read_parquet(test_study / "08_reporting/validation_metrics.parquet")
    assert table.groupby("level").size().to_dict() == {"topic": 4 * 8, "bin": 4 * 8}
    assert set(table.loc[table["level"] == "topic", "n_planted"]) == {2}
    assert set(table.loc[table["level"] == "topic", "n_decoys"]) == {4}
    assert table[["auc", "decoy_auc"]].notna().all(axis=None)


def test_validation_record_has_the_agreed_form(test_study: Path) -> None:
    record = json.loads((test_study / "08_reporting/validation.json").read_text())
    assert set(record) == {"seed", "default_method", "methods", "accuracy"}
    assert record["seed"] == 42
    assert record["default_method"] in record["methods"]
    for method in record["methods"].values():
        assert set(method) == set(BENCHMARKS)
        assert all(set(areas) == {"topic_auc", "decoy_auc", "document_auc"} for areas in method.values())
    assert set(record["accuracy"]) == set(BENCHMARKS)


def test_every_planned_run_is_done_and_left_a_checkpoint(test_study: Path) -> None:
    plan = pd.read_parquet(test_study / "05_model_input/unlearning_plan.parquet")
    runs = pd.read_parquet(test_study / "07_model_output/unlearning_runs.parquet")
    assert runs["run_id"].tolist() == plan["run_id"].tolist()
    assert len(runs) == 4 * (2 + 2 + 2 + 1)  # in a topic: two orders and two random sets; anywhere: two and one
    assert (runs["status"] == "done").all()
    for run_id, digest in zip(runs["run_id"], runs["digest"], strict=True):
        folder = test_study / f"06_models/unlearned_models/{run_id}/checkpoint"
        assert (folder / "model.safetensors").exists()
        assert json.loads((folder / "unlearning.json").read_text())["plan"] == digest


def test_runs_are_judged_by_items_that_did_not_ask_the_corpus(test_study: Path) -> None:
    answers = pd.read_parquet(test_study / "07_model_output/unlearning_answers.parquet")
    queries = pd.read_parquet(test_study / "04_feature/queries.parquet")
    assert not set(answers["item"]) & set(queries["item"].dropna())
    assert set(answers["benchmark"]) == set(BENCHMARKS)


def test_every_run_is_read_on_the_whole_grid_from_the_same_start(test_study: Path) -> None:
    outputs = test_study / "07_model_output"
    answers, losses = (pd.read_parquet(outputs / f"unlearning_{name}.parquet") for name in ("answers", "trajectory"))
    for table in (answers.drop_duplicates(["run_id", "step"]), losses):
        assert (table.groupby("run_id")["step"].agg(list).map(lambda steps: steps == [0, 2, 4])).all()
    start = answers[answers["step"] == 0].groupby(["benchmark", "item"])
    assert (start[["gold_logprob", "margin", "choice_logprob"]].nunique() == 1).all(axis=None)
    evaluations = pd.read_parquet(outputs / "unlearning_evaluations.parquet")
    assert set(evaluations["run_id"]) == {"untouched", *losses["run_id"]}
    assert len(evaluations) == 4 * (1 + 2 * losses["run_id"].nunique())


def test_forgetting_raises_the_loss_of_what_is_forgotten(test_study: Path) -> None:
    losses = pd.read_parquet(test_study / "07_model_output/unlearning_trajectory.parquet")
    by_step = losses.pivot(index="run_id", columns="step", values="forget_loss")
    assert (by_step[4] > by_step[0]).all()


def test_report_needs_no_network_and_has_every_section(test_study: Path) -> None:
    page = (test_study / "08_reporting/report.html").read_text()
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!#)[^"'\s>]+""", markup)
    assert "<link" not in markup
    for anchor in ("how", "inputs", "map", "contrast", "truth", "forget", "lineage"):
        assert f'id="{anchor}"' in markup
    assert page.count("Plotly.newPlot(") >= 4
    assert "unlearned_models" in markup  # the lineage of the last stage before the report


def test_lineage_names_what_every_number_was_made_from(test_study: Path) -> None:
    records = json.loads((test_study / "lineage.json").read_text())
    assert all(record["digest"] for record in records.values())
    ancestors = records["unlearning_effects"]["ancestors"]
    assert {"raw_documents", "working_set", "language_model", "document_scores"} <= set(ancestors)
    assert ancestors["language_model"] == records["language_model"]["digest"]
    assert "miniature_truth" not in ancestors
    assert "miniature_truth" in records["validation"]["ancestors"]


@pytest.mark.slow
def test_a_second_run_computes_nothing_expensive_and_writes_the_same_bytes(
    own_study: Path, kedro: Callable[..., Any], contents: Callable[[Path], dict[str, str]]
) -> None:
    page = own_study / "08_reporting/report.html"
    before, files, text = done_marks(own_study), contents(own_study), page.read_text()
    page.unlink()
    ended = kedro("run", "--env", "test", "--params", f"root={own_study}")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert done_marks(own_study) == before
    assert RUN.sub("", page.read_text()) == RUN.sub("", text)  # the page says when its tables were made
    page.write_text(text)
    assert contents(own_study) == files


@pytest.mark.slow
def test_a_check_by_name_comes_on_the_page_and_leaves_it_with_its_study(
    own_study: Path, kedro: Callable[..., Any]
) -> None:
    report, agreement = (
        own_study / "08_reporting" / name for name in ("report.html", "counterfactual_agreement.parquet")
    )
    assert "Retrained" not in report.read_text()
    for pipeline in ("counterfactual", "reporting"):
        ended = kedro("run", "--env", "test", "--pipelines", pipeline, "--params", f"root={own_study}")
        assert ended.returncode == 0, (pipeline, ended.stderr[-2000:])
    assert set(pd.read_parquet(agreement)["design"]) == {"topic", "half"}
    assert "Retrained" in report.read_text()
    again = ("run", "--env", "test", "--pipelines", "aggregation,reporting")
    ended = kedro(*again, "--params", f"root={own_study},bootstrap.replicates=120")
    assert ended.returncode == 0, ended.stderr[-2000:]
    said = [line for line in ended.stderr.splitlines() if "treated as missing" in line]
    assert all(name in "".join(said) for name in ("counterfactual_agreement", "unlearning_effects", "validation"))
    assert all(line.endswith(" with the --params of this run makes them again") for line in said)
    assert ended.stderr.index(said[0]) < ended.stderr.index("Completed 1 out of")
    assert "kedro run --pipelines unlearning,reporting" in report.read_text()
    assert "Retrained" not in report.read_text()


def test_a_killed_run_goes_on_where_it_stopped(own_study: Path, kedro: Callable[..., Any]) -> None:
    before = done_marks(own_study)
    runs = pd.read_parquet(own_study / "07_model_output/unlearning_runs.parquet")
    lost = f"06_models/unlearned_models/{runs['run_id'][3]}/done.json"
    (own_study / lost).unlink()
    ledger = json.loads((own_study / "lineage.json").read_text())
    del ledger["unlearned_models"]  # as a run leaves it that was stopped inside the node
    (own_study / "lineage.json").write_text(json.dumps(ledger))
    ended = kedro("run", "--env", "test", "--pipelines", "unlearning", "--params", f"root={own_study}")
    assert ended.returncode == 0, ended.stderr[-2000:]
    after = done_marks(own_study)
    assert after.pop(lost) > before.pop(lost)
    assert after == before


def test_a_benchmark_added_later_costs_its_own_queries_and_product(
    own_study: Path, kedro: Callable[..., Any], tmp_path: Path
) -> None:
    before = done_marks(own_study)
    conf = tmp_path / "conf"
    shutil.copytree("conf", conf)
    base = yaml.safe_load((conf / "base/parameters_evaluation.yml").read_text())["evaluation"]
    added = {**base["benchmarks"][0], "name": "added"}
    test = yaml.safe_load((conf / "test/parameters.yml").read_text())
    test["evaluation"] = {"benchmarks": [*base["benchmarks"], added]}
    (conf / "test/parameters.yml").write_text(yaml.safe_dump(test))
    arguments = ("--conf-source", str(conf), "--pipelines", "attribution", "--params", f"root={own_study}")
    ended = kedro("run", "--env", "test", *arguments)
    assert ended.returncode == 0, ended.stderr[-2000:]
    after = done_marks(own_study)
    new = {name.split("/")[-2].split(".")[0].split("-")[0] for name in after.keys() - before.keys()}
    assert new == {"added"}
    assert {name: after[name] for name in before} == before
    scores = pd.read_parquet(own_study / "07_model_output/document_scores.parquet")
    assert scores.groupby("benchmark").size().to_dict() == dict.fromkeys([*BENCHMARKS, "added"], 1152 * 8)


def test_a_damaged_shard_is_refused_and_computed_anew_alone(own_study: Path, kedro: Callable[..., Any]) -> None:
    before = done_marks(own_study)
    numbers = sorted((own_study / "04_feature/corpus_gradients").glob("*/index/gradients.bin"))[0]
    content = bytearray(numbers.read_bytes())
    content[100] ^= 1
    numbers.write_bytes(content)
    root = f"root={own_study}"
    refused = kedro("run", "--env", "test", "--nodes", "compare_gradients", "--params", root)
    assert refused.returncode != 0
    assert "corpus_gradients has changed since" in refused.stderr.strip().splitlines()[-1]
    ended = kedro("run", "--env", "test", "--nodes", "collect_corpus_gradients,compare_gradients", "--params", root)
    assert ended.returncode == 0, ended.stderr[-2000:]
    after = done_marks(own_study)
    assert {name for name in after if after[name] != before[name]} == {
        (numbers.parents[1] / "done.json").relative_to(own_study).as_posix()
    }


def test_inputs_of_another_run_are_refused(own_study: Path, kedro: Callable[..., Any]) -> None:
    ended = kedro(
        "run",
        "--env",
        "test",
        "--pipelines",
        "miniature,corpus,taxonomy",
        "--params",
        f"root={own_study},miniature.seed=7",
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    ended = kedro("run", "--env", "test", "--pipelines", "aggregation", "--params", f"root={own_study}")
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "would mix runs" in last


def test_mlflow_has_one_parent_and_a_nested_run_for_each_arm(test_study: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{test_study / 'mlflow.db'}")
    (experiment,) = [one for one in client.search_experiments() if one.name == "social-provenance"]
    runs = client.search_runs([experiment.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    (parent,) = [run for run in runs if run not in children]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    table = pd.read_parquet(test_study / "07_model_output/unlearning_runs.parquet").set_index("run_id")
    assert {run.info.run_name for run in children} == set(table.index)
    trajectory = pd.read_parquet(test_study / "07_model_output/unlearning_trajectory.parquet")
    for run in children:
        row = table.loc[run.info.run_name]
        assert run.data.tags["arm"] == row["arm"]
        curve = client.get_metric_history(run.info.run_id, "forget_loss")
        own = trajectory[trajectory["run_id"] == run.info.run_name]
        assert {point.step: point.value for point in curve} == dict(zip(own["step"], own["forget_loss"], strict=True))
        assert len(client.get_metric_history(run.info.run_id, "step.forget_loss")) == row["last_step"]
        assert run.data.metrics["aligned.gold_logprob"] == run.data.metrics[f"{row['benchmark']}.gold_logprob"]
    assert parent.data.params["unlearning.algorithms.ngdiff.learning_rate"] == "None"
