"""The preconditioner against its formula, written down in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.outliers import fit_winsoriser
from social_provenance.gradients.methods.preconditioner import (
    Preconditioner,
    SecondMoment,
    describe,
    mix,
    second_moment,
)
from social_provenance.gradients.walk.store import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]


def _numbers(store: GradientStore) -> np.ndarray:
    """Return all gradients of a store in double precision."""
    return np.concatenate([piece.gradients for piece in store.chunks(1000)]).astype(np.float64)


def _moment(store: GradientStore, columns: slice) -> np.ndarray:
    block = _numbers(store)[:, columns]
    return block.T @ block / len(block)


def _second(store: GradientStore, winsorise: float | None = None, chunk: int = 7) -> SecondMoment:
    return second_moment(store, fit_winsoriser(store, winsorise), chunk)


def _mix(query: GradientStore, corpus: GradientStore, component: int = 3, damping: float = 0.1) -> Preconditioner:
    return mix(_second(query), _second(corpus), query.modules, target_component=component, damping=damping)


def _with_outliers(gradients: np.ndarray, longest: float = 3e6) -> np.ndarray:
    changed = gradients.copy()
    changed[::9] *= np.linspace(30, longest, len(changed[::9]))[:, None]
    return changed


def _shortened(gradients: np.ndarray, winsorise: float) -> np.ndarray:
    norms = np.linalg.norm(gradients, axis=1)
    return gradients * np.minimum(1, winsorise * np.median(norms) / norms)[:, None]


def test_a_second_moment_is_uncentred_and_of_each_module_alone(make_store: Maker) -> None:
    store = make_store(gradients=np.random.default_rng(0).normal(loc=5, size=(30, 13)), shards=3)
    found = _second(store)
    assert found.rows == 30
    for name, columns in store.modules.items():
        np.testing.assert_allclose(found.matrices[name].numpy(), _moment(store, columns), rtol=1e-4)


@pytest.mark.parametrize(("chunk", "shards"), [(1, 1), (7, 3), (40, 1), (1000, 40)])
@pytest.mark.parametrize("winsorise", [None, 3.0])
def test_a_second_moment_does_not_depend_on_the_pieces(
    make_store: Maker, chunk: int, shards: int, winsorise: float | None
) -> None:
    gradients = _with_outliers(_numbers(make_store()))
    usual = _second(make_store(gradients=gradients), winsorise)
    other = _second(make_store(gradients=gradients, shards=shards), winsorise, chunk)
    for name, matrix in usual.matrices.items():
        torch.testing.assert_close(other.matrices[name], matrix, rtol=0, atol=1e-6 * float(matrix.max()))


@pytest.mark.parametrize("winsorise", [0.5, 3.0, 10.0])
def test_the_second_moment_of_shortened_outliers_is_that_of_shortened_gradients(
    make_store: Maker, winsorise: float
) -> None:
    gradients = _with_outliers(_numbers(make_store(60)))
    store, short = make_store(gradients=gradients, shards=2), make_store(gradients=_shortened(gradients, winsorise))
    found, raw = _second(store, winsorise), _second(store)
    for name, columns in store.modules.items():
        expected = _moment(short, columns)
        np.testing.assert_allclose(found.matrices[name].numpy(), expected, rtol=0, atol=1e-6 * expected.max())
        assert not np.allclose(raw.matrices[name].numpy(), expected, rtol=0.1)


def test_a_store_without_outliers_is_not_read_again(make_store: Maker) -> None:
    store = make_store()
    winsoriser, expected = fit_winsoriser(store, 10.0), _second(store)
    (folder,) = store.shards.values()
    (folder / NUMBERS).unlink()
    found = second_moment(store, winsoriser, 7)
    for name, matrix in expected.matrices.items():
        assert torch.equal(found.matrices[name], matrix)


def test_eigenvalues_are_ascending_and_sum_to_the_trace(make_store: Maker) -> None:
    moment = _second(make_store())
    for name, values in moment.eigenvalues().items():
        assert (values.diff() >= 0).all()
        assert float(values.sum()) == pytest.approx(float(moment.matrices[name].trace()), rel=1e-5)


@pytest.mark.parametrize("component", [1, 5, 13])
@pytest.mark.parametrize("damping", [0.1, 2.0])
def test_the_roots_follow_the_formula(make_store: Maker, component: int, damping: float) -> None:
    query, corpus = make_store(20, seed=1), make_store(50, seed=2)
    moments = {name: (_moment(query, columns), _moment(corpus, columns)) for name, columns in query.modules.items()}
    spectra = [
        np.sort(np.concatenate([np.linalg.eigvalsh(pair[side]) for pair in moments.values()]))[::-1] for side in (0, 1)
    ]
    weight = spectra[1][component - 1] / (spectra[0][component - 1] + spectra[1][component - 1])
    found = _mix(query, corpus, component, damping)
    assert found.mixing == pytest.approx(weight, rel=1e-4)
    for (columns, root), (name, expected) in zip(found.roots, query.modules.items(), strict=True):
        assert columns == expected
        mixed = weight * moments[name][0] + (1 - weight) * moments[name][1]
        values, vectors = np.linalg.eigh(mixed)
        direct = vectors * (values + damping * values.mean()) ** -0.5 @ vectors.T
        np.testing.assert_allclose(root.numpy(), direct, rtol=1e-3, atol=1e-4)


def test_without_damping_gradients_come_out_white(make_store: Maker) -> None:
    store = make_store(60)
    white = _mix(store, store, damping=0.0).apply(torch.from_numpy(_numbers(store)).float()).double()
    for columns in store.modules.values():
        block = white[:, columns]
        eye = torch.eye(block.shape[1], dtype=torch.double)
        torch.testing.assert_close(block.T @ block / 60, eye, atol=1e-3, rtol=0)


def test_modules_do_not_mix(make_store: Maker) -> None:
    store = make_store()
    gradient = torch.from_numpy(_numbers(store)[:1]).float()
    changed = gradient.clone()
    changed[:, store.modules["down"]] += 1.0
    one, other = (_mix(store, store).apply(each) for each in (gradient, changed))
    assert torch.equal(one[:, store.modules["up"]], other[:, store.modules["up"]])
    assert not torch.equal(one[:, store.modules["down"]], other[:, store.modules["down"]])


def test_when_queries_and_corpus_agree_the_weights_do_not_matter(make_store: Maker) -> None:
    store = make_store()
    found = _mix(store, store)
    assert found.mixing == pytest.approx(0.5)
    moment = _second(store)
    tenfold = SecondMoment({name: 10 * matrix for name, matrix in moment.matrices.items()}, moment.rows)
    other = mix(tenfold, moment, store.modules, target_component=3, damping=0.1)
    assert other.mixing == pytest.approx(1 / 11)
    for (_, one), (_, two) in zip(found.roots, other.roots, strict=True):
        # 1/11 of ten times R and 10/11 of R are 20/11 of R, against R itself.
        torch.testing.assert_close(two, one * (11 / 20) ** 0.5, rtol=1e-4, atol=1e-5)


def test_a_singular_moment_without_damping_is_refused_by_its_module(make_store: Maker) -> None:
    few = make_store(gradients=np.eye(13)[:2])
    with pytest.raises(AttributionError, match=r"module 'up' cannot be inverted: raise scoring\.damping, which is 0"):
        _mix(few, few, damping=0.0)


@pytest.mark.parametrize("seed", range(8))
def test_rounding_errors_do_not_hide_that_a_moment_is_singular(make_store: Maker, seed: int) -> None:
    """Eight gradients leave one direction of the nine empty, but for rounding errors of either sign."""
    few = make_store(8, seed=seed)
    with pytest.raises(AttributionError, match="module 'down' cannot be inverted"):
        _mix(few, few, damping=0.0)
    assert _mix(few, few, damping=1e-3).audit["condition"].max() < 1e5


def test_a_module_without_any_gradient_is_named(make_store: Maker) -> None:
    gradients = _numbers(make_store())
    gradients[:, 4:] = 0
    empty = make_store(gradients=gradients)
    with pytest.raises(
        AttributionError, match=r"module 'down' cannot be inverted: .* no document has a gradient there"
    ):
        _mix(empty, empty, damping=10.0)


@pytest.mark.parametrize(("damping", "share"), [(0.0, 0.0), (0.9, 0.0), (1.1, 1.0), (10.0, 1.0)])
def test_in_a_moment_like_the_identity_all_directions_count_alike(damping: float, share: float) -> None:
    found = describe(7 * torch.eye(5), damping)
    assert found["effective_rank"] == pytest.approx(5)
    assert found["condition"] == pytest.approx(1)
    assert (found["numbers"], found["damped_share"]) == (5, share)


def test_in_a_moment_of_rank_one_only_one_direction_counts() -> None:
    vector = torch.arange(1.0, 6.0)
    found = describe(torch.outer(vector, vector), 0.1)
    assert found["effective_rank"] == pytest.approx(1, abs=1e-4)
    # 55 is the one eigenvalue and 11 the mean of all: (55 + 1.1) / 1.1.
    assert found["condition"] == pytest.approx(51, rel=1e-4)
    assert found["damped_share"] == 0.8


@pytest.mark.parametrize(("damping", "share"), [(0.4, 0.0), (0.6, 0.5), (1.1, 0.75), (2.1, 1.0)])
def test_the_audit_of_a_known_spectrum_is_as_by_hand(damping: float, share: float) -> None:
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))[0]
    found = describe(turn @ torch.diag(torch.tensor([2.0, 8.0, 2.0, 4.0])) @ turn.T, damping)
    # Shares of 1/2, 1/4, 1/8 and 1/8 have an entropy of 7/4 bits; the mean is 4.
    assert found["effective_rank"] == pytest.approx(2**1.75)
    assert found["condition"] == pytest.approx((8 + 4 * damping) / (2 + 4 * damping), rel=1e-5)
    assert found["damped_share"] == share


def test_the_audit_of_a_preconditioner_describes_the_mixed_matrices(make_store: Maker) -> None:
    query, corpus = make_store(20, seed=1), make_store(50, seed=2)
    found = _mix(query, corpus, damping=0.3)
    assert list(found.audit) == ["module", "numbers", "effective_rank", "condition", "damped_share"]
    assert found.audit["module"].tolist() == ["up", "down"]
    for (_, columns), row in zip(query.modules.items(), found.audit.to_dict("records"), strict=True):
        mixed = found.mixing * _moment(query, columns) + (1 - found.mixing) * _moment(corpus, columns)
        expected = describe(torch.from_numpy(mixed), 0.3)
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-4)
