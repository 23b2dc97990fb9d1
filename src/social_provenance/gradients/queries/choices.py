"""Wrong choices of the queries, and how much each choice counts in a query.

A query is a weighted sum of the losses of an item's choices, and so its gradient is that sum of their gradients:
each choice is walked once, and the kind of query decides the weights only. With L a loss and g its gradient,
reduced as ``gradients.loss_reduction`` says, n the tokens of a choice, and p the softmax of the choices'
log-probabilities per token, taken as constants:

- ``gold``: ``g(gold)``; no wrong choice is read.
- ``rival``: ``g(gold) - g(rival)``, the rival being the wrong choice of the smallest loss.
- ``margin_per_token``: ``g(gold) / n(gold) - sum over choices c of p(c) g(c) / n(c)``. This is the gradient of
  -log p(gold), because the softmax is the derivative of the log-sum-exp. Per token, because summed
  log-probabilities of long answers saturate: p(gold) is 1 and no gradient is left.

A null has wrong choices too: those that came with its answer.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.gradients.query_set import ITEMS, QuerySet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from datasets import Dataset

logger = logging.getLogger(__name__)

QueryKind = Literal["gold", "rival", "margin_per_token"]
WRONG = ("wrong_prompt_ids", "wrong_answer_ids")
"""Columns with the token ids of a query's wrong choices, a list for each: prompts and answers."""
WEIGHTS = {
    "benchmark": "object",
    "variant": "object",
    "item": "object",
    "choice": "int64",
    "logprob": "float64",
    "coefficient": "float64",
}
"""Columns of the weights of choices -> type."""
CERTAIN = 1e-3
"""Probability of all wrong choices together below which an item hardly counts in a mean of margins."""
SAME = 1e-6
"""Share of its choices' norms below which the norm of a query is a rounding error."""

Choices = list[tuple[list[int], list[int]]]


def without_choices(queries: pd.DataFrame) -> pd.DataFrame:
    """Return queries that have no wrong choices."""
    return _with_wrong(queries, [[] for _ in range(len(queries))])


def add_choices(items: pd.DataFrame, requests: pd.DataFrame) -> pd.DataFrame:
    """Return the items of a benchmark with their wrong choices.

    Args:
        items: Queries of one benchmark, with ``benchmark`` and ``item``.
        requests: Every choice of every item.

    Raises:
        AttributionError: Naming an item that has one choice.
    """
    benchmark = items["benchmark"].iloc[0]
    wrong = requests[(requests["benchmark"] == benchmark) & ~requests["is_gold"]].sort_values("choice")
    by_item = {item: _pairs(rows["prompt_ids"], rows["completion_ids"]) for item, rows in wrong.groupby("item")}
    for item in items["item"]:
        if item not in by_item:
            raise AttributionError(
                f"benchmark {benchmark}, item {item}: it has one choice, and attribution.query contrasts the gold "
                f"choice with wrong ones: give the item another choice, leave it out, or set attribution.query to "
                f"'gold'"
            )
    return _with_wrong(items, [by_item[item] for item in items["item"]])


def give_answers(items: pd.DataFrame, givers: pd.DataFrame, sources: Sequence[int]) -> pd.DataFrame:
    """Return items with the answers of others, right and wrong ones, behind their own prompts.

    Args:
        items: Queries.
        givers: Queries whose answers are given.
        sources: Row of ``givers`` for each item.
    """
    answers, wrong = givers["answer_ids"].tolist(), givers["wrong_answer_ids"].tolist()
    prompts = items["prompt_ids"].tolist()
    given: list[Choices] = [
        [(prompt, answer) for answer in wrong[source]] for prompt, source in zip(prompts, sources, strict=True)
    ]
    return _with_wrong(items.assign(answer_ids=[answers[source] for source in sources]), given)


def exchange_roles(items: pd.DataFrame, chosen: Choices) -> pd.DataFrame:
    """Return items whose answer is another of their choices; the gold one is now among the wrong ones.

    Args:
        items: Queries.
        chosen: Prompt and answer of the choice of each item that is now asked for.
    """
    others = []
    for gold, wrong, taken in zip(_choices(items), _wrong(items), chosen, strict=True):
        others.append([choice for choice in (gold, *wrong) if choice != taken] if wrong else [])
    prompts, answers = zip(*chosen, strict=True)
    return _with_wrong(items.assign(prompt_ids=list(prompts), answer_ids=list(answers)), others)


def give_continuations(items: pd.DataFrame) -> pd.DataFrame:
    """Return queries whose wrong choices are the answers of the items that follow: as many as they had.

    An answer that was taken already, or is the item's own, is passed over: short passages end alike by chance.

    Args:
        items: Queries whose prompts and answers are passages of other texts.

    Raises:
        AttributionError: If no other item has another answer to give.
    """
    prompts, answers = items["prompt_ids"].tolist(), items["answer_ids"].tolist()
    given: list[Choices] = []
    for row, wrong in enumerate(_wrong(items)):
        others: list[list[int]] = []
        for other in [*answers[row + 1 :], *answers[:row]] if wrong else []:
            if len(others) < len(wrong) and other not in (answers[row], *others):
                others.append(other)
        if wrong and not others:
            raise AttributionError(
                f"benchmark {items['benchmark'].iloc[row]}, item {items['item'].iloc[row]}: no other item has another "
                f"passage, so the null 'generic_text' has no wrong choice: give more items, or leave 'generic_text' "
                f"out of attribution.nulls"
            )
        given.append([(prompts[row], other) for other in others])
    return _with_wrong(items, given)


