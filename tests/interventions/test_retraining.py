"""A retraining lacks its topic, takes the steps of the full training, and is done once for its inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.errors import CounterfactualError
from social_provenance.interventions.retraining import (
    Training,
    final,
    plan_full,
    plan_retraining,
    plan_without,
    seed_of,
)
from social_provenance.pretraining.loop import Optimiser
from social_provenance.pretraining.pretrain import Architecture, Pretraining

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
    full = done(plan_full(training, (0, 3)), tmp_path / "full")
    assert list(full) == ["seed-0", "seed-3"]
    plan = plan_retraining(["games", "social_life"], full)
    assert plan.to_dict("list") == {
        "seed": [0, 0, 3, 3],
        "topic": ["games", "social_life"] * 2,
        "steps": [4] * 4,
    }
    without = done(plan_without(training, plan), tmp_path / "without")
    assert list(without) == ["seed-0.games", "seed-0.social_life", "seed-3.games", "seed-3.social_life"]
    scores = {name: tuple(final(own)["choice_logprob"]) for name, own in {**full, **without}.items()}
    assert len(set(scores.values())) == 6
    assert all(set(final(own)["step"]) == {4} for own in without.values())


def test_a_retraining_takes_the_steps_it_is_told(training: Training, tmp_path: Path) -> None:
    plan = plan_retraining(["games"], done(plan_full(training, (0,)), tmp_path / "full")).assign(steps=3)
    (folder,) = done(plan_without(training, plan), tmp_path / "without").values()
    assert set(final(folder)["step"]) == {3}


def test_leaving_nothing_out_is_the_full_training(training: Training, tmp_path: Path) -> None:
    more = replace(training, tokens={**training.tokens, "odd": [1, 2, 3]}, topics={**training.topics, "odd": "health"})
    full = done(plan_full(training, (0,)), tmp_path / "full")
    again = done(plan_without(more, plan_retraining(["health"], full)), tmp_path / "again")
    assert final(again["seed-0.health"]).equals(final(full["seed-0"]))


def test_a_part_has_the_digest_of_what_it_is_trained_on(training: Training) -> None:
    digest = plan_full(training, (0,)).digests["seed-0"]
    assert plan_full(training, (0, 1)).digests["seed-0"] == digest
    assert plan_full(training, (1,)).digests["seed-1"] != digest
    other = replace(training, settings=SETTINGS.model_copy(update={"max_steps": 5}))
    assert plan_full(other, (0,)).digests["seed-0"] != digest
    fewer = replace(training, tokens=dict(list(training.tokens.items())[1:]))
    assert plan_full(fewer, (0,)).digests["seed-0"] != digest


def test_a_topic_without_documents_is_refused(training: Training) -> None:
    with pytest.raises(CounterfactualError, match=r"no document is of topic 'gmaes'; did you mean 'games'\?"):
        training.without("gmaes")


def test_a_document_without_topic_is_refused(training: Training) -> None:
    with pytest.raises(CounterfactualError, match=r"document 'odd' has no topic"):
        replace(training, tokens={**training.tokens, "odd": [1]}).without("games")


def test_a_part_names_its_seed() -> None:
    assert (seed_of("seed-7"), seed_of("seed-12.games")) == (7, 12)
