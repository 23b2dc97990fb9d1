"""The leaderboard: a world that fails is named and left out, a run continues, a bank of other settings is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import leaderboard
from board.bank import arm
from board.worlds import Truth
from social_provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

WORLDS = "miniature:51,miniature:52,miniature:53"


def test_a_world_that_failed_is_named_left_out_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge_world(world: Any, _: Namespace) -> tuple[pd.DataFrame, dict[str, float]]:
        if world.name == "miniature-52":
            raise ProvenanceError("the model answers nothing")
        row = {"method": "m", "world": world.name, "seed": 0, "benchmark": "a", "measure": "topic_auc", "value": 0.5}
        return pd.DataFrame([row]), {}

    monkeypatch.setattr(leaderboard, "judge_world", judge_world)
    report = leaderboard.judge(leaderboard.read_arguments(["--worlds", WORLDS, "--folder", str(tmp_path)]))
    assert report["failed"] == {"miniature-52": "the model answers nothing"}
    assert report["n_failed"] == 1
    assert report["worlds"] == ["miniature-51", "miniature-53"]
    (overall,) = [row for row in report["rows"] if row["world"] == "all"]
    assert overall["n"] == 2
    json.dumps(report, allow_nan=False)


def test_the_datamodel_of_clean_effects_predicts_unseen_halves() -> None:
    rng = np.random.default_rng(0)
    topics, worth = [f"t{k}" for k in range(4)], np.array([2.0, 1, -1, 0])
    effects, plan = [], []
    for number in range(20):
        left_out = rng.choice(4, 2, replace=False)
        arm = f"half-{number:02d}"
        for seed in (0, 1):
            effects.append(
                {"arm": arm, "design": "half", "benchmark": "a", "seed": seed, "effect": -worth[left_out].sum()}
            )
            plan += [{"arm": arm, "design": "half", "topic": topics[k], "seed": seed} for k in left_out]
    found = leaderboard.measure_mixture(pd.DataFrame(effects), pd.DataFrame(plan), Truth({"t0": "a"}))
    values = found.groupby("measure")["value"].mean()
    assert values["lds_value"] > 0.95
    assert values["topic_auc"] == 1


def test_all_topics_of_a_role_are_left_out_together_and_judged_by_their_benchmark() -> None:
    truth = Truth({"p1": "a", "p2": "a", "p3": "b"}, {"d1": "a", "d2": "b", "d3": "b"})
    worth = {"p1": -1.0, "p2": -2.0, "p3": -4.0, "d1": 0.5, "d2": 0.25, "d3": 0.125}

    class Retrained:
        def remove(self, sets: Any) -> pd.DataFrame:
            rows = [
                {
                    "arm": arm(topics),
                    "benchmark": benchmark,
                    "seed": seed,
                    "effect": sum(worth[t] for t in topics) + away,
                }
                for topics in sets
                for benchmark, away in (("a", 0), ("b", 100))
                for seed, away in ((0, away - 1), (1, away + 1))
            ]
            return pd.DataFrame(rows)

    assert leaderboard.effects_together(Retrained(), truth) == {
        "planted": {"a": -3.0, "b": 96.0},
        "decoy": {"a": 0.5, "b": 100.375},
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Kedro, Bergson and lm-eval run in this process
def test_a_small_world_is_judged_once_and_a_bank_of_other_settings_is_refused(tmp_path: Path, capsys: Any) -> None:
    common = ["--worlds", "miniature:51", "--environment", "test", "--folder", str(tmp_path), "--seeds", "1"]
    asked = [*common, "--halves", "4", "--top", "1", "--damping", "1"]
    asked += ["--methods", "trackstar,bm25,unrolling,magic", "--checkpoints", "2", "--segments", "1"]
    page = tmp_path / "page.md"
    leaderboard.main([*asked, "--page", str(page)])
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["failed"] == {}
    measured = {(row["method"].split()[0], row["measure"]) for row in report["rows"] if row["n"]}
    for method in ("trackstar", "bm25", "unrolling", "magic"):
        assert {(method, name) for name in ("lds_value", "topic_auc", "qld", "cost")} <= measured
    assert ("mixture", "lds_value") in measured
    assert "`bm25`" in page.read_text()

    parts = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*/seed-*/log.parquet")}
    leaderboard.main(asked)
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert again["rows"] == report["rows"]
    assert parts == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*/seed-*/log.parquet")}

    with pytest.raises(SystemExit):
        leaderboard.main([*asked, "--evaluate-every", "5"])
    refused = json.loads(capsys.readouterr().out.splitlines()[-1])["failed"]["miniature-51"]
    assert "bank was made under other settings: evaluate_every was 10 and is 5" in refused
