"""Answers of items and accuracy of benchmarks from the log-probabilities of choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def answers(scored: pd.DataFrame) -> pd.DataFrame:
    """Reduce log-probabilities of choices to one row per item.

    ``correct`` follows the normalised log-probabilities, as lm-eval's ``acc_norm`` and ``acc_bytes`` do; without
    normalisation it is its ``acc``.

    Args:
        scored: One row per choice: ``benchmark``, ``item``, ``cluster``, ``is_gold``, ``logprob`` (nats, sum over
            tokens), and the ``units`` and ``normalisation`` of
            :func:`~social_provenance.capabilities.normalisation.normalise_choices`.

    Returns:
        ``benchmark``, ``item``, ``cluster``, ``normalisation``, ``correct`` (bool), ``gold_logprob`` (nats per
        unit), ``margin`` (the same minus that of the best incorrect choice) and ``choice_logprob`` (the same minus
        the log-sum-exp over the item's choices).
    """
    scored = scored.assign(logprob=scored["logprob"] / scored["units"])
    items = scored.groupby(["benchmark", "item"], sort=False)["logprob"]
    best = items.transform("max")
    weighted = scored.assign(weight=np.exp(scored["logprob"] - best))
    total = best + np.log(weighted.groupby(["benchmark", "item"], sort=False)["weight"].transform("sum", min_count=1))
    keys = [scored["benchmark"], scored["item"]]
    rival = scored["logprob"].mask(scored["is_gold"]).groupby(keys, sort=False).transform("max")
    chosen = scored["logprob"].fillna(-np.inf).groupby(keys, sort=False).idxmax()  # a broken model has NaN
    table = scored.assign(
        margin=scored["logprob"] - rival,
        choice_logprob=scored["logprob"] - total,
        correct=scored.index.isin(chosen),
    )
    gold = table[table["is_gold"]].rename(columns={"logprob": "gold_logprob"})
    columns = ["benchmark", "item", "cluster", "normalisation", "correct", "gold_logprob", "margin", "choice_logprob"]
    return gold[columns].reset_index(drop=True)


def summarise(answered: pd.DataFrame) -> pd.DataFrame:
    """Return ``benchmark``, ``normalisation``, ``accuracy``, ``gold_logprob``, ``choice_logprob``: means over items."""
    keys = ["benchmark", "normalisation"]
    means = answered.groupby(keys, sort=False)[["correct", "gold_logprob", "choice_logprob"]].mean()
    return means.rename(columns={"correct": "accuracy"}).reset_index()


def guess(requests: pd.DataFrame) -> pd.DataFrame:
    """Return what a guesser would reach.

    Args:
        requests: Requests, one row per choice: ``benchmark``, ``item``.

    Returns:
        ``benchmark``, ``items`` and ``chance``, the accuracy of a random choice: the mean over items of 1 / choices.
    """
    choices = requests.groupby(["benchmark", "item"], sort=False).size()
    by_benchmark = (1 / choices).groupby(level="benchmark", sort=False)
    return by_benchmark.agg(items="size", chance="mean").reset_index()
