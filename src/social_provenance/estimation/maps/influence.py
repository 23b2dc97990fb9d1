"""Influence of bins, topics and formats with its uncertainty, and the tables of it."""

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
PROFILES = ("bin", *AXES)
"""Axes of profiles, as the column ``axis`` names them: over bins, or over one axis of the grid."""


def label_indices(axis: str) -> np.ndarray:
    """Return the index of each bin's topic (or format) along the axis, shape (bins,)."""
    bins = np.arange(len(BINS))
    return bins // len(FORMATS) if axis == "topic" else bins % len(FORMATS)


def columns_by_method(columns: list[tuple[str, str]]) -> dict[str, list[int]]:
    """Return method -> indices of its columns, given the (benchmark, method) of all columns."""
    indices: dict[str, list[int]] = {}
    for index, (_, method) in enumerate(columns):
        indices.setdefault(method, []).append(index)
    return indices


@dataclass(frozen=True)
class Influence:
    """Influence on the grid of topics and formats, with its bootstrap deviations.

    Attributes:
        columns: (benchmark, method) of each column.
        counts: Number of documents, shape (topics, formats).
        ess: Effective sample size over clusters, same shape; 0 where a bin is empty.
        potency: Mean score, shape (topics, formats, columns); NaN where a bin is empty.
        z: Potency standardised over the bins, same shape.
        spread: Standard deviation of potency over bins, in the unit of the score, shape (columns,): the unit of z.
        share: Prevalence of each bin in the corpus, shape (topics, formats).
        confidence: Confidence level of every interval, 0 to 1.
        uncertainty: Deviations of potency; its labels are the 576 bins.
        halves: ``documents``, ``queries`` -> potency of either half, shape (2, splits, bins, columns).
        top_ten: Axis -> share of total absolute influence of ten documents, shape (labels, columns).
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
        """Return the arrays by name (``halves.documents`` for nested ones), and everything else as a record."""
        attributes = vars(self)
        nested = {"uncertainty": vars(self.uncertainty), "halves": self.halves, "top_ten": self.top_ten}
        record = {"columns": self.columns, "confidence": self.confidence}
        flat = {f"{owner}.{name}": array for owner, arrays in nested.items() for name, array in arrays.items()}
        return {name: attributes[name] for name in attributes if name not in {*nested, *record}} | flat, record

    @classmethod
    def unpack(cls, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> Self:
        """Return the object that :meth:`pack` was called on."""
        attributes: dict[str, Any] = {}
        for name, array in arrays.items():
            owner, _, key = name.partition(".")
            if key:
                attributes.setdefault(owner, {})[key] = array
            else:
                attributes[owner] = array
        attributes["uncertainty"] = Uncertainty(**attributes["uncertainty"])
        return cls(
            **{**record, **attributes, "columns": [(benchmark, method) for benchmark, method in record["columns"]]}
        )

    def profile(self, axis: str) -> np.ndarray:
        """Return z of bins, topics or formats, shape (labels, columns); NaN without documents."""
        if axis == "bin":
            return self.z.reshape(len(BINS), -1)
        return _quiet("nanmean", self.z, axis=1 if axis == "topic" else 0)

    def deviations(self, axis: str) -> Uncertainty:
        """Return the deviations of z of bins, topics or formats.

        A replicate that shifts all bins alike shifts their centre too, and changes no z.
        """
        filled = self.counts.reshape(-1) > 0
        if axis == "bin":
            return self.uncertainty.from_mean(filled).scaled(1 / np.asarray(self.spread))
        weights = self._mean_weights(axis)
        centred = weights - weights.sum(axis=1, keepdims=True) * filled / max(filled.sum(), 1)
        return self.uncertainty.over_labels(centred).scaled(1 / np.asarray(self.spread))

    def sample_sizes(self, axis: str) -> dict[str, np.ndarray]:
        """Return the number of documents and the effective sample size of each label.

        The effective size of a topic is that of its unweighted mean over bins: 1 / sum of the squared weights of
        its clusters.
        """
        weights = self._mean_weights(axis)
        ess = self.ess.reshape(-1)
        inverse = np.divide(1, ess, out=np.zeros_like(ess), where=ess > 0)
        squares = weights**2 @ inverse
        size = np.divide(1, squares, out=np.full_like(squares, np.nan), where=squares > 0)
        return {"n_documents": (weights > 0) @ self.counts.reshape(-1), "ess": size}

    def profile_halves(self, side: str, axis: str) -> np.ndarray:
        """Return z of either half of the documents or queries, shape (2, splits, labels, columns).

        The unit of z is that of the whole, so halves may be subtracted from each other.
        """
        halves: np.ndarray = self.halves[side] / self.spread
        if axis == "bin":
            return halves
        grid = halves.reshape(*halves.shape[:2], len(TOPICS), len(FORMATS), -1)
        return _quiet("nanmean", grid, axis=3 if axis == "topic" else 2)

    def total_sizes(self) -> dict[str, float]:
        """Return the number of documents and the effective sample size of the whole grid, bins weighted equally."""
        inverse = 1 / self.ess[self.ess > 0]
        size = len(inverse) ** 2 / inverse.sum() if len(inverse) else np.nan
        return {"n_documents": int(self.counts.sum()), "ess": float(size)}

    def without_interval(self, axis: str) -> np.ndarray:
        """Return whether a label has no interval, because none of its bins has two clusters, shape (labels,)."""
        single = self._single_cluster()
        if axis == "bin":
            return single.reshape(-1)
        return np.asarray(single.all(axis=1 if axis == "topic" else 0))

    def bins(self) -> pd.DataFrame:
        """Return the table ``bin_influence``: one row for each of the 576 bins, empty ones too."""
        potency, share = self.potency.reshape(len(BINS), -1), self.share.reshape(-1, 1)
        low, high = self._masked("bin", *self.uncertainty.interval(potency, self.confidence))
        z, deviations = self.profile("bin"), self.deviations("bin")
        bounds = deviations.interval(z, self.confidence)
        error, ci_low, ci_high = self._masked("bin", deviations.standard_error(), *bounds)
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

        Besides the mean over the bins it has their median, the extremes of the mean with one bin left out and
        the share of ten documents, which reveal values driven by a single bin or by few documents.
        """
        z, deviations = self.profile(axis), self.deviations(axis)
        bounds = deviations.interval(z, self.confidence)
        error, low, high = self._masked(axis, deviations.standard_error(), *bounds)
        counted = {name: _wide(values, z) for name, values in self.sample_sizes(axis).items()}
        filled = self.counts > 0
        counted["n_bins"] = _wide(self._sum_over(axis, filled), z)
        counted["n_bins_without_interval"] = _wide(self._sum_over(axis, filled & self._single_cluster()), z)
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
        weights = np.where(self._mean_weights(axis) > 0, self.share.reshape(-1), 0)
        value = weights @ np.nan_to_num(self.potency.reshape(len(BINS), -1))
        low, high = self._masked(axis, *self.uncertainty.over_labels(weights).interval(value, self.confidence))
        return {"contribution": value, "contribution_low": low, "contribution_high": high}

    def _mean_weights(self, axis: str) -> np.ndarray:
        """Return the weights of unweighted means over the bins that have documents, shape (labels, bins)."""
        label_of_bin = np.arange(len(BINS)) if axis == "bin" else label_indices(axis)
        n_labels = len(BINS) if axis == "bin" else len(AXES[axis])
        filled = (label_of_bin == np.arange(n_labels)[:, None]) & (self.counts.reshape(-1) > 0)
        weights: np.ndarray = filled / np.maximum(filled.sum(axis=1, keepdims=True), 1)
        return weights

    def _single_cluster(self) -> np.ndarray:
        """Return whether a bin has fewer than two clusters, shape (topics, formats)."""
        single: np.ndarray = self.ess < 1 + 1e-9
        return single

    def _sum_over(self, axis: str, grid: np.ndarray) -> np.ndarray:
        total: np.ndarray = grid.sum(axis=1 if axis == "topic" else 0)
        return total

    def _masked(self, axis: str, *arrays: np.ndarray) -> list[np.ndarray]:
        """Return arrays of labels x columns, NaN where a label has no interval."""
        return [np.where(self.without_interval(axis)[:, None], np.nan, array) for array in arrays]


