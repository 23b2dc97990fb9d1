"""Nodes of the validation: with ``miniature``, the only place that knows the truth."""

from __future__ import annotations

from typing import Any

from social_provenance.miniature import planted, recovery


def mark_planted_topics(topics: Any, truth: Any) -> Any:
    """Return the topics as they were found, with what was planted in them."""
    return planted.mark_planted_topics(topics, truth)


def compare_with_truth(scores: Any, topics: Any, truth: Any) -> Any:
    """Return how well each method finds the planted topics, documents and carriers."""
    return planted.compare_with_truth(scores.to_pandas(), topics, truth)


def measure_validation(topics: Any, bins: Any, truth: Any) -> Any:
    """Return how well each method finds the planted topics and their bins."""
    return recovery.measure_validation(topics, bins, truth)


def report_validation(comparison: Any, log: Any, seed: int, default_method: str) -> dict[str, Any]:
    """Return the validation record of this world."""
    final = log[log["step"] == log["step"].max()]
    accuracy = dict(zip(final["benchmark"], final["accuracy"].astype(float), strict=True))
    return planted.report_validation(comparison, accuracy, seed, default_method)
