"""Verdicts on the map of each benchmark: similarity, or provenance?

A first-order score says that training on a document *would* help. Whether the model's ability *came* from such
documents is another question, and each verdict is a test of it that a map can fail. Three answers: ``yes``; ``no``,
which means *not shown*, by a map that fails or by a study that is too small; and ``not tried``, where what the
question needs was not run.

- ``beyond_words``: yes if a topic stands out beyond the noise of documents and queries (``q`` at most 0.05 in
  ``topic_influence``), and the topic map is another one than those of ``bm25`` and of ``embedding``: without noise,
  the correlation with either is below 0.9, that is, the upper bound of ``share`` in ``explained_variance`` is below
  0.81. The value is that of the one that explains more. Without the first condition a map of chance would pass: it
  resembles nothing.
- ``beyond_untrained``: likewise for the map of the same method under random weights, where that null was run. Both have
  one unit, so that map explains at its own size: one of the same pattern has to be 1.8 times as strong.
- ``agrees_with_tail_patch``: yes if topics that the map ranks high are those on which a few steps of training help:
  the rank correlation over topics of the map with the effects of tail-patches, largest dose, is above 0 by its 95 %
  interval. A map that fails it was not shown to be right even about what *would* help, and that of a
  saturated model is not, whatever its accuracy (docs/decisions/0021, 0023): no provenance, whatever else agrees.
- ``agrees_with_retraining``: yes if the rank correlation of the map's predictions with the effects of retraining is
  above 0 by its 95 % interval (Fisher's z; Spearman's variance 1.06). Outcome ``end``, because provenance is about the
  model as it is; random halves where they were retrained, else single topics. Halves come in pairs, and what the
  map predicts for one is the opposite of the other: k pairs count as k + 1 retrainings.
- ``agrees_with_unlearning``: yes if forgetting influential documents of a topic damages the benchmark, beyond the
  damage to the others, more than forgetting matched random ones: the interval of the difference in differences is below
  0. Primary outcome, equal compute, scope ``topic``; over several topics or algorithms the mean of the estimates and
  that of the bounds, which is wider than the interval of the mean.

0.9 is the correlation from which two measures are taken to be of one thing where discriminant validity is assessed
(Rönkkö & Cho 2022); it is a convention and no estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.estimation.comparison.agreement import spearman
from social_provenance.estimation.comparison.explained import UNTRAINED
from social_provenance.estimation.significance.calibration import LEVEL
from social_provenance.forgetting.vocabulary import EQUAL_COMPUTE, PRIMARY
from social_provenance.interventions.effects import END, patches_of_topics

if TYPE_CHECKING:
    import pandas as pd

YES, NO, NOT_TRIED = ANSWERS = ("yes", "no", "not tried")
WORDS, UNTRAINED_MODEL, PATCHING, RETRAINING, UNLEARNING = QUESTIONS = (
    "beyond_words",
    "beyond_untrained",
    "agrees_with_tail_patch",
    "agrees_with_retraining",
    "agrees_with_unlearning",
)
SIMILARITY, PROVENANCE, UNDECIDED = READINGS = ("similarity", "provenance", "undecided")
"""What a map shows: both comparisons with simpler maps failed; both passed, retraining or unlearning agrees and
tail-patches do not say no; else."""
WORD_METHODS = ("bm25", "embedding")
"""Methods whose maps are those of words and their meaning."""
SAME = 0.81
"""Share of the reproducible variance of a map, a correlation of 0.9 squared, from which another map is the same."""
CONFIDENCE = 0.95
COLUMNS = ["benchmark", "question", "verdict", "against", "value", "ci_low", "ci_high", "rule", "reading"]

RULES = {
    WORDS: f"a topic at q ≤ {LEVEL}, and share of the map explained by words, upper bound below {SAME}",
    UNTRAINED_MODEL: f"a topic at q ≤ {LEVEL}, and share explained by random weights, at their size, below {SAME}",
    PATCHING: "rank correlation over topics with the effects of tail-patches, lower bound above 0",
    RETRAINING: "rank correlation with the effects of retraining, lower bound above 0",
    UNLEARNING: "influence minus random, aligned minus others, upper bound below 0",
}


def give_verdicts(
    explained: pd.DataFrame,
    topics: pd.DataFrame,
    patched: pd.DataFrame | None,
    retrained: pd.DataFrame | None,
    unlearned: pd.DataFrame | None,
    method: str,
) -> pd.DataFrame:
    """Return the table ``verdicts``: one row per benchmark and question.

    Args:
        explained: Table ``explained_variance``.
        topics: Table ``topic_influence``, in the order of the benchmarks.
        patched: Table ``tail_patch``; None where it was not computed.
        retrained: Table ``counterfactual_agreement``; None where it was not computed.
        unlearned: Table ``unlearning_effects``; None where nothing was unlearned.
        method: Method whose map is judged.

    Returns:
        ``benchmark``, ``question`` (:data:`QUESTIONS`), ``verdict`` (:data:`ANSWERS`), ``against`` (what the map was
        compared with), ``value``, ``ci_low``, ``ci_high``, ``rule``, and ``reading`` (:data:`READINGS`) of the
        benchmark's map: ``similarity`` where neither of the first two is yes and one is no, ``provenance`` where both
        are yes, retraining or unlearning agrees and the tail-patches do not say no, else ``undecided``.
    """
    import pandas as pd

    own, maps = explained[explained["method"] == method], topics[topics["method"] == method]
    standing_out = set(maps.loc[maps["q"] <= LEVEL, "benchmark"])
    rows = []
    for name in topics["benchmark"].unique():
        of_map = own[own["benchmark"] == name]
        found = {
            WORDS: _apart_from(of_map[of_map["other"].isin(WORD_METHODS)], name in standing_out),
            UNTRAINED_MODEL: _apart_from(of_map[of_map["other"] == UNTRAINED], name in standing_out),
            PATCHING: _with_tail_patch(patched, maps[maps["benchmark"] == name]),
            RETRAINING: _with_retraining(retrained, name, method),
            UNLEARNING: _with_unlearning(unlearned, name),
        }
        reading = read_verdicts({question: str(row["verdict"]) for question, row in found.items()})
        rows += [
            {"benchmark": name, "question": question, **row, "rule": RULES[question], "reading": reading}
            for question, row in found.items()
        ]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(("value", "ci_low", "ci_high"), float))


def read_verdicts(verdicts: dict[str, str]) -> str:
    """Return what a map shows, given the verdict on each question."""
    comparisons = [verdicts[WORDS], verdicts[UNTRAINED_MODEL]]
    if YES not in comparisons and NO in comparisons:
        return SIMILARITY
    agrees = YES in (verdicts[RETRAINING], verdicts[UNLEARNING]) and verdicts[PATCHING] != NO
    return PROVENANCE if comparisons == [YES, YES] and agrees else UNDECIDED


def _apart_from(shares: pd.DataFrame, stands_out: bool) -> dict[str, Any]:
    known = shares.dropna(subset="share")
    if known.empty:
        return _row(NOT_TRIED)
    most = known.sort_values("ci_high", ascending=False, kind="stable").iloc[0]
    verdict = YES if stands_out and most["ci_high"] < SAME else NO
    return _row(verdict, most["other"], most["share"], most["ci_low"], most["ci_high"])


def _with_tail_patch(patched: pd.DataFrame | None, topics: pd.DataFrame) -> dict[str, Any]:
    if patched is None or topics.empty:
        return _row(NOT_TRIED)
    largest = patches_of_topics(patched[patched["dose"] == patched["dose"].max()])
    pairs = topics.merge(largest, on=["benchmark", "topic"]).dropna(subset=["z", "effect"])
    correlation = spearman(pairs["z"].to_numpy(), pairs["effect"].to_numpy())
    if not np.isfinite(correlation):
        return _row(NOT_TRIED)
    low, high = fisher_interval(correlation, len(pairs))
    return _row(YES if low > 0 else NO, "a few steps on each topic", correlation, low, high)


def _with_retraining(retrained: pd.DataFrame | None, benchmark: str, method: str) -> dict[str, Any]:
    if retrained is None:
        return _row(NOT_TRIED)
    rows = retrained[(retrained["benchmark"] == benchmark) & (retrained["method"] == method)]
    rows = rows[(rows["outcome"] == END) & (rows["measure"] == "rank")].dropna(subset="correlation")
    for design in ("half", "topic"):
        for row in rows[rows["design"] == design].to_dict("records"):
            independent = row["n_arms"] // 2 + 1 if design == "half" else row["n_arms"]
            low, high = fisher_interval(row["correlation"], independent)
            return _row(YES if low > 0 else NO, f"retraining without a {design}", row["correlation"], low, high)
    return _row(NOT_TRIED)


def _with_unlearning(unlearned: pd.DataFrame | None, benchmark: str) -> dict[str, Any]:
    if unlearned is None:
        return _row(NOT_TRIED)
    effects = unlearned[unlearned["benchmark"] == benchmark]
    primary = (effects["outcome"] == PRIMARY) & (effects["reading"] == EQUAL_COMPUTE) & (effects["scope"] == "topic")
    known = effects[primary].dropna(subset=["did", "did_low", "did_high"])
    if known.empty:
        return _row(NOT_TRIED)
    did, low, high = (float(known[name].mean()) for name in ("did", "did_low", "did_high"))
    return _row(YES if high < 0 else NO, "matched random documents", did, low, high)


def fisher_interval(correlation: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a rank correlation over independent values; -1 to 1 with fewer than four."""
    from scipy.special import ndtri

    if count < 4:
        return -1.0, 1.0
    half = ndtri((1 + CONFIDENCE) / 2) * np.sqrt(1.06 / (count - 3))
    centre = np.arctanh(np.clip(correlation, -1 + 1e-9, 1 - 1e-9))
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


def _row(verdict: str, against: str | None = None, *numbers: float) -> dict[str, Any]:
    values = numbers or (np.nan, np.nan, np.nan)
    return {"verdict": verdict, "against": against, **dict(zip(("value", "ci_low", "ci_high"), values, strict=True))}
