"""A random set is as long, as steep and as hard as the targeted one, and otherwise a matter of chance."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from social_provenance.forgetting.design.matching import (
    Pool,
    SetMoments,
    balance,
    draw_matched,
    standardised_differences,
)
from social_provenance.forgetting.settings import Matching
from social_provenance.forgetting.vocabulary import VARIABLES

SIZE = 24
ALL = Matching(variables=VARIABLES)


def skewed(count: int = 600, seed: int = 0) -> pd.DataFrame:
    """Return documents as a corpus has them: a few are very long, and the long ones have the small gradients."""
    rng = np.random.default_rng(seed)
    length = np.round(rng.lognormal(5, 0.7, count)) + 1
    return pd.DataFrame(
        {
            "doc_id": [f"d{number:04d}" for number in range(count)],
            "length": length,
            "grad_norm": rng.lognormal(0, 0.4, count) / np.sqrt(length),
            "loss": rng.normal(4, 0.5, count),
        }
    )


def targets(documents: pd.DataFrame, size: int = SIZE) -> list[str]:
    """Return documents that are no fair sample: longer and easier than the others, like influential ones."""
    rank = np.log(documents["length"]) - documents["loss"] + np.random.default_rng(1).normal(0, 1.5, len(documents))
    ids: list[str] = documents.loc[rank.nlargest(size).index, "doc_id"].tolist()
    return ids


def draw(documents: pd.DataFrame, targeted: list[str], seed: int = 0, settings: Matching | None = None) -> list[str]:
    return draw_matched(Pool.of(documents), targeted, settings or ALL, random.Random(seed))


def test_the_difference_is_that_of_means_over_the_root_of_the_mean_variance() -> None:
    targeted, control = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 8.0]]), np.array([[2.0, 6.0], [4.0, 6.0], [6.0, 6.0]])
    # Means 2 and 4, variances 1 and 4; means 6 and 6.
    assert standardised_differences(targeted, control) == pytest.approx([-2 / np.sqrt(2.5), 0])


def test_sets_of_another_size_have_their_own_means_and_variances() -> None:
    targeted, control = np.array([[1.0], [3.0]]), np.array([[0.0], [2.0], [4.0], [6.0]])
    spread = np.sqrt((2 + 20 / 3) / 2)
    assert standardised_differences(targeted, control) == pytest.approx([-1 / spread])
    assert standardised_differences(control, targeted) == pytest.approx([1 / spread])


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e9 + 0.7])
def test_a_constant_makes_no_difference_and_another_constant_an_infinite_one(value: float) -> None:
    assert standardised_differences(np.full((7, 1), value), np.full((1000, 1), value)) == 0
    assert standardised_differences(np.full((7, 1), value), np.full((3, 1), value * 2)) == -np.inf


def test_a_far_away_zero_point_does_not_change_the_difference() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(24, 3)), rng.normal(size=(30, 3))
    expected = standardised_differences(one, other)
    np.testing.assert_allclose(standardised_differences(one + 1e7, other + 1e7), expected, rtol=1e-6)


def test_moments_after_exchanges_are_those_of_the_set_that_is_left() -> None:
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(40, 3))
    inside, outside = list(range(15)), list(range(15, 40))
    moments = SetMoments.of(values[inside])
    for _ in range(500):
        leaves, comes = rng.integers(15), rng.integers(25)
        moments = moments.exchange(values[inside[leaves]], values[outside[comes]])
        inside[leaves], outside[comes] = outside[comes], inside[leaves]
    scratch = SetMoments.of(values[inside])
    assert moments.count == scratch.count
    np.testing.assert_allclose(moments.sums, scratch.sums)
    np.testing.assert_allclose(moments.squares, scratch.squares)


@pytest.mark.parametrize("pool_seed", range(4))
def test_a_control_of_a_skewed_pool_is_matched_where_the_pool_itself_is_not(pool_seed: int) -> None:
    documents = skewed(seed=pool_seed)
    targeted = targets(documents)
    pool = Pool.of(documents)
    for seed in range(5):
        rows = balance(pool, targeted, draw(documents, targeted, seed))
        assert max(abs(row["standardised_difference"]) for row in rows) < 0.1
        assert max(abs(row["unmatched_difference"]) for row in rows) > 0.3
        tokens = next(row for row in rows if row["variable"] == "length")
        assert tokens["control"] == pytest.approx(tokens["targeted"], rel=0.02)


def test_a_set_has_the_targets_size_and_no_document_twice() -> None:
    documents = skewed(SIZE + 3)
    chosen = draw(documents, targets(documents))
    assert len(chosen) == len(set(chosen)) == SIZE
    assert set(chosen) <= set(documents["doc_id"])


def test_a_targeted_document_may_be_drawn_and_need_not_be() -> None:
    documents = skewed(200)
    targeted = targets(documents)
    sets = [set(draw(documents, targeted, seed)) for seed in range(10)]
    shared = [len(own & set(targeted)) for own in sets]
    assert any(shared)
    assert max(shared) < SIZE / 2
    assert len({frozenset(own) for own in sets}) == 10


def test_a_seed_gives_its_set_again_and_the_pools_order_does_not_matter() -> None:
    documents = skewed()
    targeted = targets(documents)
    assert draw(documents.sample(frac=1, random_state=3), targeted, 5) == draw(documents, targeted, 5)
    assert draw(documents, targeted, 6) != draw(documents, targeted, 5)


def test_a_seed_gives_its_set_in_every_process() -> None:
    documents = skewed(100)
    code = (
        "import importlib.util, json\n"
        f"spec = importlib.util.spec_from_file_location('tests', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "documents = module.skewed(100)\n"
        "print(json.dumps(module.draw(documents, module.targets(documents))))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}  # orders a set of strings in another way
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == draw(documents, targets(documents))


def test_with_one_neighbour_and_nothing_to_exchange_the_set_is_the_targeted_one() -> None:
    documents = skewed()
    targeted = targets(documents)
    assert sorted(draw(documents, targeted, settings=Matching(variables=VARIABLES, neighbours=1))) == sorted(targeted)


@pytest.mark.parametrize("constants", [("grad_norm",), ("grad_norm", "loss"), VARIABLES])
def test_a_variable_that_is_the_same_everywhere_does_not_hinder_the_others(constants: tuple[str, ...]) -> None:
    documents = skewed().assign(**dict.fromkeys(constants, 0.1))
    targeted = targets(skewed())
    rows = balance(Pool.of(documents), targeted, draw(documents, targeted))
    assert max(abs(row["standardised_difference"]) for row in rows) < 0.1
    assert all(row["unmatched_difference"] == 0 for row in rows if row["variable"] in constants)


def test_a_variable_that_is_not_matched_is_left_to_chance_and_still_reported() -> None:
    documents = skewed(2000)
    hardest = documents.nlargest(SIZE, "loss")["doc_id"].tolist()
    differences = {}
    for variables in (("length",), ("length", "grad_norm"), VARIABLES):
        control = draw(documents, hardest, settings=Matching(variables=variables))
        rows = {
            row["variable"]: abs(row["standardised_difference"])
            for row in balance(Pool.of(documents), hardest, control)
        }
        assert all(rows[name] < 0.1 for name in variables)
        differences[variables] = rows["loss"]
    assert differences.pop(VARIABLES) < 0.1
    assert min(differences.values()) > 2


@pytest.mark.parametrize("variables", [(), ("loss",), ("grad_norm", "loss"), ("length", "length")])
def test_the_length_is_always_matched_and_no_variable_twice(variables: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match=r"must name length, and each variable once|at least 1 item"):
        Matching(variables=variables)


def test_where_nothing_is_alike_enough_the_search_ends_and_the_balance_tells() -> None:
    documents = skewed(80)
    targeted = targets(documents)
    control = draw(documents, targeted, settings=Matching(variables=VARIABLES, tolerance=1e-9, token_tolerance=1e-9))
    assert len(set(control)) == SIZE
    rows = balance(Pool.of(documents), targeted, control)
    assert 1e-9 < max(abs(row["standardised_difference"]) for row in rows) < 0.1  # as near as it came


def test_the_balance_has_the_means_of_all_three() -> None:
    documents = skewed(50)
    targeted, control = targets(documents), draw(documents, targets(documents))
    rows = balance(Pool.of(documents), targeted, control)
    table = documents.set_index("doc_id")
    assert [row["variable"] for row in rows] == list(VARIABLES)
    for row in rows:
        column = table[row["variable"]]
        assert row["targeted"] == pytest.approx(column.loc[targeted].mean())
        assert row["control"] == pytest.approx(column.loc[control].mean())
        assert row["unmatched"] == pytest.approx(column.mean())
