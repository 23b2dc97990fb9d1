"""Influence of bins, topics and formats.

A bin's *potency* is the mean score of its documents: what one document of it does. Its
*contribution* is potency x prevalence: what the bin does in the corpus as it is. ``z`` standardises
potency over the bins within a benchmark (ddof 1, as the published tables do); a topic's ``z`` is the
unweighted mean over its bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.errors import AttributionError
from social_provenance.estimation.resample import bootstrap_bins, interval
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from social_provenance.estimation.settings import Bootstrap

AXES: dict[str, tuple[str, ...]] = {"topic": TOPICS, "format": FORMATS}
"""Axis of the grid -> its labels; a grid array is topics x formats, in this order."""


@dataclass(frozen=True)
class Influence:
    """Influence on the grid of topics and formats, with bootstrap replicates.

    Attributes:
        columns: (benchmark, method) of each column.
        counts: Topics x formats: documents.
        potency: Topics x formats x columns: mean score, NaN where a bin is empty.
        z: The same, standardised over the bins.
        z_replicates: Replicates x topics x formats x columns, by the centre and spread of the
            sample itself; NaN where a bin has fewer than two documents.
        share: Topics x formats: prevalence.
        confidence: Level of every interval, 0 to 1.
    """

    columns: list[tuple[str, str]]
    counts: np.ndarray
    potency: np.ndarray
    z: np.ndarray
    z_replicates: np.ndarray
    share: np.ndarray
    confidence: float

    def bins(self) -> pd.DataFrame:
        """Return the table ``bin_influence``: one row for each of the 576 bins, empty ones too."""
        import numpy as np

        low, high = interval(self.z_replicates, self.confidence)
        rows = {
            "n_documents": np.broadcast_to(self.counts[..., None], self.potency.shape),
            "potency": self.potency,
            "z": self.z,
            "ci_low": low,
            "ci_high": high,
            "contribution": self.potency * self.share[..., None],
        }
        return _long(self.columns, rows, ("topic", "format"))

    def marginal(self, axis: str) -> pd.DataFrame:
        """Return ``topic_influence`` or ``format_influence``.

        Beside the mean over the axis's bins stand their median and the extremes of the mean with
        one bin left out: a value that one bin carries shows there.
        """
        import numpy as np

        other = 1 if axis == "topic" else 0
        z = self.z.swapaxes(1, other)
        filled = np.isfinite(z)
        count, total = filled.sum(axis=1), np.nansum(z, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            without = (total[:, None] - z) / (count[:, None] - 1)
        low, high = interval(self.marginal_replicates(axis), self.confidence)
        rows = {
            "n_documents": np.broadcast_to(self.counts.sum(axis=other)[:, None], count.shape),
            "n_bins": count,
            "z": _mean(z, axis=1),
            "ci_low": low,
            "ci_high": high,
            "median": _quiet(np.nanmedian, z, axis=1),
            "leave_one_bin_out_min": _quiet(np.nanmin, without, axis=1),
            "leave_one_bin_out_max": _quiet(np.nanmax, without, axis=1),
            "contribution": np.nansum(self.potency * self.share[..., None], axis=other),
        }
        return _long(self.columns, rows, (axis,))

    def marginal_replicates(self, axis: str) -> np.ndarray:
        """Return replicates of the means of an axis, replicates x labels x columns.

        Bins of one document stand in with their value: they have no replicates of their own.
        """
        import numpy as np

        filled = np.where(np.isfinite(self.z_replicates), self.z_replicates, self.z)
        return _mean(filled, axis=2 if axis == "topic" else 1)


def aggregate(scores: pd.DataFrame, labels: pd.DataFrame, prevalence: pd.DataFrame, bootstrap: Bootstrap) -> Influence:
    """Aggregate document scores over the bins.

    Args:
        scores: Table ``document_scores``.
        labels: ``doc_id``, ``topic``, ``format`` of the working set.
        prevalence: Table ``bin_prevalence``.
        bootstrap: Replicates, level and seed of the intervals.

    Raises:
        AttributionError: If scores and labels are not of the same documents.
    """
    import numpy as np

    wide = scores.pivot(index="doc_id", columns=["benchmark", "method"], values="score")
    labelled = labels.set_index("doc_id")
    strangers = wide.index.difference(labelled.index)
    if len(strangers):
        raise AttributionError(
            f"document {strangers[0]!r} (and {len(strangers) - 1} more) has scores and is not in the working set: "
            f"scores and labels are of different runs, run the attribution pipeline again"
        )
    _refuse_gaps(wide)
    places = {bin_: place for place, bin_ in enumerate(BINS)}
    own = labelled.loc[wide.index]
    bins = np.array([places[pair] for pair in zip(own["topic"], own["format"], strict=True)])
    found = bootstrap_bins(wide.to_numpy(), bins, len(BINS), bootstrap.replicates, bootstrap.seed)
    grid = (len(TOPICS), len(FORMATS))
    centre, spread = np.nanmean(found.means, axis=0), np.nanstd(found.means, axis=0, ddof=1)
    spread = np.where(spread > 0, spread, 1.0)
    share = prevalence.set_index(["topic", "format"])["share"].loc[list(BINS)].to_numpy()
    return Influence(
        columns=_columns(wide),
        counts=found.counts.reshape(grid),
        potency=found.means.reshape(*grid, -1),
        z=((found.means - centre) / spread).reshape(*grid, -1),
        z_replicates=((found.replicates - centre) / spread).reshape(bootstrap.replicates, *grid, -1),
        share=share.reshape(grid),
        confidence=bootstrap.confidence,
    )


def _columns(wide: pd.DataFrame) -> list[tuple[str, str]]:
    levels = [wide.columns.get_level_values(level) for level in ("benchmark", "method")]
    return list(zip(*levels, strict=True))


def _refuse_gaps(wide: pd.DataFrame) -> None:
    gaps = wide.isna()
    if gaps.to_numpy().any():
        row, column = next(zip(*gaps.to_numpy().nonzero(), strict=True))
        document, (benchmark, method) = wide.index[row], _columns(wide)[column]
        raise AttributionError(
            f"document {document!r} has no score for benchmark {benchmark!r} under {method!r}: "
            f"run the attribution pipeline again"
        )


def _long(columns: list[tuple[str, str]], values: dict[str, Any], axes: tuple[str, ...]) -> pd.DataFrame:
    """Lay arrays of labels x columns out as a table of one row for each of both."""
    import numpy as np
    import pandas as pd

    labels = pd.MultiIndex.from_product([AXES[axis] for axis in axes], names=axes).to_frame(index=False)
    frames = []
    for number, (benchmark, method) in enumerate(columns):
        own = {name: np.asarray(array)[..., number].reshape(-1) for name, array in values.items()}
        frames.append(pd.concat([labels.assign(benchmark=benchmark, method=method), pd.DataFrame(own)], axis=1))
    table = pd.concat(frames, ignore_index=True)
    whole = [name for name in ("n_documents", "n_bins") if name in table]
    table[whole] = table[whole].astype("int64")
    return table[["benchmark", "method", *axes, *values]]


def _mean(array: np.ndarray, axis: int) -> np.ndarray:
    import numpy as np

    return _quiet(np.nanmean, array, axis=axis)


def _quiet(function: Any, array: np.ndarray, axis: int) -> np.ndarray:
    """Apply a nan-function; slices without any number give NaN, and no warning."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result: np.ndarray = function(array, axis=axis)
    return result
