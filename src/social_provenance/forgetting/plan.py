"""Plan the arms of an unlearning study before anything is trained."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.settings import ARMS, Arm, Unlearning

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Topic:
    """A topic's documents for one benchmark, most influential first."""

    benchmark: str
    name: str
    ids: list[str]
    lengths: dict[str, int]


def plan_runs(
    scores: pd.DataFrame, topics: pd.DataFrame, documents: pd.DataFrame, method: str, settings: Unlearning
) -> pd.DataFrame:
    """List every run of the study.

    Args:
        scores: Table of ``document_scores``.
        topics: Table of ``topic_influence``; a benchmark's topic is the one of largest ``z``.
        documents: ``doc_id``, ``topic``, ``length`` (tokens) of the working set.
        method: Whose scores choose topics and documents.
        settings: Arms, sizes, seeds.

    Returns:
        One row a run: ``run_id``, ``benchmark`` (the aligned one), ``topic``, ``arm``,
        ``algorithm``, ``seed``, ``steps``, ``forget_ids``, ``retain_ids``, ``forget_tokens``.

    Raises:
        UnlearningError: If a topic is too small to tell its arms apart.
    """
    import pandas as pd

    ours = scores[scores["method"] == method].merge(documents, on="doc_id")
    rows = []
    for benchmark, table in topics[topics["method"] == method].groupby("benchmark", sort=False):
        best = str(table.set_index("topic")["z"].idxmax())
        topic = _topic(str(benchmark), best, ours, settings)
        for seed in settings.seeds:
            retain = _retain(documents, best, settings.retain_per_topic, seed)
            rows += [_row(topic, arm, retain, seed, settings) for arm in ARMS]
    return pd.DataFrame(rows)


def _topic(benchmark: str, name: str, scores: pd.DataFrame, settings: Unlearning) -> _Topic:
    own = scores[(scores["benchmark"] == benchmark) & (scores["topic"] == name)]
    ranked = own.sort_values(["score", "doc_id"], ascending=[False, True])
    if len(ranked) <= settings.forget_documents:
        raise UnlearningError(
            f"topic {name} has {len(ranked)} documents and unlearning.forget_documents is "
            f"{settings.forget_documents}: lower it, or no random set can differ from the influential one"
        )
    lengths = dict(zip(ranked["doc_id"], ranked["length"].astype(int), strict=True))
    return _Topic(benchmark, name, list(ranked["doc_id"]), lengths)


def _row(topic: _Topic, arm: Arm, retain: list[str], seed: int, settings: Unlearning) -> dict[str, Any]:
    influential = topic.ids[: settings.forget_documents]
    chosen = influential if arm == "influence_in_topic" else _matched(topic, influential, settings.neighbours, seed)
    return {
        "run_id": f"{topic.benchmark}.{topic.name}.{arm}.{settings.algorithm}.{seed}",
        "benchmark": topic.benchmark,
        "topic": topic.name,
        "arm": arm,
        "algorithm": settings.algorithm,
        "seed": seed,
        "steps": settings.steps,
        "forget_ids": chosen,
        "retain_ids": retain,
        "forget_tokens": sum(topic.lengths[doc_id] for doc_id in chosen),
    }


def _matched(topic: _Topic, influential: list[str], neighbours: int, seed: int) -> list[str]:
    """Draw a random set of the topic: for each influential document one of about its length.

    Any document of the topic may be drawn, an influential one too: the null is "documents of this
    topic", not "documents of this topic that matter less".
    """
    rng = random.Random(f"random_in_topic {topic.benchmark} {topic.name} {seed}")
    left = list(topic.ids)  # a set would have another order, and the draw another result, in each process
    chosen = []
    for doc_id in rng.sample(influential, len(influential)):
        target = topic.lengths[doc_id]
        near = sorted(left, key=lambda other: (abs(topic.lengths[other] - target), rng.random()))
        chosen.append(rng.choice(near[:neighbours]))
        left.remove(chosen[-1])
    return chosen


def _retain(documents: pd.DataFrame, topic: str, per_topic: int, seed: int) -> list[str]:
    rng = random.Random(f"retain {topic} {seed}")
    chosen: list[str] = []
    for name, rows in documents[documents["topic"] != topic].groupby("topic"):
        ids = sorted(rows["doc_id"])
        chosen += rng.sample(ids, min(per_topic, len(ids)))
        del name
    if not chosen:
        raise UnlearningError(
            f"no document outside topic {topic} is there to be retained: give documents of other topics"
        )
    return chosen
