"""What is measured on a GPU is measured on a CPU too, on a machine that has nothing but the engines."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import gpu
from social_provenance.gradients.walk.store import NUMBERS

if TYPE_CHECKING:
    from pathlib import Path

METHODS = {"gradient_cosine", "influence", "trackstar"}
SPEARMAN, DEVIATION = 0.98, 0.05
"""Bounds that bf16 keeps: 0.999 and 0.02 were seen. Of walks that were broken on purpose the best, by the worst of the
methods, had 0.93 and 0.37: another projection, rows in another order, weights of 8 bits, attention of another scale, a
loss of another reduction."""


@pytest.mark.slow
def test_a_walk_and_unlearning_are_measured_without_kedro_and_agree_with_exact_gradients() -> None:
    command = [sys.executable, gpu.__file__, "--size", "tiny"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert set(found) == {
        *("device", "device_bytes", "cpu_threads", "versions", "model", "matrix_flops"),
        *(*gpu.PARTS, "foreign_modules", "wall_s"),
    }
    assert found["foreign_modules"] == []
    assert set(found["walk"]) == set(gpu.PRECISIONS)
    assert set(found["unlearning"]) == {"fp32", "bf16"}
    for one in [*found["walk"].values(), *(own[part] for own in found["unlearning"].values() for part in own)]:
        assert one["tokens_a_second"] > 0
        assert one["predicted_bytes"] > 0
        assert (one["peak_bytes"] is None) == (found["device"] == "cpu")
    assert found["walk"]["bf16"]["predicted_bytes"] < found["walk"]["fp32"]["predicted_bytes"]
    assert found["evaluation"]["items"] == gpu.SIZES["tiny"].items
    assert found["evaluation"]["requests_a_second"] > 0
    exact = found["agreement"]["with_fp64"]
    assert exact["fp32"]["gradients"] < 1e-5
    assert 1e-4 < exact["bf16"]["gradients"] < DEVIATION
    for compared in (exact["fp32"], exact["bf16"], found["agreement"]["with_fp32"]["bf16"]):
        assert {method for method in METHODS if compared[method]["spearman"] > SPEARMAN} == METHODS


def test_scores_of_other_documents_do_not_agree() -> None:
    rng = np.random.default_rng(0)
    scores = pd.DataFrame({"trackstar": rng.normal(size=24)})
    same = gpu.compare(scores, scores)["trackstar"]
    assert same == {"spearman": pytest.approx(1), "largest_relative_difference": 0}
    for broken in (scores.sample(frac=1, random_state=0).reset_index(drop=True), -scores):
        assert gpu.compare(broken, scores)["trackstar"]["spearman"] < SPEARMAN
    doubled = gpu.compare(2 * scores, scores)["trackstar"]
    assert doubled == {"spearman": pytest.approx(1), "largest_relative_difference": pytest.approx(1)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [(lambda rows: rows, 0), (lambda rows: rows * 1.5, 0.5), (lambda rows: rows[::-1], None)],
    ids=["same", "scaled", "of other documents"],
)
def test_the_deviation_is_that_of_the_worst_gradient(tmp_path: Path, change: Any, expected: float | None) -> None:
    rows = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    for name, numbers in (("exact", rows), ("walked", change(rows))):
        file = tmp_path / name / NUMBERS
        file.parent.mkdir(parents=True)
        np.ascontiguousarray(numbers).tofile(file)
        (file.parent / "info.json").write_text(json.dumps({"grad_sizes": {"a": 8}, "base_dtype": "float32"}))
    found = gpu.deviation(tmp_path / "walked", tmp_path / "exact")
    assert found > DEVIATION if expected is None else found == pytest.approx(expected, abs=1e-6)


def test_memory_is_compared_where_there_is_a_gpu() -> None:
    assert gpu.Measure(1.0, 110).memory(100) == {
        "peak_bytes": 110,
        "peak_to_predicted": 1.1,
        "predicted_bytes": 100,
    }
    assert gpu.Measure(1.0).memory(100) == {"peak_bytes": None, "peak_to_predicted": None, "predicted_bytes": 100}


def test_too_little_memory_is_reported_and_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    def walk(precision: str) -> None:
        raise torch.OutOfMemoryError(f"no memory for {precision}\nmore")

    assert gpu.tried(walk, "fp32") == {"out_of_memory": "no memory for fp32"}
    assert capsys.readouterr().out == ""


def test_without_lm_eval_the_evaluation_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "find_spec", lambda _: None)
    model: Any = None
    assert gpu.measure_evaluation(model, gpu.SIZES["tiny"]) == "lm-eval is not installed"


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gpu.main(["--parts", "wlak"])
    assert "unknown parts ['wlak']" in capsys.readouterr().err
