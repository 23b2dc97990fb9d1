"""Comparison of the topics and documents that a study found with those that were planted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.annotations import LazyTable, Table

if TYPE_CHECKING:
    import pandas as pd


def planted_benchmarks(truth: Table) -> pd.Series[str]:
    """Return planted topic -> the benchmark whose facts were planted in it, from table ``miniature_truth``."""
    benchmarks: pd.Series[str] = truth.dropna(subset="planted").groupby("topic")["planted"].first()
    return benchmarks


def mark_planted_topics(topics: Table, truth: Table) -> Table:
    """Return the topics, marked whether the facts of the benchmark were planted in them.

    Args:
        topics: Table ``topic_influence``.
        truth: Table ``miniature_truth``.

    Returns:
        ``method``, ``benchmark``, ``topic``, ``planted`` (bool), ``z``, ``ci_low``, ``ci_high``.
    """
    planted_for = topics["topic"].map(planted_benchmarks(truth))
    marked = topics.assign(planted=planted_for == topics["benchmark"])
    return marked[["method", "benchmark", "topic", "planted", "z", "ci_low", "ci_high"]].reset_index(drop=True)


def compare_with_truth(scores: LazyTable, topics: Table, truth: Table) -> Table:
    """Return how well each method separates the planted topics and documents of each benchmark from the others.

    Args:
        scores: Table ``document_scores``.
        topics: Table of :func:`mark_planted_topics`.
        truth: Table ``miniature_truth``.

    Returns:
        ``method``, ``benchmark`` and three areas under the ROC curve (0.5 is chance):
        ``topic_auc`` (planted topics against the others, by ``z``), ``document_auc`` (documents of
        planted topics against the others, by score) and ``carrier_auc`` (within planted topics,
        documents that carry facts against those that do not, by score).
    """
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    documents = scores.to_pandas().merge(truth[["doc_id", "planted", "carrier"]], on="doc_id")
    rows = []
    for (method, benchmark), scored in documents.groupby(["method", "benchmark"], sort=False):
        marked = topics[(topics["method"] == method) & (topics["benchmark"] == benchmark)]
        planted = scored["planted"] == benchmark
        rows.append(
            {
                "method": method,
                "benchmark": benchmark,
                "topic_auc": float(roc_auc_score(marked["planted"], marked["z"])),
                "document_auc": float(roc_auc_score(planted, scored["score"])),
                "carrier_auc": float(roc_auc_score(scored.loc[planted, "carrier"], scored.loc[planted, "score"])),
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
    methods: dict[str, dict[str, dict[str, float]]] = {}
    for row in comparison.to_dict("records"):
        areas = {name: round(row[name], 4) for name in ("topic_auc", "document_auc")}
        methods.setdefault(row["method"], {})[row["benchmark"]] = areas
    final = log[log["step"] == log["step"].max()]
    accuracy = dict(zip(final["benchmark"], final["accuracy"].astype(float), strict=True))
    return {"seed": seed, "default_method": default_method, "methods": methods, "accuracy": accuracy}
