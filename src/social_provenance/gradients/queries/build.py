"""Queries of a benchmark, their null variants, and the blocks that a bootstrap resamples.

A query is an item with its gold answer, with a loss on the answer's tokens only. A null variant keeps
the form of the queries and breaks their content: it is a negative control. A later bootstrap over
queries draws blocks: items that share a cluster are not independent, so they are in one block.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from social_provenance.capabilities.split import deal_clusters
from social_provenance.errors import AttributionError
from social_provenance.gradients.query_set import ITEMS, QuerySet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from datasets import Dataset

logger = logging.getLogger(__name__)

Null = Literal["shuffled_answers", "generic_text"]
NULLS: tuple[Null, ...] = get_args(Null)
"""Variants that keep the form of the queries and break their content."""
COLUMNS = ("benchmark", "variant", "item", "cluster", "block", "prompt_ids", "answer_ids")
IGNORED = -100
"""Label of a token without a loss."""


def build_queries(
    requests: pd.DataFrame,
    nulls: Sequence[Null],
    held_out: Iterable[Sequence[int]] | None,
    *,
    blocks: int,
    seed: int,
) -> pd.DataFrame:
    """Turn the items of benchmarks into queries, and into those of their nulls.

    Neither the order of the requests nor that of the documents changes the result. Random choices
    depend on the seed and the benchmark's name, so that a benchmark added later changes no other.

    - ``items``: prompt and gold answer, as they are.
    - ``shuffled_answers``: a random permutation of a benchmark's gold answers among its prompts. As
      few items as possible keep the text of their own answer: none, unless one text is the answer of
      more than half of the items (of m among n: 2 m - n keep it).
    - ``generic_text``: the beginning of a document, cut to as many prompt and answer tokens as the
      item has. The beginning, because start tokens stand there as they do in a prompt. No document
      serves a second item while another that is long enough has served none, and one that is too
      short for an item does not serve it. If all are too short, the item gets a longest one, all its
      answer's tokens, and the rest as prompt: that prompt is shorter than the item's.

    Args:
        requests: Table of :func:`social_provenance.capabilities.harness.build_requests`.
        nulls: Null variants to add.
        held_out: Token ids of documents outside the working set; read for ``generic_text`` only.
        blocks: Upper bound on the blocks of a benchmark, see :func:`add_blocks`.
        seed: Seed of the blocks, the permutations and the passages.

    Returns:
        One row a query, by benchmark, variant and item: ``benchmark``, ``variant``, ``item``,
        ``cluster``, ``block`` (int from 0; an item has the same one in all variants),
        ``prompt_ids``, ``answer_ids`` (lists of int).

    Raises:
        AttributionError: If ``generic_text`` has no document to take, or none that is longer than
            an item's answer.
    """
    import pandas as pd

    documents = _longest_first(held_out) if "generic_text" in nulls else []
    tables = []
    gold = requests[requests["is_gold"]].sort_values(["benchmark", "item"])
    for benchmark, rows in gold.groupby("benchmark"):
        items = _items(rows)
        tables.append(items)
        for null in nulls:
            rng = random.Random(f"{null} {benchmark} {seed}")
            if null == "shuffled_answers":
                tables.append(_shuffle_answers(items, rows["completion"].str.strip().tolist(), rng))
            else:
                tables.append(_replace_texts(items, documents, rng))
    return add_blocks(pd.concat(tables, ignore_index=True), blocks=blocks, seed=seed)


def add_blocks(queries: pd.DataFrame, *, blocks: int, seed: int) -> pd.DataFrame:
    """Assign the items of each benchmark to blocks.

    Clusters are assigned largest first, those of one size in random order, each to the block with the
    fewest items. So the sizes of two blocks differ by no more than the largest cluster has items,
    and by no more than one item where every item is its own cluster. The blocks depend on the items,
    their clusters and the seed, not on the order of rows or on the variants.

    Args:
        queries: ``benchmark``, ``item``, ``cluster`` and further columns of queries.
        blocks: Upper bound on the blocks of a benchmark, at least 1; one with fewer clusters has as
            many blocks as clusters.
        seed: Seed of the order in which clusters are assigned.

    Returns:
        The queries in their order, with ``block`` (int from 0, without gaps).
    """
    import pandas as pd

    items = queries.drop_duplicates(["benchmark", "item"])
    assigned = []
    for benchmark, rows in items.groupby("benchmark"):
        dealt = deal_clusters(Counter(rows["cluster"]), blocks, random.Random(f"blocks {benchmark} {seed}"))
        assigned.append(rows[["benchmark", "item"]].assign(block=rows["cluster"].map(dealt)))
    return queries.merge(pd.concat(assigned), on=["benchmark", "item"], how="left", validate="many_to_one")[
        list(COLUMNS)
    ]


def query_sets(queries: pd.DataFrame) -> dict[str, Dataset]:
    """Return the token sequences of queries, with a loss on the answers only.

    Args:
        queries: Table of :func:`build_queries`, or renderings with their blocks.

    Returns:
        ``<benchmark>.<variant>`` -> rows with ``item``, ``block``, ``input_ids``, ``labels`` (-100 on
        the prompt), ``length`` (tokens), in the order of the table.
    """
    from datasets import Dataset

    sets = {}
    for (benchmark, variant), rows in queries.groupby(["benchmark", "variant"], sort=False):
        prompts, answers = map(list, rows["prompt_ids"]), map(list, rows["answer_ids"])
        pairs = list(zip(prompts, answers, strict=True))
        columns: dict[str, list[Any]] = {
            "item": rows["item"].tolist(),
            "block": rows["block"].tolist(),
            "input_ids": [prompt + answer for prompt, answer in pairs],
            "labels": [[IGNORED] * len(prompt) + answer for prompt, answer in pairs],
            "length": [len(prompt) + len(answer) for prompt, answer in pairs],
        }
        sets[QuerySet(str(benchmark), str(variant)).name] = Dataset.from_dict(columns)
    return sets


def _items(gold: pd.DataFrame) -> pd.DataFrame:
    """Return the gold rows of a benchmark as queries without blocks."""
    names = gold[["benchmark", "item", "cluster"]].reset_index(drop=True)
    tokens: dict[str, list[Any]] = {
        name: [[int(token) for token in ids] for ids in gold[column]]
        for name, column in (("prompt_ids", "prompt_ids"), ("answer_ids", "completion_ids"))
    }
    return names.assign(variant=ITEMS, **tokens)


def _shuffle_answers(items: pd.DataFrame, texts: list[str], rng: random.Random) -> pd.DataFrame:
    answers = items["answer_ids"].tolist()
    return items.assign(variant="shuffled_answers", answer_ids=[answers[source] for source in _permute(texts, rng)])


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


def _longest_first(held_out: Iterable[Sequence[int]] | None) -> list[tuple[int, ...]]:
    """Return distinct documents in an order that does not depend on the input's."""
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
    return items.assign(variant="generic_text", prompt_ids=prompts, answer_ids=answers)


def _check_answer(item: pd.Series[Any], longest: int) -> None:
    tokens = len(item["answer_ids"])
    if tokens >= longest:
        raise AttributionError(
            f"benchmark {item['benchmark']}, item {item['item']}: its answer has {tokens} tokens and the longest "
            f"document outside the working set {longest}: lower attribution.per_bin for more documents, or leave "
            f"'generic_text' out of attribution.nulls"
        )
