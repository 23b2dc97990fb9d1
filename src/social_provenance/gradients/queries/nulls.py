"""Null variants of the queries: what a benchmark's map is compared with.

A null keeps the form of the queries and breaks some of their content, a negative control. In the order of what
they break:

- ``shuffled_answers``: a random permutation of a benchmark's gold answers among its prompts. The answers are
  still the benchmark's own: where answers are texts that name its subject, this is no null for topics, and
  tests only which answer belongs to which prompt. As few items as possible keep the text of their own
  answer: none, unless one text is the answer of more than half of the items (of m among n: 2 m - n keep it).
- ``wrong_answers``: a wrong choice of the same item, as if it were the gold one. Words and subject of the
  question stay, and what is asked is untrue.
- ``other_benchmark``: the prompts of a benchmark with gold answers of another one. The benchmarks stand in a
  random cycle, so that each gives its answers to exactly one other; they are dealt at random, equally often.
- ``generic_text``: the beginning of a document, cut to as many prompt and answer tokens as the item has. The
  beginning, because start tokens stand there as they do in a prompt. No document serves a second item while
  another that is long enough has served none, and one that is too short for an item does not serve it. If all
  are too short, the item gets a longest one, all its answer's tokens, and the rest as prompt: that prompt is
  shorter than the item's.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from social_provenance.errors import AttributionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

logger = logging.getLogger(__name__)

Null = Literal["shuffled_answers", "wrong_answers", "other_benchmark", "generic_text"]
NULLS: tuple[Null, ...] = get_args(Null)
"""Variants that keep the form of the queries and break their content."""


@dataclass(frozen=True)
class NullSources:
    """What the nulls of a study are made of.

    Attributes:
        items: Benchmark -> its items as queries, sorted by item; ``text`` is the text of the gold answer.
        requests: Every choice of every item.
        documents: Token ids of documents outside the working set, of :func:`longest_first`.
        seed: Seed of all random choices.
    """

    items: Mapping[str, pd.DataFrame]
    requests: pd.DataFrame
    documents: list[tuple[int, ...]]
    seed: int


def make_null(null: Null, benchmark: str, sources: NullSources) -> pd.DataFrame:
    """Return one null of one benchmark as queries without blocks.

    Args:
        null: Name of the variant.
        benchmark: Name of the benchmark.
        sources: Items, choices and documents.

    Raises:
        AttributionError: If an item cannot have this null, with the item, the null and the fix.
    """
    rng = random.Random(f"{null} {benchmark} {sources.seed}")
    items = sources.items[benchmark].assign(variant=null)
    match null:
        case "shuffled_answers":
            return _shuffle_answers(items, rng)
        case "wrong_answers":
            return _take_wrong_choices(items, sources.requests, rng)
        case "other_benchmark":
            return _take_answers_of(items, sources.items[_giver(items, sources)], rng)
        case "generic_text":
            return _replace_texts(items, sources.documents, rng)


def _shuffle_answers(items: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    answers = items["answer_ids"].tolist()
    return items.assign(answer_ids=[answers[source] for source in _permute(items["text"].tolist(), rng)])


def _permute(texts: list[str], rng: random.Random) -> list[int]:
    """Return for each item the item whose text it gets; as few as possible keep their own text.

    An item that got its own text t swaps with one that neither had nor got t. Such an item exists unless
    the items that had or got t are all n: with m items that had t, m that got it and f that did both,
    2 m - f = n, the smallest possible f. No swap gives an item its own text.
    """
    ids = np.unique(texts, return_inverse=True)[1]
    sources = np.array(rng.sample(range(len(ids)), len(ids)))
    for item, text in enumerate(ids):
        if ids[sources[item]] != text:
            continue
        others = np.flatnonzero((ids != text) & (ids[sources] != text))
        if len(others):
            other = others[rng.randrange(len(others))]
            sources[[item, other]] = sources[[other, item]]
    return [int(source) for source in sources]


def _take_wrong_choices(items: pd.DataFrame, requests: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    benchmark = items["benchmark"].iloc[0]
    wrong = requests[(requests["benchmark"] == benchmark) & ~requests["is_gold"]]
    choices: dict[str, list[Any]] = {}
    for row in wrong.sort_values("choice").to_dict("records"):
        choices.setdefault(row["item"], []).append(row)
    chosen = []
    for item in items["item"]:
        if item not in choices:
            raise AttributionError(
                f"benchmark {benchmark}, item {item}: it has one choice, so the null 'wrong_answers' has no wrong one "
                f"to take: give the item another choice, or leave 'wrong_answers' out of attribution.nulls"
            )
        chosen.append(choices[item][rng.randrange(len(choices[item]))])
    # The prompt too is the choice's own: in some tasks the choices are prompts and the completion is shared.
    tokens: dict[str, list[Any]] = {
        "prompt_ids": [_ints(row["prompt_ids"]) for row in chosen],
        "answer_ids": [_ints(row["completion_ids"]) for row in chosen],
    }
    return items.assign(**tokens)


def _giver(items: pd.DataFrame, sources: NullSources) -> str:
    """Return the benchmark whose answers a benchmark gets: the next one in a random cycle."""
    cycle = sorted(sources.items)
    if len(cycle) < 2:
        raise AttributionError(
            f"benchmark {items['benchmark'].iloc[0]}, item {items['item'].iloc[0]}: it is of the only benchmark, so "
            f"the null 'other_benchmark' has no other one to take an answer of: give a second benchmark, or leave "
            f"'other_benchmark' out of attribution.nulls"
        )
    random.Random(f"other_benchmark {sources.seed}").shuffle(cycle)
    return cycle[(cycle.index(items["benchmark"].iloc[0]) + 1) % len(cycle)]


def _take_answers_of(items: pd.DataFrame, givers: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    answers = givers["answer_ids"].tolist()
    dealt: list[Any] = []
    while len(dealt) < len(items):
        dealt += rng.sample(answers, len(answers))
    return items.assign(answer_ids=dealt[: len(items)])


def longest_first(held_out: Iterable[Sequence[int]] | None) -> list[tuple[int, ...]]:
    """Return distinct documents in an order that does not depend on the input's.

    Raises:
        AttributionError: If there are none.
    """
    documents = {tuple(int(token) for token in document) for document in held_out or ()}
    if not documents:
        raise AttributionError(
            "attribution.nulls: 'generic_text' needs documents outside the working set and there are none: "
            "lower attribution.per_bin, or leave it out of attribution.nulls"
        )
    return sorted(documents, key=lambda document: (-len(document), document))


def _replace_texts(items: pd.DataFrame, documents: list[tuple[int, ...]], rng: random.Random) -> pd.DataFrame:
    """Give each item the beginning of one of the documents used least, longest item first."""
    prompts, answers = items["prompt_ids"].tolist(), items["answer_ids"].tolist()
    lengths = np.array([len(document) for document in documents])
    longest, served, cut = int(lengths[0]), np.zeros(len(documents), dtype=int), 0
    for row in sorted(range(len(items)), key=lambda row: -len(prompts[row]) - len(answers[row])):
        answer = len(answers[row])
        tokens = len(prompts[row]) + answer
        if tokens > longest:
            _check_answer(items.iloc[row], longest)
            tokens, cut = longest, cut + 1
        fit = served[lengths >= tokens]  # the first ones
        chosen = rng.choice(np.flatnonzero(fit == fit.min()).tolist())
        served[chosen] += 1
        passage = documents[chosen][:tokens]
        prompts[row], answers[row] = list(passage[:-answer]), list(passage[-answer:])
    if cut:
        said = "%s: %d of %d items are longer than any held-out document (%d tokens): their generic prompts are shorter"
        logger.warning(said, items["benchmark"][0], cut, len(items), longest)
    return items.assign(prompt_ids=prompts, answer_ids=answers)


def _check_answer(item: pd.Series[Any], longest: int) -> None:
    tokens = len(item["answer_ids"])
    if tokens >= longest:
        raise AttributionError(
            f"benchmark {item['benchmark']}, item {item['item']}: its answer has {tokens} tokens and the longest "
            f"document outside the working set {longest}: lower attribution.per_bin for more documents, or leave "
            f"'generic_text' out of attribution.nulls"
        )


def _ints(ids: Sequence[int]) -> list[int]:
    return [int(token) for token in ids]
