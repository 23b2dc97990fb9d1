"""A verdict is yes only where its interval says so, no where it does not, and not tried where nothing was run."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from social_provenance.forgetting.vocabulary import EQUAL_COMPUTE, PRIMARY
from social_provenance.interventions.verdicts import (
    ANSWERS,
    NO,
    NOT_TRIED,
    PATCHING,
    PROVENANCE,
    QUESTIONS,
    RETRAINING,
    RULES,
    SIMILARITY,
    UNDECIDED,
    UNLEARNING,
    UNTRAINED_MODEL,
    WORDS,
    YES,
    fisher_interval,
    give_verdicts,
    read_verdicts,
)
from social_provenance.schemas.verdicts import Verdicts

QUIZ = {"benchmark": "quiz", "method": "influence"}


def _explained(**highs: float) -> pd.DataFrame:
    rows = [
        {**QUIZ, "other": other, "n_topics": 24, "share": high - 0.1, "ci_low": high - 0.2, "ci_high": high}
        for other, high in highs.items()
    ]
    return pd.DataFrame(rows, columns=[*QUIZ, "other", "n_topics", "share", "ci_low", "ci_high"])


def _unlearned(*did: tuple[float, float, float] | None, **changes: Any) -> pd.DataFrame:
    named = {"benchmark": "quiz", "scope": "topic", "outcome": PRIMARY, "reading": EQUAL_COMPUTE, **changes}
    rows = [{**named, **dict(zip(("did", "did_low", "did_high"), each or (None,) * 3, strict=True))} for each in did]
    return pd.DataFrame(rows, columns=[*named, "did", "did_low", "did_high"])


def _retrained(correlation: float | None, n_arms: int, **changes: Any) -> pd.DataFrame:
    named = {**QUIZ, "design": "half", "outcome": "end", "measure": "rank", **changes}
    return pd.DataFrame([{**named, "n_arms": n_arms, "correlation": correlation}])


def _topics(*q: float | None, **changes: str) -> pd.DataFrame:
    rows = [{**QUIZ, "topic": f"t{number}", "z": float(number), "q": each, **changes} for number, each in enumerate(q)]
    return pd.DataFrame(rows, columns=[*QUIZ, "topic", "z", "q"])


def _patched(effects: list[float], dose: int = 4, **changes: str) -> pd.DataFrame:
    rows = [
        {"benchmark": "quiz", "topic": f"t{number}", "dose": dose, "effect": effect, **changes}
        for number, effect in enumerate(effects)
    ]
    return pd.DataFrame(rows)


def _verdicts(
    explained: pd.DataFrame | None = None,
    retrained: pd.DataFrame | None = None,
    unlearned: pd.DataFrame | None = None,
    topics: pd.DataFrame | None = None,
    patched: pd.DataFrame | None = None,
) -> pd.DataFrame:
    known = _explained() if explained is None else explained
    maps = pd.concat([_topics(0.5, 0.05) if topics is None else topics, _topics(0.5, method="other")])
    effects = _unlearned() if unlearned is None else unlearned
    table = give_verdicts(known, maps, patched, retrained, effects, "influence")
    table = table[table["benchmark"] == "quiz"]
    return Verdicts.validate(table).set_index("question")


def test_what_was_not_run_was_not_tried() -> None:
    table = _verdicts()
    assert list(table.index) == list(QUESTIONS)
    assert set(table["verdict"]) == {NOT_TRIED}
    assert table[["value", "ci_low", "ci_high"]].isna().all(axis=None)
    assert set(table["reading"]) == {UNDECIDED}
    assert table["rule"].to_dict() == RULES


@pytest.mark.parametrize(
    ("highs", "verdict", "against"),
    [
        ({"bm25": 0.8, "embedding": 0.3}, YES, "bm25"),
        ({"bm25": 0.3, "embedding": 0.9}, NO, "embedding"),
        ({"bm25": 0.81}, NO, "bm25"),
        ({"embedding": 0.2, "length": 0.9, "random_weights": 0.9}, YES, "embedding"),
        ({"length": 0.2}, NOT_TRIED, None),
    ],
)
def test_a_map_that_is_beyond_words_is_the_same_as_no_word_map(
    highs: dict[str, float], verdict: str, against: str | None
) -> None:
    row = _verdicts(_explained(**highs)).loc[WORDS]
    assert row["verdict"] == verdict
    assert row["against"] == against or (against is None and pd.isna(row["against"]))
    if against:
        assert row[["value", "ci_high"]].tolist() == pytest.approx([highs[against] - 0.1, highs[against]])


@pytest.mark.parametrize(("high", "verdict"), [(0.8, YES), (0.82, NO)])
def test_a_model_that_was_never_trained_may_not_either(high: float, verdict: str) -> None:
    assert _verdicts(_explained(random_weights=high, bm25=0.9)).loc[UNTRAINED_MODEL, "verdict"] == verdict


@pytest.mark.parametrize(
    ("topics", "verdict"),
    [
        (_topics(0.06, 0.5), NO),
        (_topics(None), NO),
        (_topics(0.01, method="trak"), NO),
        (_topics(0.01, benchmark="sums"), NO),
        (_topics(None, 0.04), YES),
    ],
)
def test_a_map_in_which_no_topic_stands_out_is_beyond_nothing(topics: pd.DataFrame, verdict: str) -> None:
    table = _verdicts(_explained(bm25=0.1, random_weights=0.1), topics=topics)
    assert set(table.loc[[WORDS, UNTRAINED_MODEL], "verdict"]) == {verdict}


def test_a_share_that_could_not_be_computed_decides_nothing() -> None:
    assert _verdicts(_explained(bm25=np.nan)).loc[WORDS, "verdict"] == NOT_TRIED


def test_another_method_or_benchmark_decides_nothing() -> None:
    explained = pd.concat([_explained(bm25=0.1).assign(method="trak"), _explained(bm25=0.1).assign(benchmark="sums")])
    table = _verdicts(explained, _retrained(0.99, 24, method="trak"), _unlearned((-1, -2, -0.5), benchmark="sums"))
    assert set(table["verdict"]) == {NOT_TRIED}


@pytest.mark.parametrize(
    ("correlation", "n_arms", "design", "verdict"),
    [
        (0.7, 24, "topic", YES),
        (0.3, 24, "topic", NO),
        (-0.9, 24, "topic", NO),
        (0.7, 12, "half", NO),  # six pairs
        (0.9, 12, "half", YES),
        (0.99, 4, "half", NO),  # two pairs
    ],
)
def test_agreement_with_retraining_is_above_zero_by_its_interval(
    correlation: float, n_arms: int, design: str, verdict: str
) -> None:
    row = _verdicts(retrained=_retrained(correlation, n_arms, design=design)).loc[RETRAINING]
    assert row["verdict"] == verdict
    assert row["value"] == correlation
    assert row["against"] == f"retraining without a {design}"


def test_halves_are_asked_before_topics_and_the_end_by_rank_alone() -> None:
    others = [_retrained(-0.9, 24, **change) for change in ({"outcome": "training_mean"}, {"measure": "value"})]
    both = pd.concat([*others, _retrained(0.1, 24, design="topic"), _retrained(0.95, 24)])
    assert _verdicts(retrained=both).loc[RETRAINING, "value"] == 0.95
    assert _verdicts(retrained=pd.concat(others)).loc[RETRAINING, "verdict"] == NOT_TRIED
    unknown = pd.concat([_retrained(None, 24), _retrained(0.1, 24, design="topic")])
    assert _verdicts(retrained=unknown).loc[RETRAINING, "value"] == 0.1


@pytest.mark.parametrize(("sign", "verdict"), [(1, YES), (-1, NO), (0, NOT_TRIED)])
def test_a_map_agrees_with_tail_patches_that_help_where_it_is_high(sign: int, verdict: str) -> None:
    topics = _topics(*[0.5] * 8)
    row = _verdicts(topics=topics, patched=_patched([sign * effect for effect in range(8)])).loc[PATCHING]
    assert row["verdict"] == verdict
    assert sign == 0 or row["value"] == sign


def test_a_few_topics_by_tail_patches_are_not_enough_and_the_largest_dose_of_this_benchmark_decides() -> None:
    assert _verdicts(topics=_topics(*[0.5] * 3), patched=_patched([0.0, 1.0, 2.0])).loc[PATCHING, "verdict"] == NO
    against, other = _patched([7.0 - effect for effect in range(8)], dose=1), _patched([0.0] * 8, benchmark="sums")
    both = pd.concat([against, _patched([float(effect) for effect in range(8)]), other])
    assert _verdicts(topics=_topics(*[0.5] * 8), patched=both).loc[PATCHING, "value"] == 1
    assert _verdicts(topics=_topics(*[0.5] * 8), patched=other).loc[PATCHING, "verdict"] == NOT_TRIED


def test_an_antisymmetric_pair_of_halves_is_one_value_more_than_half_of_a_retraining() -> None:
    """Under random maps and effects that sum to the same in both halves of a pair, one in forty is called."""
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(2000):
        x, y = (np.concatenate([half, -half]) for half in rng.normal(size=(2, 12)))
        called += fisher_interval(stats.spearmanr(x, y).statistic, 13)[0] > 0
    assert called / 2000 == pytest.approx(0.025, abs=0.015)


@pytest.mark.parametrize(
    ("did", "verdict"),
    [
        ([(-0.2, -0.3, -0.1)], YES),
        ([(-0.2, -0.5, 0.1)], NO),
        ([(0.2, 0.1, 0.3)], NO),
        ([(-0.2, -0.3, -0.1), (-0.1, -0.3, 0.05)], YES),
        ([(-0.2, -0.3, -0.1), (-0.1, -0.4, 0.2)], NO),
        ([None], NOT_TRIED),
        ([None, (-0.2, -0.3, -0.1)], YES),
    ],
)
def test_damage_by_unlearning_is_specific_by_its_interval(did: list[Any], verdict: str) -> None:
    row = _verdicts(unlearned=_unlearned(*did)).loc[UNLEARNING]
    assert row["verdict"] == verdict


@pytest.mark.parametrize("change", [{"scope": "global"}, {"outcome": "accuracy"}, {"reading": "area"}])
def test_only_the_primary_family_of_unlearning_decides(change: dict[str, str]) -> None:
    table = _unlearned((-0.2, -0.3, -0.1), **change)
    assert _verdicts(unlearned=table).loc[UNLEARNING, "verdict"] == NOT_TRIED


def test_provenance_takes_both_comparisons_and_an_intervention_and_similarity_their_failure() -> None:
    readings = {
        answers: read_verdicts(dict(zip(QUESTIONS, answers, strict=True))) for answers in product(ANSWERS, repeat=5)
    }
    for (words, untrained, patching, retraining, unlearning), reading in readings.items():
        passed = words == untrained == YES and patching != NO
        assert (reading == PROVENANCE) == (passed and YES in (retraining, unlearning))
        assert (reading == SIMILARITY) == (YES not in (words, untrained) and NO in (words, untrained))
    assert set(readings.values()) == {SIMILARITY, PROVENANCE, UNDECIDED}
