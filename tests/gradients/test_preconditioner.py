"""The preconditioner against its formula, written down in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from social_provenance.errors import AttributionError
from social_provenance.gradients.preconditioner import Preconditioner, SecondMoment, mix, second_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[..., Any]


def _moment(rows: Any, columns: slice) -> np.ndarray:
    block = rows.gradients[:, columns].astype(np.float64)
    return block.T @ block / len(block)


def _mix(query: Any, corpus: Any, component: int = 3, damping: float = 0.1) -> Preconditioner:
    moments = [second_moment(rows, 7) for rows in (query, corpus)]
    return mix(*moments, query.modules, target_component=component, damping=damping)


def test_a_second_moment_is_uncentred_and_of_each_module_alone(make_rows: Maker) -> None:
    rows = make_rows(gradients=np.random.default_rng(0).normal(loc=5, size=(30, 13)))
    found = second_moment(rows, 8)
    assert found.rows == 30
    for name, columns in rows.modules.items():
        np.testing.assert_allclose(found.matrices[name].numpy(), _moment(rows, columns), rtol=1e-4)


@pytest.mark.parametrize("chunk", [1, 7, 30, 1000])
def test_a_second_moment_does_not_depend_on_the_pieces(make_rows: Maker, chunk: int) -> None:
    rows = make_rows(30)
    usual, other = second_moment(rows, 30), second_moment(rows, chunk)
    for name in rows.modules:
        torch.testing.assert_close(other.matrices[name], usual.matrices[name], rtol=1e-5, atol=1e-5)


def test_eigenvalues_are_ascending_and_sum_to_the_trace(make_rows: Maker) -> None:
    moment = second_moment(make_rows(), 8)
    for name, values in moment.eigenvalues().items():
        assert (values.diff() >= 0).all()
        assert float(values.sum()) == pytest.approx(float(moment.matrices[name].trace()), rel=1e-5)


@pytest.mark.parametrize("component", [1, 5, 13])
@pytest.mark.parametrize("damping", [0.1, 2.0])
def test_the_roots_follow_the_formula(make_rows: Maker, component: int, damping: float) -> None:
    query, corpus = make_rows(20, seed=1), make_rows(50, seed=2)
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


def test_without_damping_gradients_come_out_white(make_rows: Maker) -> None:
    rows = make_rows(60)
    found = _mix(rows, rows, damping=0.0)
    white = found.apply(torch.from_numpy(rows.gradients).float()).double()
    for columns in rows.modules.values():
        block = white[:, columns]
        torch.testing.assert_close(
            block.T @ block / 60, torch.eye(block.shape[1], dtype=torch.double), atol=1e-3, rtol=0
        )


def test_modules_do_not_mix(make_rows: Maker) -> None:
    rows = make_rows()
    gradient = torch.from_numpy(rows.gradients[:1]).float()
    changed = gradient.clone()
    changed[:, rows.modules["down"]] += 1.0
    one, other = (_mix(rows, rows).apply(each) for each in (gradient, changed))
    assert torch.equal(one[:, rows.modules["up"]], other[:, rows.modules["up"]])
    assert not torch.equal(one[:, rows.modules["down"]], other[:, rows.modules["down"]])


def test_when_queries_and_corpus_agree_the_weights_do_not_matter(make_rows: Maker) -> None:
    rows = make_rows()
    found = _mix(rows, rows)
    assert found.mixing == pytest.approx(0.5)
    moment = second_moment(rows, 7)
    tenfold = SecondMoment({name: 10 * matrix for name, matrix in moment.matrices.items()}, moment.rows)
    other = mix(tenfold, moment, rows.modules, target_component=3, damping=0.1)
    assert other.mixing == pytest.approx(1 / 11)
    for (_, one), (_, two) in zip(found.roots, other.roots, strict=True):
        # 1/11 of ten times R and 10/11 of R are 20/11 of R, against R itself.
        torch.testing.assert_close(two, one * (11 / 20) ** 0.5, rtol=1e-4, atol=1e-5)


def test_a_singular_moment_without_damping_is_refused_by_its_module(make_rows: Maker) -> None:
    few = make_rows(gradients=np.eye(13)[:2])
    with pytest.raises(AttributionError, match=r"module 'up' cannot be inverted: raise scoring\.damping, which is 0"):
        _mix(few, few, damping=0.0)
