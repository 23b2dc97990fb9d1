"""The leaderboard: a world that fails is named and left out, a run continues, a bank of other settings is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import leaderboard
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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Kedro, Bergson and lm-eval run in this process
def test_a_small_world_is_judged_once_and_a_bank_of_other_settings_is_refused(tmp_path: Path, capsys: Any) -> None:
    common = ["--worlds", "miniature:51", "--environment", "test", "--folder", str(tmp_path), "--seeds", "1"]
    asked = [*common, "--halves", "4", "--top", "1", "--roles", "--damping", "1"]
    asked += ["--methods", "trackstar,bm25"]
    page = tmp_path / "page.md"
    leaderboard.main([*asked, "--page", str(page)])
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["failed"] == {}
    measured = {(row["method"].split()[0], row["measure"]) for row in report["rows"] if row["n"]}
    for method in ("trackstar", "bm25"):
        assert {(method, name) for name in ("lds_value", "topic_auc", "qld", "cost")} <= measured
    assert ("mixture", "lds_value") in measured
    together = report["effects"]["miniature-51"]["all"]
    assert {role: len(effects) for role, effects in together.items()} == {"planted": 4, "decoy": 4}
    assert "`bm25`" in page.read_text()

    parts = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*/seed-*/log.parquet")}
    leaderboard.main(asked)
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert again["rows"] == report["rows"]
    assert parts == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*/seed-*/log.parquet")}

    with pytest.raises(SystemExit):
        leaderboard.main([*asked, "--evaluate-every", "10"])
    refused = json.loads(capsys.readouterr().out.splitlines()[-1])["failed"]["miniature-51"]
    assert "bank was made under other settings: evaluate_every was 20 and is 10" in refused