def _wide(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values[:, None], like.shape)


def long_table(columns: list[tuple[str, str]], values: dict[str, Any], axes: tuple[str, ...]) -> pd.DataFrame:
    """Return arrays of labels x columns as a table with one row for each label and column.

    Args:
        columns: (benchmark, method) of each column.
        values: Name of a table column -> values, shape (labels, columns); counts are named ``n_...``.
        axes: ``topic``, ``format`` or both: the axes of the labels.
    """
    import pandas as pd

    labels = pd.MultiIndex.from_product([AXES[axis] for axis in axes], names=axes).to_frame(index=False)
    frames = []
    for index, (benchmark, method) in enumerate(columns):
        by_name = {name: np.asarray(array)[:, index] for name, array in values.items()}
        frames.append(pd.concat([labels.assign(benchmark=benchmark, method=method), pd.DataFrame(by_name)], axis=1))
    table = pd.concat(frames, ignore_index=True)
    counts = [name for name in values if name.startswith("n_")]
    table[counts] = table[counts].astype("int64")
    return table[["benchmark", "method", *axes, *values]]


def _quiet(name: str, array: np.ndarray, axis: int) -> np.ndarray:
    """Apply a nan-function of numpy; slices without finite values give NaN, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result: np.ndarray = getattr(np, name)(array, axis=axis)
    return result
