"""Cost of an unlearning study, before its runs are planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from social_provenance.forgetting.settings import Unlearning


def count_runs(settings: Unlearning, benchmarks: int) -> int:
    """Return the number of runs of a study: each targeted set once per order seed, each random set once."""
    orders = len(settings.order_seeds)
    in_topics = settings.topics * (orders + settings.random_sets)
    anywhere = orders + settings.global_sets if settings.global_sets else 0
    return len(settings.algorithms) * benchmarks * (in_topics + anywhere)


def forecast_steps(walk: Mapping[str, Any], settings: Unlearning, benchmarks: int) -> dict[str, Any]:
    """Return ``documents``, ``tokens``, ``bytes`` and ``seconds`` of the steps of all runs, without evaluations.

    Args:
        walk: ``documents``, ``tokens`` and ``token_seconds`` of
            :func:`social_provenance.gradients.walk.forecast.forecast_walk`; its documents are as long on average.
        settings: Parameters of the study.
        benchmarks: Number of benchmarks.
    """
    documents = count_runs(settings, benchmarks) * settings.steps * 2 * settings.batch_documents
    tokens = round(documents * walk["tokens"] / walk["documents"])
    seconds = None if walk["token_seconds"] is None else tokens * walk["token_seconds"] / settings.processes
    return {"documents": documents, "tokens": tokens, "bytes": None, "seconds": seconds}
