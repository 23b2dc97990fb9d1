"""Split of a benchmark's items: attribution queries, and held-out items that measure interventions.

Forgetting a document that an item retrieved is likely to damage that very item. The claim is that it damages the
capability, so items that were queries do not measure the effect.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Literal, get_args

from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Use = Literal["attribution", "evaluation", "both"]
USES: tuple[Use, ...] = get_args(Use)
COLUMN = "use"

Answered = Literal["all", "right", "wrong"]
"""Which items are attributed, by the model's answers to them."""


def split_items(requests: pd.DataFrame, *, split: bool, seed: int) -> pd.DataFrame:
    """Assign a role to each item.

    Clusters are not split: items that share a context would leak into the other half. The halves depend on
    the benchmark's items, their clusters and the seed, not on other benchmarks or the order of rows.

    Args:
        requests: ``benchmark``, ``item``, ``cluster`` and further columns, one row per choice.
        split: Whether to split; otherwise every item is for ``both``.
        seed: Seed of the split.

    Returns:
        The rows with ``use``: ``attribution``, ``evaluation`` or ``both``.

    Raises:
        BenchmarkError: If a benchmark is a single cluster, so that one half would be empty.
    """
    if not split:
        return requests.assign(use="both")
    uses: dict[tuple[str, str], Use] = {}
    items = requests.drop_duplicates(["benchmark", "item"])
    for benchmark, rows in items.groupby("benchmark"):
        sizes = Counter(rows["cluster"])
        if len(sizes) < 2:
            raise BenchmarkError(
                f"benchmark {benchmark}: its {len(rows)} items share the cluster {next(iter(sizes))!r}, so none would "
                f"be left to evaluate: give more items, or set evaluation.split_items to false"
            )
        halves = deal_clusters(sizes, 2, random.Random(f"split {benchmark} {seed}"))
        uses |= {(str(benchmark), cluster): USES[half] for cluster, half in halves.items()}
    keys = zip(requests["benchmark"], requests["cluster"], strict=True)
    return requests.assign(use=[uses[key] for key in keys])


def items_for(requests: pd.DataFrame, use: Use) -> pd.DataFrame:
    """Select the rows of items with the role ``use``, and drop the column ``use``."""
    own = requests[requests[COLUMN].isin([use, "both"])]
    return own.drop(columns=COLUMN).reset_index(drop=True)


ANSWERS = {
    "benchmark": "object",
    "item": "object",
    "correct": "bool",
    "gold_logprob": "float64",
    "margin": "float64",
    "choice_logprob": "float64",
}
"""Columns of the answers that items are selected by -> type."""


def keep_answers(answers: pd.DataFrame | None) -> pd.DataFrame:
    """Return the columns of answers that select items; no rows where there are no answers."""
    import pandas as pd

    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in ANSWERS.items()})
    return empty if answers is None else answers[list(ANSWERS)]


def answered_items(requests: pd.DataFrame, answers: pd.DataFrame, which: Answered) -> pd.DataFrame:
    """Select the items that the model answers right, or those that it answers wrong.

    Args:
        requests: ``benchmark``, ``item`` and further columns, one row per choice.
        answers: ``benchmark``, ``item``, ``correct``, one row per item; not read for ``all``.
        which: ``all``, ``right`` or ``wrong``.

    Raises:
        BenchmarkError: If a benchmark has no such item; names it and counts its items.
    """
    if which == "all":
        return requests
    keys = ["benchmark", "item"]
    correct = answers.set_index(keys)["correct"].reindex(list(zip(*(requests[key] for key in keys), strict=True)))
    chosen = requests[(correct == (which == "right")).to_numpy()].reset_index(drop=True)
    for benchmark, rows in requests.groupby("benchmark", sort=False):
        if benchmark not in set(chosen["benchmark"]):
            raise BenchmarkError(
                f"benchmark {benchmark}: the model answers 0 of its {rows['item'].nunique()} attribution items {which} "
                f"and attribution.items is {which!r}: set it to 'all', or leave the benchmark out"
            )
    return chosen


def deal_clusters(sizes: Mapping[str, int], parts: int, rng: random.Random) -> dict[str, int]:
    """Assign clusters to parts with about equal numbers of items.

    Clusters are assigned largest first, those of one size in random order, each to the part that has
    the fewest items.

    Args:
        sizes: Cluster -> number of items.
        parts: Largest number of parts; with fewer clusters, one part per cluster.
        rng: Source of the order of clusters of one size.
    """
    clusters = sorted(sizes)
    rng.shuffle(clusters)
    clusters.sort(key=lambda cluster: -sizes[cluster])
    filled = [0] * min(parts, len(clusters))
    dealt = {}
    for cluster in clusters:
        dealt[cluster] = filled.index(min(filled))
        filled[dealt[cluster]] += sizes[cluster]
    return dealt
