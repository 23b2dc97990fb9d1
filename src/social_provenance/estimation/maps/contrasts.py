"""Contrasts of social and STEM benchmarks, at the reasoning level and at the knowledge level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from social_provenance.capabilities.benchmark import Evaluation, Level
from social_provenance.estimation.maps.influence import AXES, PROFILES, Influence
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["kind", "method", "axis", "topic", "format", "n_documents", "ess", "difference", "se", "ci_low", "ci_high"]


@dataclass(frozen=True)
class ContrastDesign:
    """The contrasts that the benchmarks of a study allow.

    Attributes:
        names: (kind, method) of each contrast, by kind.
        weights: Weights of the columns of the influence, shape (columns, contrasts).
    """

    names: list[tuple[str, str]]
    weights: np.ndarray


def contrast_design(columns: list[tuple[str, str]], evaluation: Evaluation) -> ContrastDesign:
    """Return the contrasts of each level that has benchmarks in both domains, for every method.

    Args:
        columns: (benchmark, method) of each column.
        evaluation: Domain and level of each benchmark.
    """
    methods = list(dict.fromkeys(method for _, method in columns))
    names, weights = [], []
    for kind in get_args(Level):
        social, stem = evaluation.cell("social", kind), evaluation.cell("stem", kind)
        if not social or not stem:
            continue
        for method in methods:
            names.append((kind, method))
            weights.append(
                [
                    ((benchmark in social) / len(social) - (benchmark in stem) / len(stem)) * (used == method)
                    for benchmark, used in columns
                ]
            )
    return ContrastDesign(names, np.array(weights, dtype=float).reshape(-1, len(columns)).T)


def contrast(influence: Influence, evaluation: Evaluation) -> pd.DataFrame:
    """Return the contrasts of bins, topics and formats.

    The difference is the mean ``z`` over the social benchmarks of a level minus that over its STEM
    benchmarks. All benchmarks share the resampled documents, so the interval is of the difference
    paired by document; queries are resampled for each benchmark.

    Returns:
        ``kind`` (``reasoning``, ``knowledge``), ``method``, ``axis`` (``bin``, ``topic``,
        ``format``), ``topic``, ``format`` (null where averaged over), ``n_documents``, ``ess``,
        ``difference``, ``se``, ``ci_low``, ``ci_high``. A level without benchmarks on both sides has
        no rows.
    """
    import pandas as pd

    design = contrast_design(influence.columns, evaluation)
    rows = {axis: _rows_along(influence, design, axis) for axis in PROFILES}
    frames = [
        rows[axis][index].assign(kind=kind, method=method, axis=axis)
        for index, (kind, method) in enumerate(design.names)
        for axis in PROFILES
    ]
    return pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)


def _rows_along(influence: Influence, design: ContrastDesign, axis: str) -> list[pd.DataFrame]:
    """Return the rows of each contrast over bins, topics or formats."""
    import pandas as pd

    difference = influence.profile(axis) @ design.weights
    uncertainty = influence.deviations(axis).over_columns(design.weights)
    blank = influence.without_interval(axis)[:, None] | ~np.isfinite(difference)
    low, high, error = (
        np.where(blank, np.nan, values)
        for values in (*uncertainty.interval(difference, influence.confidence), uncertainty.standard_error())
    )
    labels = _labels(axis).assign(**influence.sample_sizes(axis))
    return [
        pd.DataFrame(
            {
                **labels,
                "difference": difference[:, index],
                "se": error[:, index],
                "ci_low": low[:, index],
                "ci_high": high[:, index],
            }
        )
        for index in range(len(design.names))
    ]


def _labels(axis: str) -> pd.DataFrame:
    import pandas as pd

    if axis == "bin":
        return pd.DataFrame(BINS, columns=["topic", "format"])
    return pd.DataFrame({"topic": None, "format": None, axis: AXES[axis]})
