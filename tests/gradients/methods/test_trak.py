"""TRAK is an inner product under one kernel: its formula, the kernel against a dense inverse, and what has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.outliers import fit_winsoriser
from social_provenance.gradients.methods.preconditioner import Preconditioner
from social_provenance.gradients.methods.score_files import BLOCKS
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.methods.trak import Trak, invert_kernel, refuse_kernel
from social_provenance.gradients.walk.store import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]
    Of = Callable[..., np.ndarray]

BLOCKS_OF_QUERIES = (0, 2, 1, 0, 2, 2, 0, 1, 1, 0, 2)
PRECONDITIONER = Preconditioner((), 0.5, pd.DataFrame())
"""Plays no part in TRAK."""


def _kernel(
    store: GradientStore, *, damping: float = 0.1, max_joint: int = 13, chunk: int = 7, winsorise: float | None = None
) -> torch.Tensor:
    winsoriser = fit_winsoriser(store, winsorise)
    return invert_kernel(store, winsoriser, damping=damping, max_joint=max_joint, chunk=chunk)


def _with_outliers(gradients: np.ndarray, longest: float = 3e6) -> np.ndarray:
    changed = gradients.copy()
    changed[::9] *= np.linspace(30, longest, len(changed[::9]))[:, None]
    return changed


def _shortened(gradients: np.ndarray, winsorise: float) -> np.ndarray:
    norms = np.linalg.norm(gradients, axis=1)
    return gradients * np.minimum(1, winsorise * np.median(norms) / norms)[:, None]


@pytest.mark.parametrize("damping", [0.01, 0.1, 10.0])
def test_a_score_is_the_mean_inner_product_under_the_inverse_kernel(
    make_store: Maker, of: Of, numbers: Of, damping: float
) -> None:
    corpus, queries = make_store(50, seed=1, shards=3), make_store(11, seed=2, blocks=BLOCKS_OF_QUERIES)
    documents, asked = numbers(corpus), numbers(queries)
    kernel = documents.T @ documents / len(documents)
    kernel += damping * np.trace(kernel) / 13 * np.eye(13)
    by_query = documents @ np.linalg.inv(kernel) @ asked.T
    blocks = np.array(BLOCKS_OF_QUERIES)
    expected = np.array([by_query[:, blocks == block].mean(axis=1) for block in range(3)]).T
    scale = np.abs(by_query).max()
    np.testing.assert_allclose(of(corpus, queries, "trak", BLOCKS, damping=damping), expected, atol=1e-4 * scale)
    np.testing.assert_allclose(of(corpus, queries, "trak", damping=damping), by_query.mean(axis=1), atol=1e-4 * scale)


def test_scores_are_linear_in_a_documents_gradient(make_store: Maker, of: Of, numbers: Of) -> None:
    gradients = numbers(make_store(50, seed=1))
    gradients[1] = 3 * gradients[0]
    gradients[4] = gradients[2] + 0.5 * gradients[3]
    scores = of(make_store(gradients=gradients), make_store(11, seed=2), "trak")
    assert scores[1] == pytest.approx(3 * scores[0], rel=1e-4)
    assert scores[4] == pytest.approx(scores[2] + 0.5 * scores[3], rel=1e-3)


def test_a_kernel_that_is_too_large_is_refused_when_scores_are_computed(
    make_store: Maker, scoring: Any, tmp_path: Path
) -> None:
    parts = plan_scores(make_store(20), {"siqa": {"items": make_store(5)}}, scoring(max_joint=12))
    with pytest.raises(AttributionError, match=r"13 x 13 dimensions, scoring\.max_joint allows 12"):
        list(parts.write({"siqa": tmp_path}))


@pytest.mark.parametrize("damping", [0.0, 0.1, 10.0])
@pytest.mark.parametrize("winsorise", [None, 3.0])
def test_the_joint_kernel_is_the_inverse_over_all_modules(
    make_store: Maker, numbers: Of, damping: float, winsorise: float | None
) -> None:
    gradients = _with_outliers(numbers(make_store(60)), 300)
    store = make_store(gradients=gradients, shards=2)
    used = gradients if winsorise is None else _shortened(gradients, winsorise)
    moment = used.T @ used / len(used)
    inverse = np.linalg.inv(moment + damping * np.trace(moment) / 13 * np.eye(13))
    assert np.abs(inverse[:4, 4:]).max() > 1e-3 * np.abs(inverse).max()
    for chunk in (1, 13, 1000):
        found = _kernel(store, damping=damping, winsorise=winsorise, chunk=chunk)
        np.testing.assert_allclose(found.numpy(), inverse, atol=1e-3 * np.abs(inverse).max())
        rows = torch.from_numpy(used[:3]).float()
        np.testing.assert_allclose(
            Trak(found).transform_queries(rows, PRECONDITIONER),
            used[:3] @ inverse,
            atol=1e-2 * np.abs(used[:3] @ inverse).max(),
        )


def test_a_joint_kernel_above_the_limit_is_refused_before_it_is_made(make_store: Maker) -> None:
    store = make_store()
    (folder,) = store.shards.values()
    assert _kernel(store, max_joint=13).shape == (13, 13)
    (folder / NUMBERS).unlink()
    said = r"kernel of 13 x 13 dimensions, scoring\.max_joint allows 12: leave trak out of scoring\.methods, lower"
    with pytest.raises(AttributionError, match=said):
        _kernel(store, max_joint=12)


@pytest.mark.parametrize("seed", range(8))
def test_a_singular_joint_kernel_is_refused_unless_it_is_damped(make_store: Maker, seed: int) -> None:
    few = make_store(12, seed=seed)
    said = r"joint kernel of trak cannot be inverted: raise scoring\.damping, which is 0\.0, or attribute to more"
    with pytest.raises(AttributionError, match=said):
        _kernel(few, damping=0.0)
    assert _kernel(few, damping=0.1).isfinite().all()


@pytest.mark.parametrize("damping", [0.0, 0.1])
@pytest.mark.parametrize("max_joint", [12, 13, 14])
@pytest.mark.parametrize("documents", [12, 13, 60])
def test_what_is_refused_before_the_walk_is_what_would_be_refused_after_it(
    make_store: Maker, damping: float, max_joint: int, documents: int
) -> None:
    def outcome(call: Callable[..., Any], *given: Any) -> str:
        try:
            call(*given, damping=damping, max_joint=max_joint)
        except AttributionError as error:
            return str(error)
        return "computed"

    early = outcome(refuse_kernel, 13, documents)
    assert early == outcome(_kernel, make_store(documents))
    assert (early == "computed") == (max_joint >= 13 and (damping > 0 or documents >= 13))


def test_a_joint_kernel_without_any_gradient_is_refused(make_store: Maker) -> None:
    with pytest.raises(AttributionError, match="joint kernel of trak cannot be inverted"):
        _kernel(make_store(gradients=np.zeros((20, 13))))
