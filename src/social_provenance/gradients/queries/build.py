"""Queries of a benchmark, their null variants, and the blocks that a bootstrap resamples.

A query is an item with its gold answer, with a loss on the answer's tokens only. A null variant keeps
the form of the queries and breaks their content: it is a negative control. A later bootstrap over
queries draws blocks: items that share a cluster are not independent, so they are in one block.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.split import deal_clusters
from social_provenance.errors import BenchmarkError, excerpt
from social_provenance.gradients.queries.choices import WRONG, add_choices, refuse_equal_choices, without_choices
from social_provenance.gradients.queries.nulls import NullSources, longest_first, make_null
from social_provenance.gradients.query_set import ITEMS, QuerySet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from datasets import Dataset

    from social_provenance.gradients.queries.choices import QueryKind
    from social_provenance.gradients.queries.nulls import Null

logger = logging.getLogger(__name__)

COLUMNS = ("benchmark", "variant", "item", "cluster", "block", "prompt_ids", "answer_ids", *WRONG)
IGNORED = -100
"""Label of a token without a loss."""


def build_queries(
    requests: pd.DataFrame,
    nulls: Sequence[Null],
    held_out: Iterable[Sequence[int]] | None,
    *,
    blocks: int,
    seed: int,
    query: QueryKind = "gold",
) -> pd.DataFrame:
    """Turn the items of benchmarks into queries, and into those of their nulls.

    Neither the order of the requests nor that of the documents changes the result. Random choices
    depend on the seed and the benchmark's name, so that a benchmark added later changes no other; only
    ``other_benchmark`` depends on which benchmarks there are.

    Args:
        requests: Table of :func:`social_provenance.capabilities.harness.build_requests`.
        nulls: Null variants to add.
        held_out: Token ids of documents outside the working set; read for ``generic_text`` only.
        blocks: Upper bound on the blocks of a benchmark, see :func:`add_blocks`.
        seed: Seed of the blocks and of all random choices of the nulls.
        query: Kind of query; all but ``gold`` need the wrong choices.

    Returns:
        One row a query, by benchmark, variant and item: ``benchmark``, ``variant``, ``item``,
        ``cluster``, ``block`` (int from 0; an item has the same one in all variants),
        ``prompt_ids``, ``answer_ids`` (lists of int), ``wrong_prompt_ids``, ``wrong_answer_ids`` (lists of such
        lists, a wrong choice each; empty for ``gold``).

    Raises:
        AttributionError: If an item cannot have one of the nulls (:mod:`social_provenance.gradients.queries.nulls`),
            or lacks a wrong choice that differs.
    """
    import pandas as pd

    gold = requests[requests["is_gold"]].sort_values(["benchmark", "item"])
    items = {str(benchmark): without_choices(_items(rows)) for benchmark, rows in gold.groupby("benchmark")}
    if query != "gold":
        items = {benchmark: add_choices(own, requests) for benchmark, own in items.items()}
    documents = longest_first(held_out) if "generic_text" in nulls else []
    sources = NullSources(items, requests, documents, seed)
    tables = [
        table
        for benchmark, own in items.items()
        for table in (own, *(make_null(null, benchmark, sources) for null in nulls))
    ]
    queries = pd.concat(tables, ignore_index=True)
    refuse_equal_choices(queries)
    return add_blocks(queries, blocks=blocks, seed=seed)


def refuse_long_items(
    requests: pd.DataFrame, max_tokens: int, nulls: Sequence[Null], *, query: QueryKind = "gold"
) -> None:
    """Refuse items of which a query would exceed the token budget, and warn of nulls of which one may.

    Args:
        requests: Choices of the items that are attributed.
        max_tokens: Token budget of a query (``gradients.max_tokens``).
        nulls: Null variants that will be added.
        query: Kind of query; only ``gold`` does not walk the wrong choices.

    Raises:
        BenchmarkError: Naming the first such item, its tokens and the fix.
    """
    prompts, answers = requests["prompt_ids"].map(len), requests["completion_ids"].map(len)
    walked = requests["is_gold"] | (query != "gold" or "wrong_answers" in nulls)
    tokens = prompts + answers
    for row in requests.assign(tokens=tokens)[walked & (tokens > max_tokens)].itertuples():
        raise BenchmarkError(
            f"benchmark {row.benchmark}, item {row.item}: {row.tokens} tokens with "
            f"choice {excerpt(row.completion)}, a query may have {max_tokens} (gradients.max_tokens): raise it and "
            f"gradients.token_batch if the model takes more, or leave the item out of the file"
        )
    if {"shuffled_answers", "other_benchmark"} & set(nulls) and prompts.max() + answers[walked].max() > max_tokens:
        logger.warning(
            "a null query that joins the longest prompt (%d tokens) with the longest answer (%d) would exceed "
            "gradients.max_tokens (%d) and end the run after the walk over the corpus: raise it and token_batch",
            *(prompts.max(), answers[walked].max(), max_tokens),
        )


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
    return take_blocks(queries, pd.concat(assigned))


def take_blocks(queries: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return queries with the blocks of their items.

    Args:
        queries: ``benchmark``, ``item`` and further columns of queries, with or without wrong choices.
        items: ``benchmark``, ``item``, ``block``, one row per item.
    """
    keys = ["benchmark", "item"]
    complete = queries if set(WRONG) <= set(queries) else without_choices(queries)
    return complete.merge(items[[*keys, "block"]], on=keys, how="left", validate="many_to_one")[list(COLUMNS)]


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
    """Return the gold rows of a benchmark as queries without blocks, with the ``text`` of the answer."""
    names = gold[["benchmark", "item", "cluster"]].reset_index(drop=True)
    tokens: dict[str, list[Any]] = {
        name: [[int(token) for token in ids] for ids in gold[column]]
        for name, column in (("prompt_ids", "prompt_ids"), ("answer_ids", "completion_ids"))
    }
    return names.assign(variant=ITEMS, text=gold["completion"].str.strip().tolist(), **tokens)
