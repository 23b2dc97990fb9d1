"""Nodes of the aggregation pipeline."""

from __future__ import annotations

from typing import Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation.aggregate import Influence, aggregate
from social_provenance.estimation.contrasts import contrast
from social_provenance.estimation.settings import Bootstrap
from social_provenance.estimation.top import top_documents


def aggregate_influence(
    scores: Any, working_set: Any, prevalence: Any, bootstrap: Bootstrap, evaluation: Evaluation
) -> tuple[Any, Any, Any, Any]:
    """Return the influence of bins, topics and formats, and the contrasts between benchmarks."""
    labels = working_set.select("doc_id", "topic", "format").to_pandas()
    influence: Influence = aggregate(scores.to_pandas(), labels, prevalence, bootstrap)
    return (
        influence.bins(),
        influence.marginal("topic"),
        influence.marginal("format"),
        contrast(influence, evaluation),
    )


def pick_documents(scores: Any, working_set: Any, method: str) -> Any:
    """Return the documents of highest score for each benchmark."""
    own = scores.filter(scores.method == method).to_pandas()
    return top_documents(own, working_set, method)
