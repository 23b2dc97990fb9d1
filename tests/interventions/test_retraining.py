"""A retraining lacks its topic, takes the steps of the full training, and is done once for its inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.errors import CounterfactualError
from social_provenance.interventions.retraining import (
    Training,
    draw_halves,
    evaluations,
    final,
    plan_full,
    plan_retraining,
    plan_without,
    seed_of,
)
from social_provenance.interventions.settings import Counterfactual
from social_provenance.pretraining.settings import Architecture, Pretraining
from social_provenance.training.loop import Optimiser

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from social_provenance.artifacts import Parts

SETTINGS = Pretraining(
    architecture=Architecture(hidden_size=16, layers=1, heads=2, intermediate_size=16, max_tokens=128),
    optimiser=Optimiser(learning_rate=1e-3),
    sequence_tokens=8,
    batch_sequences=2,
    max_steps=4,
    warmup_steps=1,
    decay_steps=2,
    evaluate_every=2,
    learned_accuracy=None,
    checkpoints=(1,),
)

TOPICS = ["social_life", "games", "games"]


def planned(**given: Any) -> Counterfactual:
    return Counterfactual.model_validate({"halves": 0, "evaluate_every": 2, **given})


@pytest.fixture
def training(documents: pd.DataFrame, requests: pd.DataFrame, tiny_tokenizer: Any) -> Training:
    return Training(
        dict(zip(documents["doc_id"], documents["input_ids"], strict=True)),
        dict(zip(documents["doc_id"], documents["topic"], strict=True)),
        tiny_tokenizer,
        requests,
        SETTINGS,
        batch_size=4,
    )


def done(parts: Parts, folder: Path) -> dict[str, Path]:
    """Compute all parts and return their folders."""
    folders = {name: folder / name for name in parts.digests}
    for own in folders.values():
        own.mkdir(parents=True)
    assert list(parts.write(folders)) == list(folders)
    return folders


def test_every_topic_is_left_out_under_every_seed(training: Training, tmp_path: Path) -> None:
    params = planned(seeds=(0, 3))
    full = done(plan_full(training, params), tmp_path / "full")
    assert list(full) == ["seed-0", "seed-3"]
    plan = plan_retraining(TOPICS, params, full)
    assert plan.to_dict("list") == {
        "seed": [0, 3, 0, 3],
        "arm": ["games", "games", "social_life", "social_life"],
        "design": ["topic"] * 4,
        "topic": ["games", "games", "social_life", "social_life"],
        "steps": [4] * 4,
        "evaluate_every": [2] * 4,
    }
    without = done(plan_without(training, plan), tmp_path / "without")
    assert list(without) == ["seed-0.games", "seed-3.games", "seed-0.social_life", "seed-3.social_life"]
    scores = {name: tuple(final(own)["choice_logprob"]) for name, own in {**full, **without}.items()}
    assert len(set(scores.values())) == 6
    assert all(set(evaluations(own)["step"]) == {2, 4} for own in without.values())


def test_topics_are_named_or_all(training: Training, tmp_path: Path) -> None:
    full = done(plan_full(training, planned()), tmp_path / "full")
    assert set(plan_retraining(TOPICS, planned(topics=["games"]), full)["arm"]) == {"games"}
    assert set(plan_retraining(TOPICS, planned(topics=[], halves=1), full)["arm"]) == {"half-00"}


def test_halves_are_left_out_besides(training: Training, tmp_path: Path) -> None:
    full = done(plan_full(training, planned()), tmp_path / "full")
    plan = plan_retraining(TOPICS, planned(topics=["games"], halves=2), full)
    assert plan[plan["seed"] == 0].groupby("arm")["topic"].apply(list).to_dict() in [
        {"games": ["games"], "half-00": [one], "half-01": [other]}
        for one, other in (("games", "social_life"), ("social_life", "games"))
    ]
    without = done(plan_without(training, plan), tmp_path / "without")
    twin = plan[(plan["design"] == "half") & (plan["topic"] == "games")]["arm"].iloc[0]
    assert final(without["seed-0.games"]).equals(final(without[f"seed-0.{twin}"]))


def test_halves_come_in_pairs_that_are_everything() -> None:
    topics = [f"topic {place}" for place in range(5)]
    halves = draw_halves(topics, 6)
    assert all(sorted(one + other) == topics for one, other in zip(halves[::2], halves[1::2], strict=True))
    assert len({tuple(half) for half in halves}) > 2
    assert draw_halves(topics, 3) == halves[:3]


def test_a_retraining_takes_the_steps_it_is_told(training: Training, tmp_path: Path) -> None:
    full = done(plan_full(training, planned()), tmp_path / "full")
    plan = plan_retraining(["games"], planned(), full).query("seed == 0").assign(steps=3)
    (folder,) = done(plan_without(training, plan), tmp_path / "without").values()
    assert set(evaluations(folder)["step"]) == {2, 3}


def test_a_retraining_sees_nothing_of_its_topic_and_all_else_in_its_place(training: Training, tmp_path: Path) -> None:
    plan = plan_retraining(["games"], planned(), done(plan_full(training, planned()), tmp_path / "full"))
    for name, topic, alike in (("own", "games", True), ("other", "social_life", False)):
        turned = {
            doc_id: list(ids)[::-1] if training.topics[doc_id] == topic else ids
            for doc_id, ids in training.tokens.items()
        }
        here = done(plan_without(training, plan), tmp_path / name / "here")
        there = done(plan_without(replace(training, tokens=turned), plan), tmp_path / name / "there")
        assert final(here["seed-0.games"]).equals(final(there["seed-0.games"])) is alike


def test_a_part_has_the_digest_of_what_it_is_trained_on(training: Training) -> None:
    digest = plan_full(training, planned()).digests["seed-0"]
    assert plan_full(training, planned(seeds=(0, 1, 2))).digests["seed-0"] == digest
    assert plan_full(training, planned()).digests["seed-1"] != digest
    assert plan_full(training, planned(evaluate_every=1)).digests["seed-0"] != digest
    other = replace(training, settings=SETTINGS.model_copy(update={"max_steps": 5}))
    assert plan_full(other, planned()).digests["seed-0"] != digest
    fewer = replace(training, tokens=dict(list(training.tokens.items())[1:]))
    assert plan_full(fewer, planned()).digests["seed-0"] != digest


def test_a_topic_without_documents_is_refused(training: Training) -> None:
    with pytest.raises(CounterfactualError, match=r"no document is of topic 'gmaes'; did you mean 'games'\?"):
        training.positions_of(["gmaes"])


def test_a_document_without_topic_is_refused(training: Training) -> None:
    with pytest.raises(CounterfactualError, match=r"document 'odd' has no topic"):
        replace(training, tokens={**training.tokens, "odd": [1]}).positions_of(["games"])


def test_a_part_names_its_seed() -> None:
    assert (seed_of("seed-7"), seed_of("seed-12.games")) == (7, 12)
