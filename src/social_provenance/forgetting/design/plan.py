"""Contrasts and runs of an unlearning study, planned before anything is trained."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of
from social_provenance.forgetting.design.matching import Pool, balance, draw_matched
from social_provenance.forgetting.vocabulary import ARMS, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from social_provenance.forgetting.settings import Unlearning
    from social_provenance.forgetting.vocabulary import Scope

logger = logging.getLogger(__name__)

REGION = ["topic", "format"]
POOL_LIMIT = 50_000
"""Upper bound on the documents that random sets are drawn from: of larger pools the targeted ones and a random part."""


@dataclass(frozen=True)
class Contrast:
    """A targeted set of documents with its random sets, and the documents that all their runs share.

    Attributes:
        benchmark: Aligned benchmark, whose influential documents are targeted.
        topic: Topic of all sets; None for the whole corpus.
        pool: Documents that random sets are drawn from.
        targeted: Ids of the most influential documents.
        controls: Ids of each random set.
        retain: Ids of the retained documents.
        held_out: Ids of the held-out documents, which measure collateral damage.
    """

    benchmark: str
    topic: str | None
    pool: Pool
    targeted: list[str]
    controls: list[list[str]]
    retain: list[str]
    held_out: list[str]

    @property
    def scope(self) -> Scope:
        return "topic" if self.topic else "global"

    @property
    def name(self) -> str:
        return f"{self.benchmark}.{self.topic or 'global'}"


def refuse_small_topics(sizes: Mapping[str, int], settings: Unlearning) -> None:
    """Refuse a study that cannot be planned whichever topics lead, before the documents are attributed to.

    Args:
        sizes: Topic -> its documents in the working set.
        settings: Number of documents that are forgotten.

    Raises:
        UnlearningError: If no topic has more documents than are forgotten, or there is a single topic.
    """
    largest = max(sizes, key=lambda topic: (sizes[topic], topic))
    if sizes[largest] <= settings.forget_documents:
        raise UnlearningError(
            f"the largest topic, {largest}, has {sizes[largest]} documents and unlearning.forget_documents is "
            f"{settings.forget_documents}: lower it, or raise working_set.per_bin or attribution.per_bin"
        )
    if len(sizes) == 1:
        raise UnlearningError(
            f"all documents have topic {largest}, so none outside it is left to retain: give documents of other topics"
        )
    small = {topic: size for topic, size in sizes.items() if size <= settings.forget_documents}
    if small:
        logger.warning(
            "%d of %d topics, such as %s with %d documents, have no more than unlearning.forget_documents (%d): "
            "unlearning ends if one of them leads a benchmark; lower it to keep them",
            *(len(small), len(sizes), min(small), small[min(small)], settings.forget_documents),
        )


def choose_contrasts(
    scores: pd.DataFrame, topics: pd.DataFrame, documents: pd.DataFrame, settings: Unlearning
) -> list[Contrast]:
    """Choose the forget, retain and held-out documents of every contrast.

    Args:
        scores: ``doc_id``, ``benchmark``, ``score``, ``loss``, ``grad_norm`` by one method.
        topics: ``benchmark``, ``topic``, ``z`` by the same method.
        documents: ``doc_id``, ``topic``, ``format``, ``length`` (tokens) of the working set.
        settings: Number of topics and sets, sizes.

    Raises:
        UnlearningError: If a topic has no documents beyond the targeted ones, or none are left to retain.
    """
    table = scores.merge(documents, on="doc_id").sort_values(["score", "doc_id"], ascending=[False, True])
    contrasts = []
    for benchmark, topic_rows in topics.groupby("benchmark", sort=False):
        scored = table[table["benchmark"] == benchmark]
        ranked = topic_rows.dropna(subset="z").sort_values(["z", "topic"], ascending=[False, True])
        leading = ranked["topic"].head(settings.topics)
        contrasts += [
            _contrast(str(benchmark), str(topic), scored, settings.random_sets, settings) for topic in leading
        ]
        if settings.global_sets:
            contrasts.append(_contrast(str(benchmark), None, scored, settings.global_sets, settings))
    return contrasts


def list_runs(contrasts: Iterable[Contrast], lengths: pd.Series[int], settings: Unlearning) -> pd.DataFrame:
    """List every run: each targeted set once per order seed, each random set once.

    Args:
        contrasts: Of :func:`choose_contrasts`.
        lengths: Document id -> tokens.
        settings: Algorithms, order seeds, steps.

    Returns:
        ``run_id``, ``benchmark``, ``topic`` (null for the whole corpus), ``scope``, ``arm``, ``set``
        (0 for the targeted one), ``algorithm``, ``seed`` (of the order), ``steps``, ``forget_tokens``,
        ``forget_ids``, ``retain_ids``, ``held_out_ids`` and ``digest`` of the whole row.
    """
    import pandas as pd

    return pd.DataFrame([row for contrast in contrasts for row in _rows(contrast, lengths, settings)])


def balance_sets(contrasts: Iterable[Contrast]) -> pd.DataFrame:
    """Return the balance of each random set against its targeted one.

    Returns:
        ``benchmark``, ``topic``, ``scope``, ``set``, and the columns of
        :func:`social_provenance.forgetting.design.matching.balance`.
    """
    import pandas as pd

    rows = [
        {"benchmark": one.benchmark, "topic": one.topic, "scope": one.scope, "set": number, **row}
        for one in contrasts
        for number, control in enumerate(one.controls)
        for row in balance(one.pool, one.targeted, control)
    ]
    return pd.DataFrame(rows)


def _contrast(benchmark: str, topic: str | None, table: pd.DataFrame, sets: int, settings: Unlearning) -> Contrast:
    rng = random.Random(f"sets {benchmark} {topic} {settings.seed}")
    candidates = table if topic is None else table[table["topic"] == topic]
    size = settings.forget_documents
    if len(candidates) <= size:
        where = f"topic {topic}" if topic else "the working set"
        raise UnlearningError(
            f"{where} has {len(candidates)} documents and unlearning.forget_documents is {size}: lower it, so that "
            f"random sets can differ from the influential one"
        )
    targeted = candidates["doc_id"].head(size).tolist()
    pool = Pool.of(_thin(candidates, size, rng)[["doc_id", *VARIABLES]])
    controls = [draw_matched(pool, targeted, settings.matching, rng) for _ in range(sets)]
    used = {*targeted, *(doc_id for control in controls for doc_id in control)}
    free = table[~table["doc_id"].isin(used)]
    retain = _retain(free, topic, rng, settings.retain_per_topic)
    left = free[~free["doc_id"].isin(retain)]
    return Contrast(benchmark, topic, pool, targeted, controls, retain, _held_out(left, rng, settings.held_out.per_bin))


def _thin(ranked: pd.DataFrame, targeted: int, rng: random.Random) -> pd.DataFrame:
    """Return the targeted (first) rows and a random part of the others."""
    if len(ranked) <= POOL_LIMIT:
        return ranked
    others = rng.sample(range(targeted, len(ranked)), POOL_LIMIT - targeted)
    return ranked.iloc[[*range(targeted), *sorted(others)]]


def _rows(contrast: Contrast, lengths: pd.Series[int], settings: Unlearning) -> Iterator[dict[str, Any]]:
    targeted, control = ARMS[contrast.scope]
    seeds = settings.order_seeds
    sets = [(targeted, 0, seed, contrast.targeted) for seed in seeds]
    sets += [(control, number, seeds[number % len(seeds)], ids) for number, ids in enumerate(contrast.controls)]
    for algorithm in settings.algorithms:
        for arm, number, seed, ids in sets:
            row = {
                "run_id": f"{contrast.name}.{arm}.{number}.{algorithm.name}.{seed}",
                "benchmark": contrast.benchmark,
                "topic": contrast.topic,
                "scope": contrast.scope,
                "arm": arm,
                "set": number,
                "algorithm": algorithm.name,
                "seed": seed,
                "steps": settings.steps,
                "forget_tokens": int(lengths.loc[ids].sum()),
                "forget_ids": ids,
                "retain_ids": contrast.retain,
                "held_out_ids": contrast.held_out,
            }
            yield {**row, "digest": digest_of(row)}


def _retain(free: pd.DataFrame, topic: str | None, rng: random.Random, per_topic: int) -> list[str]:
    """Draw documents of every other topic, its formats in turn."""
    chosen: list[str] = []
    for _, rows in free[free["topic"] != topic].groupby("topic"):
        chosen += _in_turn(rows, "format", rng)[:per_topic]
    if not chosen:
        outside = f"outside topic {topic} " if topic else ""
        raise UnlearningError(f"no document {outside}is left to retain: give more documents, or forget fewer")
    return chosen


def _held_out(left: pd.DataFrame, rng: random.Random, per_bin: int) -> list[str]:
    chosen: list[str] = []
    for _, rows in left.groupby(REGION):
        ids = sorted(rows["doc_id"])
        chosen += rng.sample(ids, min(per_bin, len(ids)))
    return chosen


def _in_turn(rows: pd.DataFrame, column: str, rng: random.Random) -> list[str]:
    """Return ids round-robin over the values of a column, each round in a random order."""
    decks: list[Sequence[str]] = [
        rng.sample(ids, len(ids)) for ids in (sorted(own["doc_id"]) for _, own in rows.groupby(column))
    ]
    order = []
    for dealt in zip_longest(*decks):
        present = [doc_id for doc_id in dealt if doc_id is not None]
        order += rng.sample(present, len(present))
    return order
