"""What a log-probability is divided by: nothing, tokens or bytes, one unit for the whole study."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import pytest

from social_provenance.capabilities.answers import answers
from social_provenance.capabilities.normalisation import NORMALISATIONS, Normalise, normalise_choices
from social_provenance.errors import BenchmarkError


def _choices(**benchmarks: list[tuple[int, int]]) -> pd.DataFrame:
    """Return choices of these numbers of tokens and bytes, two an item, of which the first is gold."""
    rows = [
        {
            "benchmark": name,
            "item": f"{name}/{number // 2}",
            "cluster": f"{name}/{number // 2}",
            "is_gold": not number % 2,
        }
        | {"completion": f" {'x' * size}", "completion_ids": list(range(tokens)), "bytes": size}
        for name, lengths in benchmarks.items()
        for number, (tokens, size) in enumerate(lengths)
    ]
    return pd.DataFrame(rows)


SHORT = [(1, 3), (1, 7), (1, 2), (1, 5)]
LONG = [(1, 3), (4, 9)]


@pytest.mark.parametrize("normalise", get_args(Normalise))
@pytest.mark.parametrize("benchmarks", [{"a": SHORT}, {"a": LONG}, {"a": SHORT, "b": LONG}])
def test_all_benchmarks_of_a_study_have_one_unit(
    normalise: Normalise, benchmarks: dict[str, list[tuple[int, int]]]
) -> None:
    choices = _choices(**benchmarks)
    table = normalise_choices(choices, normalise)
    (by,) = table["normalisation"].unique()
    assert by in NORMALISATIONS
    assert normalise in (by, "auto")
    lengths = {"none": 1, "token": choices["completion_ids"].map(len), "byte": choices["bytes"]}
    assert (table["units"] == lengths[by]).all()


@pytest.mark.parametrize("tokens", [1, 4])
def test_auto_divides_by_nothing_where_all_answers_have_as_many_tokens(tokens: int) -> None:
    same = [(tokens, 3), (tokens, 9)]
    assert set(normalise_choices(_choices(a=same, b=same), "auto")["normalisation"]) == {"none"}
    assert set(normalise_choices(_choices(a=same, b=[(tokens, 3), (tokens + 1, 3)]), "auto")["normalisation"]) == {
        "token"
    }


def test_answers_of_one_token_are_the_same_with_and_without_a_division_by_tokens() -> None:
    choices = _choices(a=SHORT).assign(logprob=[-0.1, -2.5, -1.75, -0.3])
    by = [answers(normalise_choices(choices, how)).drop(columns="normalisation") for how in ("none", "token", "auto")]
    pd.testing.assert_frame_equal(by[0], by[1], check_exact=True)
    pd.testing.assert_frame_equal(by[0], by[2], check_exact=True)


def test_a_choice_without_bytes_is_refused_only_where_bytes_are_the_unit() -> None:
    choices = _choices(a=[(1, 3), (1, 0)])
    message = "benchmark a, item a/0: choice ' ' has no bytes to be normalised by"
    with pytest.raises(BenchmarkError, match=message):
        normalise_choices(choices, "byte")
    assert len(normalise_choices(choices, "token")) == 2
