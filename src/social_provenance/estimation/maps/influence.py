"""Influence on the grid of topics and formats, and the tables of it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from social_provenance.estimation.bootstrap.uncertainty import Uncertainty
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

AXES: dict[str, tuple[str, ...]] = {"topic": TOPICS, "format": FORMATS}
"""Axis of the grid -> its labels; a grid array is topics x formats, in this order."""
LEVELS = ("bin", *AXES)
"""What a profile may be over."""


def label_indices(axis: str) -> np.ndarray:
    """Return for each bin the place of its topic (or format) along the axis."""
    every = np.arange(len(BINS))
    return every // len(FORMATS) if axis == "topic" else every % len(FORMATS)


def columns_by_method(columns: list[tuple[str, str]]) -> dict[str, list[int]]:
    """Return the places of each method's columns, given their (benchmark, method)."""
    found: dict[str, list[int]] = {}
    for place, (_, method) in enumerate(columns):
        found.setdefault(method, []).append(place)
    return found


@dataclass(frozen=True)
class Influence:
    """Influence on the grid of topics and formats, with its bootstrap deviations.

    Attributes:
        columns: (benchmark, method) of each column.
        counts: Topics x formats: documents.
        ess: Topics x formats: effective sample size over clusters, 0 where a bin is empty.
        potency: Topics x formats x columns: mean score, NaN where a bin is empty.
        z: The same, standardised over the bins.
        spread: Of each column: the unit of z, in units of the score.
        share: Topics x formats: prevalence.
        confidence: Level of every interval, 0 to 1.
        uncertainty: Deviations of potency, labels being the 576 bins.
        halves: ``documents``, ``queries`` -> 2 x splits x bins x columns: potency of either half.
        top_ten: Axis -> labels x columns: share of the pull of ten documents.
    """

    columns: list[tuple[str, str]]
    counts: np.ndarray
    ess: np.ndarray
    potency: np.ndarray
    z: np.ndarray
    spread: np.ndarray
    share: np.ndarray
    confidence: float
    uncertainty: Uncertainty
    halves: Mapping[str, np.ndarray]
    top_ten: Mapping[str, np.ndarray]

    def pack(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the arrays by name, ``halves.documents`` of those within, and the rest."""
        own = vars(self)
        parts = {"uncertainty": vars(self.uncertainty), "halves": self.halves, "top_ten": self.top_ten}
        rest = {"columns": self.columns, "confidence": self.confidence}
        within = {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}
        return {name: own[name] for name in own if name not in {*parts, *rest}} | within, rest

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> Self:
        """Return what :meth:`pack` took apart."""
        parts: dict[str, Any] = {}
        for name, array in arrays.items():
            part, _, within = name.partition(".")
            if within:
                parts.setdefault(part, {})[within] = array
            else:
                parts[part] = array
        parts["uncertainty"] = Uncertainty(**parts["uncertainty"])
        return cls(**{**record, **parts, "columns": [(benchmark, method) for benchmark, method in record["columns"]]})

    def profile(self, level: str) -> np.ndarray:
        """Return z of bins, topics or formats, labels x columns; NaN where there are no documents."""
        if level == "bin":
            return self.z.reshape(len(BINS), -1)
        return _quiet("nanmean", self.z, axis=1 if level == "topic" else 0)

    def deviations(self, level: str) -> Uncertainty:
        """Return the deviations of z of bins, topics or formats.

        A draw that moves all bins alike moves their centre too, and no z.
        """
        filled = self.counts.reshape(-1) > 0
        if level == "bin":
            return self.uncertainty.from_mean(filled).scaled(1 / np.asarray(self.spread))
        weights = self._means(level)
        centred = weights - weights.sum(axis=1, keepdims=True) * filled / max(filled.sum(), 1)
        return self.uncertainty.over_labels(centred).scaled(1 / np.asarray(self.spread))

    def sample_sizes(self, level: str) -> dict[str, np.ndarray]:
        """Return documents and effective sample size of each label.

        The size of a topic is that of its unweighted mean over bins: 1 / sum of the squared weights of
        its clusters.
        """
        weights = self._means(level)
        ess = self.ess.reshape(-1)
        inverse = np.divide(1, ess, out=np.zeros_like(ess), where=ess > 0)
        squares = weights**2 @ inverse
        size = np.divide(1, squares, out=np.full_like(squares, np.nan), where=squares > 0)
        return {"n_documents": (weights > 0) @ self.counts.reshape(-1), "ess": size}

    def profile_halves(self, side: str, level: str) -> np.ndarray:
        """Return z of either half of the documents or the queries, 2 x splits x labels x columns.

        The unit of z is that of the whole, so halves may be subtracted from each other.
        """
        halves: np.ndarray = self.halves[side] / self.spread
        if level == "bin":
            return halves
        grid = halves.reshape(*halves.shape[:2], len(TOPICS), len(FORMATS), -1)
        return _quiet("nanmean", grid, axis=3 if level == "topic" else 2)

    def total_sizes(self) -> dict[str, float]:
        """Return documents and effective sample size of the whole grid, every bin with the same weight."""
        inverse = 1 / self.ess[self.ess > 0]
        size = len(inverse) ** 2 / inverse.sum() if len(inverse) else np.nan
        return {"n_documents": int(self.counts.sum()), "ess": float(size)}

    def without_interval(self, level: str) -> np.ndarray:
        """Say of each label whether documents tell nothing of its spread: no bin of it has two clusters."""
        single = self._single()
        if level == "bin":
            return single.reshape(-1)
        return np.asarray(single.all(axis=1 if level == "topic" else 0))

    def bins(self) -> pd.DataFrame:
        """Return the table ``bin_influence``: one row for each of the 576 bins, empty ones too."""
        potency, share = self.potency.reshape(len(BINS), -1), self.share.reshape(-1, 1)
        low, high = self._shown("bin", *self.uncertainty.interval(potency, self.confidence))
        z, deviations = self.profile("bin"), self.deviations("bin")
        bounds = deviations.interval(z, self.confidence)
        error, ci_low, ci_high = self._shown("bin", deviations.standard_error(), *bounds)
        counted = {name: _wide(values, z) for name, values in self.sample_sizes("bin").items()}
        rows = {
            **counted,
            "potency": potency,
            "potency_low": low,
            "potency_high": high,
            "z": z,
            "se": error,
            "ci_low": ci_low,
            "ci_high": ci_high,
            "contribution": potency * share,
            "contribution_low": low * share,
            "contribution_high": high * share,
        }
        return long_table(self.columns, rows, ("topic", "format"))

    def marginal(self, axis: str) -> pd.DataFrame:
        """Return ``topic_influence`` or ``format_influence``.

        Beside the mean over the axis's bins stand their median, the extremes of the mean with one bin
        left out and the share of ten documents: a value that one bin or few documents carry shows there.
        """
        z, deviations = self.profile(axis), self.deviations(axis)
        bounds = deviations.interval(z, self.confidence)
        error, low, high = self._shown(axis, deviations.standard_error(), *bounds)
        counted = {name: _wide(values, z) for name, values in self.sample_sizes(axis).items()}
        filled = self.counts > 0
        counted["n_bins"] = _wide(self._over(axis, filled), z)
        counted["n_bins_without_interval"] = _wide(self._over(axis, filled & self._single()), z)
        rows = {
            **counted,
            "z": z,
            "se": error,
            "ci_low": low,
            "ci_high": high,
            **self._robust(axis),
            **self._contribution(axis),
        }
        return long_table(self.columns, rows, (axis,))

    def _robust(self, axis: str) -> dict[str, np.ndarray]:
        z = self.z if axis == "topic" else self.z.swapaxes(0, 1)
        count, total = np.isfinite(z).sum(axis=1), np.nansum(z, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            without = (total[:, None] - z) / (count[:, None] - 1)
        return {
            "median": _quiet("nanmedian", z, axis=1),
            "leave_one_bin_out_min": _quiet("nanmin", without, axis=1),
            "leave_one_bin_out_max": _quiet("nanmax", without, axis=1),
            "top_ten_share": self.top_ten[axis],
        }

    def _contribution(self, axis: str) -> dict[str, np.ndarray]:
        weights = np.where(self._means(axis) > 0, self.share.reshape(-1), 0)
        value = weights @ np.nan_to_num(self.potency.reshape(len(BINS), -1))
        low, high = self._shown(axis, *self.uncertainty.over_labels(weights).interval(value, self.confidence))
        return {"contribution": value, "contribution_low": low, "contribution_high": high}

    def _means(self, level: str) -> np.ndarray:
        """Return labels x bins: the weights of unweighted means over the bins that have documents."""
        own = np.arange(len(BINS)) if level == "bin" else label_indices(level)
        labels = len(BINS) if level == "bin" else len(AXES[level])
        there = (own == np.arange(labels)[:, None]) & (self.counts.reshape(-1) > 0)
        weights: np.ndarray = there / np.maximum(there.sum(axis=1, keepdims=True), 1)
        return weights

    def _single(self) -> np.ndarray:
        """Say of each bin whether it has fewer than two clusters, topics x formats."""
        single: np.ndarray = self.ess < 1 + 1e-9
        return single

    def _over(self, axis: str, grid: np.ndarray) -> np.ndarray:
        total: np.ndarray = grid.sum(axis=1 if axis == "topic" else 0)
        return total

    def _shown(self, level: str, *arrays: np.ndarray) -> list[np.ndarray]:
        """Return arrays of labels x columns with NaN where there is no interval."""
        return [np.where(self.without_interval(level)[:, None], np.nan, array) for array in arrays]


def _wide(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values[:, None], like.shape)


def long_table(columns: list[tuple[str, str]], values: dict[str, Any], axes: tuple[str, ...]) -> pd.DataFrame:
    """Lay arrays of labels x columns out as a table of one row for each of both.

    Args:
        columns: (benchmark, method) of each column.
        values: Name -> labels x columns; counts are named ``n_...``.
        axes: ``topic``, ``format`` or both, whose labels are those of the arrays.
    """
    import pandas as pd

    labels = pd.MultiIndex.from_product([AXES[axis] for axis in axes], names=axes).to_frame(index=False)
    frames = []
    for number, (benchmark, method) in enumerate(columns):
        own = {name: np.asarray(array)[:, number] for name, array in values.items()}
        frames.append(pd.concat([labels.assign(benchmark=benchmark, method=method), pd.DataFrame(own)], axis=1))
    table = pd.concat(frames, ignore_index=True)
    whole = [name for name in values if name.startswith("n_")]
    table[whole] = table[whole].astype("int64")
    return table[["benchmark", "method", *axes, *values]]


def _quiet(name: str, array: np.ndarray, axis: int) -> np.ndarray:
    """Apply a nan-function of numpy; slices without any number give NaN, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result: np.ndarray = getattr(np, name)(array, axis=axis)
    return result
