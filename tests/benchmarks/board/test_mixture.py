"""The linear datamodel recovers linear effects, and ranks larger models of RegMix by the losses of small ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import spearmanr

from board.mixture import fit_mixture, predict_held_out

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
SHARES = RNG.dirichlet(np.ones(6), 60)
WEIGHTS = np.array([3.0, -2, 0, 0, 1, 0.5])


def test_linear_effects_are_recovered() -> None:
    halves = RNG.integers(0, 2, (40, 6)).astype(float)
    fitted = fit_mixture(halves, halves @ WEIGHTS + 4)
    np.testing.assert_allclose(fitted.weights, WEIGHTS, atol=1e-3)
    assert fitted.intercept == pytest.approx(4, abs=1e-3)


def test_an_offset_of_the_outcome_moves_the_intercept_only() -> None:
    outcome = SHARES @ WEIGHTS + RNG.normal(0, 0.1, 60)
    one, other = fit_mixture(SHARES, outcome), fit_mixture(SHARES, outcome + 7)
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-9)
    assert other.intercept - one.intercept == pytest.approx(7)


def test_noise_raises_the_penalty() -> None:
    clean, noise = SHARES @ WEIGHTS, RNG.normal(0, 5, 60)
    assert fit_mixture(SHARES, noise).penalty > fit_mixture(SHARES, clean).penalty


def test_a_held_out_group_is_not_seen() -> None:
    outcome = SHARES @ WEIGHTS
    groups = list(np.arange(60) // 2)
    changed = outcome.copy()
    changed[:2] += 100
    one, other = predict_held_out(SHARES, outcome, groups), predict_held_out(SHARES, changed, groups)
    np.testing.assert_allclose(one[:2], other[:2])
    assert not np.allclose(one[2:], other[2:])
    np.testing.assert_allclose(one, outcome, atol=1e-2)


def test_chance_is_not_predicted() -> None:
    noise = RNG.normal(0, 1, 60)
    assert spearmanr(predict_held_out(SHARES, noise, range(60)), noise).statistic < 0.3


@pytest.mark.parametrize(("size", "published"), [("60m", 0.89), ("1B", 0.88)])
def test_small_models_rank_larger_ones_as_published(shared_data: Path, size: str, published: float) -> None:
    import pandas as pd

    folder = shared_data / "regmix"
    if not folder.is_dir():
        pytest.skip(f"needs the public mixtures and losses of RegMix in {folder}")
    loss = "metric/the_pile_pile_cc_val_loss"
    tables = ["train_{}_1m.csv", f"test_{{}}_{size}.csv"]
    (shares, small), (asked, large) = (
        [pd.read_csv(folder / name.format(kind), index_col="index") for kind in ("mixture", "pile_loss")]
        for name in tables
    )
    fitted = fit_mixture(shares.to_numpy(), small[loss].to_numpy())
    ranked = spearmanr(fitted.predict(asked[shares.columns].to_numpy()), large[loss]).statistic
    assert ranked == pytest.approx(published, abs=0.015)
