"""Robustness of a map to its labels: to their uncertainty, their errors, and the taxonomy itself.

The same document scores are aggregated again with documents weighted by the confidence of their labels,
with labels flipped at the error rate of the classifier, and over clusters of embeddings in place of topics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.estimation.comparison.agreement import AGREEMENTS, agreement
from social_provenance.estimation.maps.bin_moments import bin_sums, refuse_unusable
from social_provenance.estimation.maps.influence import label_indices
from social_provenance.estimation.significance.label_noise import draw_labels, refuse_improper_rows, transition_matrix
from social_provenance.regions.grid import FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from social_provenance.estimation.maps.scored import Column, Scored

N_BINS = len(TOPICS) * len(FORMATS)
CLUSTERED = 20_000
"""Upper bound of the documents that are clustered, evenly spaced: enough for shares of variance."""


def check_labels(
    scored: Scored,
    quality: pd.DataFrame,
    states_of: Callable[[np.ndarray], np.ndarray],
    seed: int,
) -> pd.DataFrame:
    """Apply all three checks to the maps.

    Args:
        scored: Scored documents.
        quality: Table ``classifier_quality``, whose error rates the flips have. Without rows every label was
            given, and none is flipped.
        states_of: Function of document ids that returns their embeddings, shape (documents, width).
        seed: Seed of flips and clusters.

    Returns:
        ``benchmark``, ``method``, ``check``, ``measure``, ``value``.
    """
    import pandas as pd

    scores, columns, bins = scored.scores, scored.columns, scored.bins
    frames = [weigh_by_confidence(scores, columns, bins, scored.confidence)]
    wrong = {row["axis"]: 1 - row["accuracy"] for row in quality.to_dict("records")}
    if wrong:
        law = transition_matrix(wrong.get("topic", 0.0), wrong.get("format", 0.0))
        frames.append(flip_labels(scores, columns, bins, law, seed=seed))
    chosen = slice(None, None, -(-len(bins) // CLUSTERED))
    embeddings, topics = states_of(scored.ids[chosen]), label_indices("topic")[bins[chosen]]
    frames.append(cluster_embeddings(scores[chosen], columns, topics, embeddings, seed=seed))
    return pd.concat(frames, ignore_index=True)


def weigh_by_confidence(
    scores: np.ndarray, columns: list[Column], bins: np.ndarray, confidence: np.ndarray
) -> pd.DataFrame:
    """Compare the map with that of confidence-weighted means.

    Args:
        scores: Scores, shape (documents, columns).
        columns: (benchmark, method) of each column.
        bins: Bin of each document, an index of ``BINS``.
        confidence: Weight of each document, at least 0: topic_confidence x format_confidence.

    Returns:
        ``benchmark``, ``method``, ``check`` (``confidence``), ``measure`` (those of
        :func:`social_provenance.estimation.comparison.agreement.agreement`), ``value``.

    Raises:
        AttributionError: If a score or weight is not finite, or arrays are of different documents.
    """
    refuse_unusable(scores, bins=bins, confidence=confidence)
    wrong = ~(np.isfinite(confidence) & (confidence >= 0))
    if wrong.any():
        raise AttributionError(
            f"confidence[{wrong.argmax()}] is {confidence[wrong.argmax()]}: give a number of at least 0, label the "
            f"documents again"
        )
    plain, weighted = _maps(scores, bins), _maps(scores, bins, confidence)
    rows = [_agreements(plain[..., column], weighted[..., column]) for column in range(len(columns))]
    return _tidy(columns, "confidence", rows)


def flip_labels(
    scores: np.ndarray, columns: list[Column], bins: np.ndarray, flips: np.ndarray, repeats: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Compare the map with maps of labels flipped at a known rate.

    A flipped map contains the label errors twice, the original and the new ones; its loss of agreement with
    the map estimates the loss of the map against the truth.

    Args:
        scores: Scores, shape (documents, columns).
        columns: (benchmark, method) of each column.
        bins: Bin of each document, an index of ``BINS``.
        flips: Probability of each label given the bin, shape (bins, bins)
            (:func:`social_provenance.estimation.significance.label_noise.transition_matrix`).
        repeats: Number of draws; all columns share them.
        seed: Seed of the draws.

    Returns:
        ``benchmark``, ``method``, ``check`` (``flipped``), ``measure``, ``value``: for each measure of
        ``agreement`` its mean over repeats, and under ``<measure>_sd`` their standard deviation
        (ddof 1; null with one repeat).

    Raises:
        AttributionError: If a score is not finite, arrays are of different documents, or a row of
            ``flips`` is not a distribution.
    """
    refuse_unusable(scores, bins=bins)
    if repeats < 1:
        raise AttributionError(f"repeats is {repeats}: give 1 or more")
    refuse_improper_rows(flips, "flips", N_BINS)
    plain, rng = _maps(scores, bins), np.random.default_rng(seed)
    cumulative = np.cumsum(flips, axis=1)
    per_repeat = []
    for _ in range(repeats):
        drawn = draw_labels(cumulative, bins, rng)
        flipped = _maps(scores, drawn)
        per_repeat.append([list(_agreements(plain[..., n], flipped[..., n]).values()) for n in range(len(columns))])
    draws = np.array(per_repeat)  # repeats x columns x measures
    spread = draws.std(axis=0, ddof=1) if repeats > 1 else np.full(draws.shape[1:], np.nan)
    rows = [
        {
            **dict(zip(AGREEMENTS, mean.tolist(), strict=True)),
            **dict(zip([f"{name}_sd" for name in AGREEMENTS], sd.tolist(), strict=True)),
        }
        for mean, sd in zip(draws.mean(axis=0), spread, strict=True)
    ]
    return _tidy(columns, "flipped", rows)


