"""Verdicts on the map of each benchmark: similarity, or provenance?

A first-order score says that training on a document *would* help. Whether the model's ability *came* from such
documents is another question, and each verdict is a test of it that a map can fail. Three answers: ``yes``; ``no``,
which means *not shown*, by a map that fails or by a study that is too small; and ``not tried``, where what the
question needs was not run.

- ``beyond_words``: yes if neither ``bm25`` nor ``embedding`` explains half of the reproducible variance of the topic
  map: the upper bound of ``share`` in ``explained_variance`` is below 0.5 for both. The number is that of the one
  that explains more.
- ``beyond_untrained``: likewise for the map of the same method under random weights, where that null was run.
- ``agrees_with_retraining``: yes if the rank correlation of the map's predictions with the effects of retraining is
  above 0 by its 95 % interval (Fisher's z; Spearman's variance 1.06). Outcome ``end``, because provenance is about the
  model as it is; random halves where they were retrained, else single topics. Halves come in pairs, and what the
  map predicts for one is the opposite of the other: k pairs count as k + 1 retrainings.
- ``agrees_with_unlearning``: yes if forgetting influential documents of a topic damages the benchmark, beyond the
  damage to the others, more than forgetting matched random ones: the interval of the difference in differences is below
  0. Primary outcome, equal compute, scope ``topic``; over several topics or algorithms the mean of the estimates and
  that of the bounds, which is wider than the interval of the mean.

Half is where most of the map would be the simple map's; it is a convention and no estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.estimation.comparison.explained import UNTRAINED
from social_provenance.forgetting.vocabulary import EQUAL_COMPUTE, PRIMARY
from social_provenance.interventions.effects import END

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

YES, NO, NOT_TRIED = ANSWERS = ("yes", "no", "not tried")
WORDS, UNTRAINED_MODEL, RETRAINING, UNLEARNING = QUESTIONS = (
    "beyond_words",
    "beyond_untrained",
    "agrees_with_retraining",
    "agrees_with_unlearning",
)
SIMILARITY, PROVENANCE, UNDECIDED = READINGS = ("similarity", "provenance", "undecided")
"""What a map shows: both comparisons with simpler maps failed; both passed and an intervention agrees; else."""
WORD_METHODS = ("bm25", "embedding")
"""Methods whose maps are those of words and their meaning."""
MOST = 0.5
"""Share of the reproducible variance of a map from which another map explains most of it."""
CONFIDENCE = 0.95
COLUMNS = ["benchmark", "question", "verdict", "against", "value", "ci_low", "ci_high", "rule", "reading"]

RULES = {
    WORDS: f"share of the map explained by words, upper bound below {MOST}",
    UNTRAINED_MODEL: f"share of the map explained by random weights, upper bound below {MOST}",
    RETRAINING: "rank correlation with the effects of retraining, lower bound above 0",
    UNLEARNING: "influence minus random, aligned minus others, upper bound below 0",
}


def give_verdicts(
    explained: pd.DataFrame,
    retrained: pd.DataFrame | None,
    unlearned: pd.DataFrame,
    benchmarks: Sequence[str],
    method: str,
) -> pd.DataFrame:
    """Return the table ``verdicts``: one row per benchmark and question.

    Args:
        explained: Table ``explained_variance``.
        retrained: Table ``counterfactual_agreement``; None where it was not computed.
        unlearned: Table ``unlearning_effects``.
        benchmarks: Benchmarks in their order.
        method: Method whose map is judged.

    Returns:
        ``benchmark``, ``question`` (:data:`QUESTIONS`), ``verdict`` (:data:`ANSWERS`), ``against`` (what the map was
        compared with), ``value``, ``ci_low``, ``ci_high``, ``rule``, and ``reading`` (:data:`READINGS`) of the
        benchmark's map: ``similarity`` where neither of the first two is yes and one is no, ``provenance`` where both
        are yes and retraining or unlearning agrees, else ``undecided``.
    """
    import pandas as pd

    own = explained[explained["method"] == method]
    rows = []
    for name in benchmarks:
        of_map = own[own["benchmark"] == name]
        found = {
            WORDS: _apart_from(of_map[of_map["other"].isin(WORD_METHODS)]),
            UNTRAINED_MODEL: _apart_from(of_map[of_map["other"] == UNTRAINED]),
            RETRAINING: _with_retraining(retrained, name, method),
            UNLEARNING: _with_unlearning(unlearned[unlearned["benchmark"] == name]),
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
    agrees = YES in (verdicts[RETRAINING], verdicts[UNLEARNING])
    return PROVENANCE if comparisons == [YES, YES] and agrees else UNDECIDED


def _apart_from(shares: pd.DataFrame) -> dict[str, Any]:
    known = shares.dropna(subset="share")
    if known.empty:
        return _row(NOT_TRIED)
    most = known.sort_values("ci_high", ascending=False, kind="stable").iloc[0]
    verdict = YES if most["ci_high"] < MOST else NO
    return _row(verdict, most["other"], most["share"], most["ci_low"], most["ci_high"])


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


def _with_unlearning(effects: pd.DataFrame) -> dict[str, Any]:
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
