"""Comparison of the topics and documents that a study found with those that were planted."""

from __future__ import annotations

import math
from typing import Any

from social_provenance.annotations import LazyTable, Table
from social_provenance.miniature.recovery import area, areas_of_topics
from social_provenance.miniature.roles import mark_roles


def mark_planted_topics(topics: Table, truth: Table) -> Table:
    """Return the topics with their role for the benchmark.

    Args:
        topics: Table ``topic_influence``.
        truth: Table ``miniature_truth``.

    Returns:
        ``method``, ``benchmark``, ``topic``, ``role`` (:func:`~.roles.mark_roles`), ``z``, ``ci_low``, ``ci_high``.
    """
    marked = topics.assign(role=mark_roles(topics, truth))
    return marked[["method", "benchmark", "topic", "role", "z", "ci_low", "ci_high"]].reset_index(drop=True)


def compare_with_truth(scores: LazyTable, topics: Table, truth: Table) -> Table:
    """Return how well each method separates the planted topics and documents of each benchmark from the others.

    Args:
        scores: Table ``document_scores``.
        topics: Table of :func:`mark_planted_topics`.
        truth: Table ``miniature_truth``.

    Returns:
        ``method``, ``benchmark`` and areas under the ROC curve (0.5 is chance), NaN where a side is empty:
        ``topic_auc`` (planted topics against all others but twins, by ``z``), ``decoy_auc`` and ``twin_auc`` (planted
        topics against the benchmark's decoys, and against its twins, by ``z``), ``document_auc`` (documents of planted
        topics against all others, by score), ``carrier_auc`` (within planted topics, documents that carry facts
        against those that do not, by score) and ``pairing_auc`` (carriers against the documents that state the same
        facts wrongly, by score).
    """
    import pandas as pd

    known = truth[["doc_id", "planted", "decoy", "role"]]
    documents = scores.to_pandas().merge(known, on="doc_id")
    rows = []
    for (method, benchmark), scored in documents.groupby(["method", "benchmark"], sort=False):
        marked = topics[(topics["method"] == method) & (topics["benchmark"] == benchmark)]
        role, own = scored["role"], scored["planted"] == benchmark
        carrier, mispaired = own & (role == "carrier"), (scored["decoy"] == benchmark) & (role == "decoy")
        rows.append(
            {
                "method": method,
                "benchmark": benchmark,
                **areas_of_topics(marked["z"], marked["role"]),
                "document_auc": area(scored["score"], own, ~own),
                "carrier_auc": area(scored["score"], carrier, own & ~carrier),
                "pairing_auc": area(scored["score"], carrier, mispaired),
            }
        )
    return pd.DataFrame(rows)


def report_validation(comparison: Table, log: Table, seed: int, default_method: str) -> dict[str, Any]:
    """Return the validation record: the areas of :func:`compare_with_truth` by method and benchmark.

    Args:
        comparison: Table of :func:`compare_with_truth`.
        log: Table ``pretraining_log``; the accuracies are those of its last step, the model that was attributed.
        seed: Seed of the world.
        default_method: Attribution method that the report shows.
    """
    methods: dict[str, dict[str, dict[str, float | None]]] = {}
    for row in comparison.to_dict("records"):
        areas = {name: _rounded(row[name]) for name in ("topic_auc", "decoy_auc", "document_auc")}
        methods.setdefault(row["method"], {})[row["benchmark"]] = areas
    final = log[log["step"] == log["step"].max()]
    accuracy = dict(zip(final["benchmark"], final["accuracy"].astype(float), strict=True))
    return {"seed": seed, "default_method": default_method, "methods": methods, "accuracy": accuracy}


def _rounded(area: float) -> float | None:
    return None if math.isnan(area) else round(area, 4)