def cluster_embeddings(
    scores: np.ndarray,
    columns: list[Column],
    topics: np.ndarray,
    embeddings: np.ndarray,
    n_clusters: int = len(TOPICS),
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the variance of scores between topics with that between clusters of embeddings.

    Clusters are k-means of the embeddings at unit length. Shares are corrected for the number of groups
    (epsilon squared, Kelley 1935), so that random clusters explain nothing on average.

    Args:
        scores: Scores, shape (documents, columns).
        columns: (benchmark, method) of each column.
        topics: Topic of each document, integers.
        embeddings: Embeddings, shape (documents, width).
        n_clusters: Number of clusters.
        seed: Seed of the clustering.

    Returns:
        ``benchmark``, ``method``, ``check`` (``clusters``), ``measure``, ``value``: ``between_topics`` and
        ``between_clusters``, shares of the variance of scores; and ``reproduced``, the share that clusters
        explain of the variance of topic means over documents, 1 where clusters are topics or finer. Null
        where scores are constant.

    Raises:
        AttributionError: If a value is not finite, arrays are of different documents, or there are fewer
            documents than clusters.
    """
    from sklearn.cluster import KMeans

    refuse_unusable(scores, topics=topics, embeddings=embeddings)
    if not np.isfinite(embeddings).all():
        row = int(np.argmin(np.isfinite(embeddings).all(axis=1)))
        raise AttributionError(f"embeddings[{row}] has {embeddings[row].min()}: collect the gradients again")
    if len(scores) <= n_clusters:
        raise AttributionError(f"{len(scores)} documents cannot form {n_clusters} clusters: set fewer clusters")
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = embeddings / np.where(norms > 0, norms, 1.0)
    clusters = KMeans(n_clusters, n_init=4, random_state=seed).fit(unit).labels_
    topic_means = _group_means(scores, topics)
    parts = {
        "between_topics": _explained(scores, topics),
        "between_clusters": _explained(scores, clusters),
        "reproduced": _explained(topic_means, clusters),
    }
    return _tidy(
        columns, "clusters", [{name: float(part[n]) for name, part in parts.items()} for n in range(len(columns))]
    )


def _agreements(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    all_measures = agreement(one, other)
    return {name: all_measures[name] for name in AGREEMENTS}


def _maps(scores: np.ndarray, bins: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return weighted bin means, shape (topics, formats, columns); NaN where all weights are 0."""
    weights = np.ones(len(bins)) if weights is None else weights
    total = np.bincount(bins, weights=weights, minlength=N_BINS)
    means = bin_sums(scores * weights[:, None], bins, N_BINS) / np.where(total > 0, total, np.nan)[:, None]
    return means.reshape(len(TOPICS), len(FORMATS), -1)


def _group_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the mean of the group of each document, shape (documents, columns)."""
    _, indices, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    means: np.ndarray = (bin_sums(values, indices, len(sizes)) / sizes[:, None])[indices]
    return means


def _explained(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return epsilon squared of each column: the share of variance between groups, corrected for chance."""
    n, k = len(values), len(np.unique(groups))
    total = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    within = ((values - _group_means(values, groups)) ** 2).sum(axis=0)
    total = np.where(total > 1e-20 * (values**2).sum(axis=0), total, np.nan)
    explained: np.ndarray = 1 - (within / max(n - k, 1)) / (total / (n - 1))
    return explained


def _tidy(columns: list[Column], check: str, rows: list[dict[str, float]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [
            {"benchmark": benchmark, "method": method, "check": check, "measure": measure, "value": value}
            for (benchmark, method), measures in zip(columns, rows, strict=True)
            for measure, value in measures.items()
        ],
        columns=["benchmark", "method", "check", "measure", "value"],
    )
