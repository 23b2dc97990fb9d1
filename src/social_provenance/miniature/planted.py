"""Compare what the study found with what was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def planted_benchmarks(truth: pd.DataFrame) -> pd.Series[str]:
    """Return planted topic -> the benchmark whose facts stand in it, from table ``miniature_truth``."""
    found: pd.Series[str] = truth.dropna(subset="planted").groupby("topic")["planted"].first()
    return found


def mark_planted_topics(topics: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return topics with whether the benchmark's facts were planted in them.

    Args:
        topics: Table ``topic_influence``.
        truth: Table ``miniature_truth``.

    Returns:
        ``method``, ``benchmark``, ``topic``, ``planted`` (bool), ``z``, ``ci_low``, ``ci_high``.
    """
    home = planted_benchmarks(truth)
    marked = topics.assign(planted=topics["topic"].map(home) == topics["benchmark"])
    return marked[["method", "benchmark", "topic", "planted", "z", "ci_low", "ci_high"]].reset_index(drop=True)


def compare_with_truth(scores: pd.DataFrame, topics: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return how well each method separates the planted topics of each benchmark.

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

    told = scores.merge(truth[["doc_id", "planted", "carrier"]], on="doc_id")
    rows = []
    for (method, benchmark), own in told.groupby(["method", "benchmark"], sort=False):
        table = topics[(topics["method"] == method) & (topics["benchmark"] == benchmark)]
        home = own["planted"] == benchmark
        rows.append(
            {
                "method": method,
                "benchmark": benchmark,
                "topic_auc": float(roc_auc_score(table["planted"], table["z"])),
                "document_auc": float(roc_auc_score(home, own["score"])),
                "carrier_auc": float(roc_auc_score(own.loc[home, "carrier"], own.loc[home, "score"])),
            }
        )
    return pd.DataFrame(rows)


def report_validation(
    comparison: pd.DataFrame, accuracy: dict[str, float], seed: int, default_method: str
) -> dict[str, Any]:
    """Return the validation record: the figures of :func:`compare_with_truth` by method and benchmark.

    Args:
        comparison: Of :func:`compare_with_truth`.
        accuracy: Benchmark -> accuracy of the model that was attributed.
        seed: Of the world.
        default_method: The method that the study goes by.
    """
    methods: dict[str, dict[str, dict[str, float]]] = {}
    for row in comparison.to_dict("records"):
        figures = {name: round(row[name], 4) for name in ("topic_auc", "document_auc")}
        methods.setdefault(row["method"], {})[row["benchmark"]] = figures
    return {"seed": seed, "default_method": default_method, "methods": methods, "accuracy": accuracy}
