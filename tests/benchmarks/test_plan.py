"""The comparison of a plan with a study: stages are sums of their nodes, and the worst ratio is the farthest from 1."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    spec = importlib.util.spec_from_file_location("plan_benchmark", BENCHMARKS / "plan.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _row(stage: str, seconds: float | None) -> dict[str, Any]:
    hours = None if seconds is None else seconds / 3600
    return {"stage": stage, "hours": hours, "host_gigabytes": 1.0, "disk_gigabytes": 0.5}


def test_nodes_are_summed_to_stages_and_those_of_a_few_seconds_are_not_judged(benchmark: Any) -> None:
    took = {
        "read_shards": {"wall_s": 4.0, "cpu_s": 4.0},
        "clean_documents": {"wall_s": 6.0, "cpu_s": 6.0},
        "count_records": {"wall_s": 4.0, "cpu_s": 4.0},
        "forget_documents": {"wall_s": 40.0, "cpu_s": 40.0},
        "write_report": {"wall_s": 8.0, "cpu_s": 8.0},
    }
    plan = {"stages": [_row("read", 40.0), _row("clean", 20.0), _row("unlearn", 20.0), _row("report", None)]}
    study = {"nodes": took, "host_bytes": 2e9, "disk_bytes": 1e9}
    found = benchmark.compare(plan, study, {"unlearn": 2})
    assert found["stages"]["clean"] == {
        "measured_s": 10.0, "alone_s": 10.0, "predicted_s": 20.0, "ratio": 2.0, "alone": 2.0,
    }  # fmt: skip
    assert "ratio" not in found["stages"]["read"]
    assert "ratio" not in found["stages"]["report"]
    assert found["stages"]["unlearn"]["alone"] == 1.0
    assert found["worst"] == {"ratio": ["clean", 2.0], "alone": ["clean", 2.0]}
    assert found["total"]["measured_s"] == 62.0
    assert found["disk_gigabytes"] == {"predicted": 2.0, "measured": 1.0}


def test_half_is_as_far_as_twice(benchmark: Any) -> None:
    assert benchmark.worst({"one": 0.4, "other": 2.4}) == ["one", 0.4]
    assert benchmark.worst({}) == []
