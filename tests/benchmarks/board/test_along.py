"""Methods that follow the training: planned once, sums of topics, own documents ranked, other settings refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from board import along
from board.along import Along, plan_along, rank_own, sum_topics
from board.magic import ALL, SPANS
from board.unrolling import SGD, Unrolling
from board.worlds import Truth
from leaderboard import read_map
from social_provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from pathlib import Path

    from board.replay import Replay


def test_only_methods_that_follow_the_training_are_planned_with_their_settings() -> None:
    asked = ["bm25", "unrolling", "magic", "magic", "trak_ensemble", "rerank"]
    assert [own.label for own in plan_along(asked, Unrolling(8, 2, SGD), SPANS)] == [
        *("unrolling sgd checkpoints=8 segments=2", "magic all", "magic decay"),
        *("trak_ensemble checkpoints=8", "rerank recall=0.1"),
    ]
    with pytest.raises(ProvenanceError, match="--magic: 'end' is no part of a training: choose among all, decay"):
        plan_along(["magic"], Unrolling(), ["end"])


def test_a_topic_has_the_sum_of_its_documents() -> None:
    found = sum_topics({"a": np.array([1.0, 2, 3, -6]), "b": np.array([0.0, 0, 0, 1])}, ["x", "y", "x", "z"])
    wide = found.pivot(index="topic", columns="benchmark", values="z")
    assert wide["a"].to_numpy() == pytest.approx((np.array([4, 2, -6])) / np.std([4, 2, -6]))
    assert wide["b"].idxmax() == "z"


def test_own_documents_are_ranked_by_the_item_that_asks_for_them(replay: Replay) -> None:
    truth = Truth({}, authors=dict.fromkeys(replay.doc_ids, 0), own={"social": ["d03"], "stem": ["d00"]})
    scores = np.stack([np.arange(16.0), np.arange(16.0)], axis=1)
    scores[3, 0] = 99
    ranks = rank_own(replay, scores, truth).set_index("benchmark")["rank"]
    assert ranks.to_dict() == {"social": 1.0, "stem": 0.0}
    assert rank_own(replay, None, truth).empty


def test_a_method_is_scored_once_and_read_as_any_other(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def score(_: Replay, span: str) -> dict[str, np.ndarray]:
        asked.append(span)
        return {"social": np.array([float(topic == "rods") for topic in replay.topics])}

    monkeypatch.setattr(along, "score_magic", score)
    monkeypatch.setattr(along, "Replay", SimpleNamespace(of=lambda _: replay))
    study: Any = SimpleNamespace(own=tmp_path)
    truth = Truth({"rods": "social"}, {"cold": "social"})
    for _ in range(2):
        topics, extra = read_map(Along("magic", ALL).score(study, truth), "magic", "magic", truth)
    assert asked == [ALL]
    assert topics.set_index("role")["value"].idxmax() == "planted"
    assert set(topics["role"]) == {"planted", "decoy", "other"}
    assert extra["measure"].tolist() == ["cost"]
    assert isinstance(topics, pd.DataFrame)
    monkeypatch.setattr(along, "version", lambda _: "0")
    with pytest.raises(ProvenanceError, match=r"magic-all was made under other settings: versions\.bergson"):
        Along("magic", ALL).score(study, truth)
