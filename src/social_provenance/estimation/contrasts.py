"""Social minus STEM, once at the reasoning level and once at the knowledge level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from social_provenance.capabilities.benchmark import Evaluation, Level
from social_provenance.estimation.aggregate import AXES, Influence
from social_provenance.estimation.resample import interval
from social_provenance.regions.grid import FORMATS, TOPICS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def contrast(influence: Influence, evaluation: Evaluation) -> pd.DataFrame:
    """Return the contrasts of bins, topics and formats.

    The difference is the mean ``z`` over the social benchmarks of a level minus that over its STEM
    benchmarks; the draws of the bootstrap are shared by all benchmarks, so the interval is of the
    paired difference.

    Returns:
        ``kind`` (``reasoning``, ``knowledge``), ``method``, ``axis`` (``bin``, ``topic``,
        ``format``), ``topic``, ``format`` (null where averaged over), ``difference``, ``ci_low``,
        ``ci_high``. A level without benchmarks on both sides has no rows.
    """
    import pandas as pd

    methods = list(dict.fromkeys(method for _, method in influence.columns))
    frames = []
    for kind in get_args(Level):
        social, stem = evaluation.cell("social", kind), evaluation.cell("stem", kind)
        if not social or not stem:
            continue
        for method in methods:
            weights = _weights(influence.columns, method, social, stem)
            frames += [frame.assign(kind=kind, method=method) for frame in _differences(influence, weights)]
    columns = ["kind", "method", "axis", "topic", "format", "difference", "ci_low", "ci_high"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def _weights(columns: list[tuple[str, str]], method: str, social: list[str], stem: list[str]) -> np.ndarray:
    import numpy as np

    weights = np.zeros(len(columns))
    for place, (benchmark, used) in enumerate(columns):
        if used == method:
            weights[place] = (benchmark in social) / len(social) - (benchmark in stem) / len(stem)
    return weights


def _differences(influence: Influence, weights: np.ndarray) -> list[pd.DataFrame]:
    import pandas as pd

    grid = pd.MultiIndex.from_product([TOPICS, FORMATS], names=["topic", "format"]).to_frame(index=False)
    frames = [_frame(influence.z, influence.z_replicates, weights, influence.confidence, grid.assign(axis="bin"))]
    for axis, labels in AXES.items():
        point = influence.marginal(axis).pivot(index=axis, columns=["benchmark", "method"], values="z")
        values = point.loc[list(labels)][influence.columns].to_numpy()
        named = pd.DataFrame({"topic": None, "format": None, axis: labels, "axis": axis})
        frames.append(_frame(values, influence.marginal_replicates(axis), weights, influence.confidence, named))
    return frames


def _frame(
    values: np.ndarray, replicates: np.ndarray, weights: np.ndarray, confidence: float, labels: Any
) -> pd.DataFrame:
    low, high = interval(replicates @ weights, confidence)
    frame: pd.DataFrame = labels.assign(
        difference=(values @ weights).reshape(-1), ci_low=low.reshape(-1), ci_high=high.reshape(-1)
    )
    return frame