def refuse_equal_choices(queries: pd.DataFrame) -> None:
    """Refuse a query whose choices are all the same tokens: it has no gradient.

    Raises:
        AttributionError: Naming the first such item.
    """
    rows = zip(
        queries["benchmark"], queries["variant"], queries["item"], _choices(queries), _wrong(queries), strict=True
    )
    for benchmark, variant, item, answer, wrong in rows:
        if wrong and all(choice == answer for choice in wrong):
            raise _no_gradient(benchmark, variant, item, "are the same tokens")


def choice_sets(queries: pd.DataFrame) -> dict[str, Dataset]:
    """Return the token sequences of the wrong choices, with a loss on the answers only.

    Args:
        queries: Table ``queries``.

    Returns:
        ``<benchmark>.<variant>`` -> rows with ``item``, ``choice`` (from 1), ``block``, ``input_ids``, ``labels``,
        ``length``; empty where queries have no wrong choices.
    """
    from social_provenance.gradients.queries.build import query_sets

    names = ["benchmark", "variant", "item", "block"]
    rows = [
        (*name, number, prompt, answer)
        for name, wrong in zip(queries[names].itertuples(index=False, name=None), _wrong(queries), strict=True)
        for number, (prompt, answer) in enumerate(wrong, start=1)
    ]
    if not rows:
        return {}
    import pandas as pd

    table = pd.DataFrame(rows, columns=[*names, "choice", "prompt_ids", "answer_ids"])
    numbers = table.groupby(["benchmark", "variant"], sort=False)["choice"]
    choices = {QuerySet(str(benchmark), str(variant)).name: own.tolist() for (benchmark, variant), own in numbers}
    return {name: rows.add_column("choice", choices[name]) for name, rows in query_sets(table).items()}


def weigh_choices(choices: pd.DataFrame, query: QueryKind, loss_reduction: str) -> pd.DataFrame:
    """Return how much each choice counts in the query of its item.

    Args:
        choices: ``benchmark``, ``variant``, ``item``, ``choice`` (0: the query's answer), ``loss`` (nats, reduced by
            ``loss_reduction``) and ``tokens`` of the choice.
        query: Kind of query, not ``gold``.
        loss_reduction: ``sum`` or ``mean``.

    Returns:
        One row per choice: ``benchmark``, ``variant``, ``item``, ``choice``, ``logprob`` (nats, per token for
        ``margin_per_token``), ``coefficient`` of its loss and of its gradient.
    """
    keys = [choices[name] for name in ("benchmark", "variant", "item")]
    is_answer = choices["choice"] == 0
    tokens = choices["tokens"] if query == "margin_per_token" and loss_reduction == "sum" else 1
    logprob = -choices["loss"].astype("float64") / tokens
    if query == "rival":
        rivals = logprob.mask(is_answer, -np.inf).groupby(keys, sort=False).idxmax()
        share = logprob.index.to_series().isin(rivals).astype("float64")
    else:
        weight = (logprob - logprob.groupby(keys, sort=False).transform("max")).transform(np.exp)
        share = weight / weight.groupby(keys, sort=False).transform("sum")
    # 1 - p(gold) would be 0 in floating point where p(gold) is close to 1; the sum of the others is not.
    others = (share * ~is_answer).groupby(keys, sort=False).transform("sum")
    if query == "margin_per_token":
        _report_certain(choices[is_answer].assign(others=others[is_answer]))
    signed = others.where(is_answer, -share)
    return choices.assign(logprob=logprob, coefficient=signed / tokens)[list(WEIGHTS)]


def no_weights() -> pd.DataFrame:
    """Return the weights of queries without wrong choices: no rows."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in WEIGHTS.items()})


def refuse_no_gradient(name: str, items: Sequence[str], norms: np.ndarray, largest: np.ndarray) -> None:
    """Refuse queries whose gradient is zero but for rounding errors.

    Args:
        name: Name of the set of queries.
        items: Item of each query.
        norms: Norm of its gradient.
        largest: Sum of the norms of the weighted gradients of its choices.

    Raises:
        AttributionError: Naming the first such item.
    """
    for row in np.flatnonzero(norms <= SAME * largest)[:1]:
        queries = QuerySet.parse(name)
        raise _no_gradient(queries.benchmark, queries.variant, items[int(row)], "have the same gradient")


def _no_gradient(benchmark: str, variant: str, item: str, why: str) -> AttributionError:
    null = "" if variant == ITEMS else f", or {variant!r} out of attribution.nulls"
    return AttributionError(
        f"benchmark {benchmark}, item {item} ({variant}): its choices {why}, so the contrast of attribution.query has "
        f"none: leave that item out{null}, or set attribution.query to 'gold'"
    )


def _report_certain(answers: pd.DataFrame) -> None:
    for (benchmark, variant), rows in answers.groupby(["benchmark", "variant"], sort=False):
        certain = int((rows["others"] < CERTAIN).sum())
        if certain:
            said = "%s: the model is certain of %d of %d answers (p > %s), whose margins hardly count in a mean"
            logger.warning(said, f"{benchmark}.{variant}", certain, len(rows), 1 - CERTAIN)


def _pairs(prompts: Any, answers: Any) -> Choices:
    return [
        ([int(token) for token in prompt], [int(token) for token in answer])
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def _choices(queries: pd.DataFrame) -> Choices:
    return _pairs(queries["prompt_ids"], queries["answer_ids"])


def _wrong(queries: pd.DataFrame) -> list[Choices]:
    return [_pairs(prompts, answers) for prompts, answers in zip(*(queries[name] for name in WRONG), strict=True)]


def _with_wrong(queries: pd.DataFrame, wrong: Sequence[Choices]) -> pd.DataFrame:
    prompts: list[Any] = [[prompt for prompt, _ in choices] for choices in wrong]
    answers: list[Any] = [[answer for _, answer in choices] for choices in wrong]
    return queries.assign(wrong_prompt_ids=prompts, wrong_answer_ids=answers)
