"""From log-probabilities of choices to answers: exact on numbers worked out by hand."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.capabilities.answers import answers, guess, summarise


def _scored(**items: tuple[int, list[float]]) -> pd.DataFrame:
    rows = [
        {"benchmark": name[0], "item": name, "cluster": name, "is_gold": choice == gold, "logprob": logprob}
        | {"normalisation": "none", "units": 1}
        for name, (gold, logprobs) in items.items()
        for choice, logprob in enumerate(logprobs)
    ]
    return pd.DataFrame(rows)


def test_probabilities_are_normalised_over_the_items_own_choices() -> None:
    table = answers(_scored(a1=(1, [log(0.1), log(0.3)]), a2=(0, [log(0.2), log(0.1), log(0.1)]))).set_index("item")
    np.testing.assert_allclose(table["choice_logprob"], [log(0.75), log(0.5)])
    np.testing.assert_allclose(table["gold_logprob"], [log(0.3), log(0.2)])
    assert table["correct"].tolist() == [True, True]


def test_the_first_of_equal_choices_is_the_answer() -> None:
    table = answers(_scored(a1=(0, [-1.0, -1.0]), a2=(1, [-1.0, -1.0])))
    assert table["correct"].tolist() == [True, False]


@pytest.mark.parametrize("shift", [-5000.0, 0.0, 300.0])
def test_the_normalised_probability_does_not_change_when_all_choices_shift(shift: float) -> None:
    table = answers(_scored(a1=(2, [shift - 1, shift - 2, shift - 3])))
    assert table["choice_logprob"][0] == pytest.approx(-3 - log(np.exp([-1, -2, -3]).sum()))


def test_the_margin_is_to_the_best_wrong_choice() -> None:
    table = answers(_scored(a1=(1, [-2.0, -1.5, -4.0]), a2=(0, [-3.0, -1.0, -2.0]), b1=(2, [-1.0, -1.0, -1.0])))
    assert table["margin"].tolist() == [0.5, -2.0, 0.0]


@pytest.mark.parametrize("lost", [[float("nan")] * 3, [-1.0, float("nan"), -2.0]])
def test_a_model_without_numbers_is_answered_without_numbers(lost: list[float]) -> None:
    table = answers(_scored(a1=(1, lost), a2=(0, [-1.0, -2.0, -3.0]))).set_index("item")
    assert table.loc["a1", ["gold_logprob", "margin", "choice_logprob"]].isna().all()
    assert table.loc["a2", "margin"] == 1.0
    assert not table.loc["a1", "correct"]


@pytest.mark.parametrize("normalisation", ["token", "byte"])
def test_longer_answers_of_the_same_likelihood_per_unit_are_answered_alike(normalisation: str) -> None:
    rng = np.random.default_rng(0)
    units, per_unit = rng.integers(1, 9, 12), -rng.random(12)
    scored = pd.concat([_scored(**{f"a{item}": (item % 3, list(per_unit[3 * item :][:3]))}) for item in range(4)])
    scored = scored.reset_index(drop=True).assign(normalisation=normalisation)
    tables = [answers(scored.assign(units=times * units, logprob=times * units * per_unit)) for times in (1, 2, 5)]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])
    pd.testing.assert_frame_equal(tables[0], answers(scored))


def test_the_answer_is_the_choice_that_is_likeliest_per_unit() -> None:
    scored = _scored(a1=(0, [-4.0, -3.0, -9.0]))
    assert not answers(scored)["correct"][0]
    table = answers(scored.assign(units=[4, 1, 5], normalisation="token"))
    assert table["correct"][0]
    assert table["gold_logprob"][0] == -1.0
    assert table["margin"][0] == pytest.approx(0.8)
    assert table["choice_logprob"][0] == pytest.approx(-1 - log(np.exp([-1.0, -3.0, -1.8]).sum()))
    assert summarise(table)["normalisation"].tolist() == ["token"]


def test_two_benchmarks_with_items_of_one_name_stay_apart() -> None:
    one = _scored(a1=(0, [-1.0, -2.0]))
    both: Any = pd.concat([one, one.assign(benchmark="b", logprob=[-9.0, -1.0])], ignore_index=True)
    assert answers(both)["correct"].tolist() == [True, False]


def test_a_benchmark_is_the_mean_over_its_items() -> None:
    scored = _scored(a1=(0, [-1.0, -2.0]), a2=(0, [-3.0, -2.0]), b1=(1, [-2.0, -1.0]))
    table = summarise(answers(scored)).set_index("benchmark")
    assert table["accuracy"].to_dict() == {"a": 0.5, "b": 1.0}
    assert table["gold_logprob"].to_dict() == {"a": -2.0, "b": -1.0}
    assert list(table.index) == ["a", "b"]


def test_a_guesser_is_right_as_often_as_items_have_few_choices() -> None:
    scored = _scored(a1=(0, [-1.0, -2.0]), a2=(0, [-3.0, -2.0, -1.0, -4.0]), b1=(1, [-2.0, -1.0]))
    table = guess(scored).set_index("benchmark")
    assert table["items"].to_dict() == {"a": 2, "b": 1}
    assert table["chance"].to_dict() == {"a": 0.375, "b": 0.5}
