"""What the weights of an untrained model can tell: words that a question shares with a document, and nothing else.

Eight topics, each with words of its own, and questions of other words, which go together with a
topic's words in further documents only. The words of a question are in no document of a topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset

from social_provenance.datasets import PartsFolder
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.collect import plan_corpus, plan_queries
from social_provenance.gradients.walk.store import GradientStore, query_stores
from social_provenance.language_model import LanguageModel, TrainedModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TOPICS, WORDS, FIRST = 8, 6, 10
FILLERS = range(200, 240)
DOCUMENTS, QUERIES = 10, 8
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class World:
    """Token sequences.

    Attributes:
        topics: Topic of each document.
        documents: Of the topic's own words.
        ties: Documents of both sets of words, outside the corpus that is scored.
        questions: Topic -> questions in the other words.
        repeats: Topic -> questions in the topic's own words.
    """

    topics: np.ndarray
    documents: list[list[int]]
    ties: list[list[int]]
    questions: list[list[list[int]]]
    repeats: list[list[list[int]]]


def _world(seed: int) -> World:
    rng = np.random.default_rng(seed)
    sets = np.arange(FIRST, FIRST + 2 * TOPICS * WORDS).reshape(2, TOPICS, WORDS)
    own, other = sets

    def draw(words: np.ndarray, length: int, fillers: float) -> list[int]:
        drawn = np.where(rng.random(length) < fillers, rng.choice(FILLERS, length), rng.choice(words, length))
        return [int(word) for word in drawn]

    return World(
        topics=np.repeat(np.arange(TOPICS), DOCUMENTS),
        documents=[draw(words, 24, 0.3) for words in own for _ in range(DOCUMENTS)],
        ties=[draw(np.concatenate(pair), 24, 0.3) for pair in zip(own, other, strict=True) for _ in range(DOCUMENTS)],
        questions=[[draw(words, 12, 0.0) for _ in range(QUERIES)] for words in other],
        repeats=[[draw(words, 12, 0.0) for _ in range(QUERIES)] for words in own],
    )


def _model(seed: int, tiny_model: Any) -> Any:
    from social_provenance.training.loop import seeded

    with seeded(seed):
        return type(tiny_model)(tiny_model.config).eval()


def _train(model: Any, rows: list[list[int]], steps: int = 9) -> Any:
    """Train until the words of a topic go together, and no longer: a saturated model has no gradient to show."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    tokens = torch.tensor(rows)
    for _ in range(steps):
        optimiser.zero_grad()
        model(input_ids=tokens, labels=tokens).loss.backward()
        optimiser.step()
    return model


def _area(model: Any, tokenizer: Any, world: World, asked: list[list[list[int]]], folder: Path) -> float:
    """Return the share of other topics that are below a question's own topic, mean over the topics."""
    TrainedModel(model, tokenizer).save(folder / "model")
    saved, settings = LanguageModel(str(folder / "model")), GradientSettings(projection_dim=8, max_tokens=64)
    sets = {f"b{topic}.items": _rows("item", rows, answer=3) for topic, rows in enumerate(asked)}
    stores = [PartsFolder(path=str(folder / name)) for name in ("corpus", "queries", "scores")]
    stores[0].save(plan_corpus(_rows("doc_id", world.documents), saved, settings, Distributed()))
    stores[1].save(plan_queries(sets, saved, settings, Distributed()))
    scoring = ScoringSettings(methods=("trackstar",), damping=1.0, target_component=20)
    stores[2].save(plan_scores(GradientStore(stores[0].load()), query_stores(stores[1].load()), scoring))
    areas = []
    for topic in range(TOPICS):
        table = pd.read_parquet(stores[2].load()[f"b{topic}"] / "scores.parquet").sort_values("doc_id")
        means = table["score"].groupby(world.topics).mean().to_numpy()
        areas.append((means < means[topic]).sum() / (TOPICS - 1))
    return float(np.mean(areas))


def _rows(id_column: str, rows: Sequence[list[int]], answer: int = 0) -> Dataset:
    columns: dict[str, Any] = {
        id_column: [f"row-{place:03d}" for place in range(len(rows))],
        "input_ids": list(rows),
        "length": [len(ids) for ids in rows],
        "bin_rank": [0] * len(rows),
    }
    if answer:
        columns["labels"] = [[-100] * (len(ids) - answer) + ids[-answer:] for ids in rows]
        columns["block"] = list(range(len(rows)))
    return Dataset.from_dict(columns)


@pytest.mark.slow
def test_random_weights_predict_nothing_where_no_word_is_shared_and_training_does(
    tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    """A half is chance; means over eight topics and three worlds, with a standard deviation of .07 by chance.

    Once trained, the model is moved most by the question's own topic, and away from it: a document of
    a topic's own words alone teaches that the other words, which could follow too, do not.
    """
    areas: dict[str, list[float]] = {"random": [], "trained": []}
    for seed in SEEDS:
        world = _world(seed)
        for kind, found in areas.items():
            model = _model(seed, tiny_model)
            if kind == "trained":
                _train(model, world.documents + 2 * world.ties)
            found.append(_area(model, tiny_tokenizer, world, world.questions, tmp_path / f"{kind}-{seed}"))
    assert abs(np.mean(areas["random"]) - 0.5) < 0.2
    assert np.mean(areas["trained"]) < 0.25


@pytest.mark.slow
def test_random_weights_see_the_words_that_a_question_shares_with_a_document(
    tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    """So they are a null for what was learned, and not for words."""
    world = _world(0)
    assert _area(_model(0, tiny_model), tiny_tokenizer, world, world.repeats, tmp_path) > 0.95
