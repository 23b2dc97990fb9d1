"""Bootstrap deviations of estimates, their standard errors and intervals.

Linear maps over bins (a topic is a mean of bins) and over columns (a contrast is a difference of
benchmarks) apply to the deviations over documents and over queries, and with squared weights to the
variance of their interaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

TINY = 1e-12
LEAST_DF, MOST_DF = 1.0, 1e6
"""Range of the degrees of freedom of an interval: two clusters of very different size have fewer than one."""


@dataclass(frozen=True)
class Uncertainty:
    """Bootstrap deviations of estimates; a label is a bin, topic or format.

    Attributes:
        documents: Deviations over resampled documents, shape (replicates, labels, columns).
        queries: Deviations over resampled queries, same shape.
        interaction: Variance that is part of both, shape (labels, columns).
        document_df: Degrees of freedom of the variance over documents, shape (labels, columns).
        query_df: Degrees of freedom of the variance over queries, same shape; infinite where it is zero.
    """

    documents: np.ndarray
    queries: np.ndarray
    interaction: np.ndarray
    document_df: np.ndarray
    query_df: np.ndarray

    def over_labels(self, weights: np.ndarray) -> Uncertainty:
        """Return the deviations of weighted sums over labels.

        Args:
            weights: Weights, shape (new labels, labels).
        """
        single = weights.astype(np.float32)
        return Uncertainty(
            documents=np.matmul(single, self.documents),
            queries=np.matmul(single, self.queries),
            interaction=weights**2 @ self.interaction,
            document_df=_satterthwaite(weights**2, _variance(self.documents), self.document_df),
            query_df=np.broadcast_to(self.query_df.min(axis=0, initial=np.inf), (len(weights), self.query_df.shape[1])),
        )

    def from_mean(self, filled: np.ndarray) -> Uncertainty:
        """Return the deviations of labels from the mean over the labels that have documents.

        The same as :meth:`over_labels` with centring weights, without the product of labels x labels;
        degrees of freedom stay those of the label, because the mean over many contributes next to nothing.

        Args:
            filled: Whether a label has documents, shape (labels,); the others have no deviation.
        """
        count, mask = max(int(filled.sum()), 1), filled[:, None].astype(np.float32)
        weights = mask[:, 0].astype(float) / count
        of_mean = weights**2 @ self.interaction
        mean = weights.astype(np.float32)
        return Uncertainty(
            documents=(self.documents - np.matmul(mean, self.documents)[:, None]) * mask,
            queries=(self.queries - np.matmul(mean, self.queries)[:, None]) * mask,
            interaction=(self.interaction * (1 - 2 / count) + of_mean) * mask,
            document_df=self.document_df,
            query_df=self.query_df,
        )

    def over_columns(self, weights: np.ndarray) -> Uncertainty:
        """Return the deviations of weighted sums over columns, which share documents and not queries.

        Args:
            weights: Weights, shape (columns, new columns).
        """
        used = (weights != 0).T[None]  # 1 x new columns x columns
        df = np.where(used, self.document_df[:, None, :], np.inf).min(axis=2, initial=np.inf)
        squares = (weights**2).T
        return Uncertainty(
            documents=self.documents @ weights.astype(np.float32),
            queries=self.queries @ weights.astype(np.float32),
            interaction=self.interaction @ weights**2,
            document_df=df,
            query_df=_satterthwaite(squares, _variance(self.queries).T, self.query_df.T).T,
        )

    def scaled(self, factors: np.ndarray) -> Self:
        """Return the deviations of estimates times factors, shape (columns,) or (labels, columns)."""
        single = np.asarray(factors, dtype=np.float32)
        return type(self)(
            self.documents * single,
            self.queries * single,
            self.interaction * factors**2,
            self.document_df,
            self.query_df,
        )

    def deviations(self) -> np.ndarray:
        """Return the sum of both deviations, interaction counted once, shape (replicates, labels, columns)."""
        both: np.ndarray = self.documents + self.queries * np.sqrt(self._kept()).astype(np.float32)
        return both

    def standard_error(self) -> np.ndarray:
        """Return the standard errors of the estimates, shape (labels, columns)."""
        error: np.ndarray = np.sqrt(_variance(self.documents) + self._kept() * _variance(self.queries))
        return error

    def interval(self, estimates: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds of the intervals of estimates, shape (labels, columns) each.

        Percentiles of the deviations, widened by the ratio of Student's t to the normal quantile, because a
        variance estimated from few clusters is itself uncertain (degrees of freedom by Satterthwaite 1946).

        Args:
            estimates: Estimates, shape (labels, columns); NaN gives NaN.
            confidence: Confidence level, 0 to 1.
        """
        from scipy.special import ndtri, stdtrit

        top = (1 + confidence) / 2
        widening = stdtrit(self.degrees_of_freedom(), top) / ndtri(top)
        low, high = percentile_interval(self.deviations(), confidence)
        return estimates + np.minimum(low, 0) * widening, estimates + np.maximum(high, 0) * widening

    def _kept(self) -> np.ndarray:
        """Return the share of the variance over queries that is not interaction."""
        queries = _variance(self.queries)
        share = np.divide(self.interaction, queries, out=np.zeros_like(queries), where=queries > 0)
        kept: np.ndarray = np.clip(1 - share, 0, 1)
        return kept

    def degrees_of_freedom(self) -> np.ndarray:
        """Return the degrees of freedom of the standard errors, shape (labels, columns) (Satterthwaite 1946)."""
        parts = np.stack([_variance(self.documents), self._kept() * _variance(self.queries)])
        freedom = np.stack([np.broadcast_to(df, parts.shape[1:]) for df in (self.document_df, self.query_df)])
        df = _combined(parts.sum(axis=0), (parts**2 / np.maximum(freedom, TINY)).sum(axis=0))
        return np.asarray(np.clip(df, LEAST_DF, MOST_DF))


def percentile_interval(replicates: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return percentile bounds along the first axis; NaN where there are no replicates."""
    tail = (1 - confidence) / 2
    replicates_last = np.ascontiguousarray(np.moveaxis(replicates, 0, -1))
    low, high = np.quantile(replicates_last, [tail, 1 - tail], axis=-1)
    return low, high


def _variance(deviations: np.ndarray) -> np.ndarray:
    """Return the mean square over replicates; the mean is known to be 0."""
    variance: np.ndarray = np.einsum("rlc,rlc->lc", deviations, deviations, dtype=np.float64) / len(deviations)
    return variance


def _satterthwaite(weights: np.ndarray, variances: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return the degrees of freedom of weighted sums of independent variances (Satterthwaite 1946)."""
    df = np.broadcast_to(df, variances.shape)
    return _combined(weights @ variances, weights**2 @ (variances**2 / np.maximum(df, TINY)))


def _combined(sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return sums ** 2 / squares; infinite where there is no variance, which needs no widening."""
    df: np.ndarray = np.divide(sums**2, squares, out=np.full_like(sums, np.inf), where=squares > 0)
    return df
