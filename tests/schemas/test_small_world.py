"""The truth names a document once; areas and accuracies are shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from social_provenance.schemas import small_world

if TYPE_CHECKING:
    from collections.abc import Callable


def test_truth_faults(refuses: Callable[..., None]) -> None:
    row = {"topic": "games", "format": "faq", "planted": None, "carrier": False}
    truth = pd.DataFrame([{"doc_id": doc_id, **row} for doc_id in ("a", "b")])
    refuses(small_world.MiniatureTruth, truth, "doc_id", "b")
    refuses(small_world.MiniatureTruth, truth, "topic", "cooking")


def test_pretraining_log_faults(refuses: Callable[..., None]) -> None:
    row = {"loss": 3.0, "benchmark": "quiz", "accuracy": 0.5, "gold_logprob": -1.0, "choice_logprob": -0.5}
    log = pd.DataFrame([{"step": step, **row} for step in (1, 2)])
    refuses(small_world.PretrainingLog, log, "accuracy", 1.5)
    refuses(small_world.PretrainingLog, log, "step", 2, "unique")


def test_comparison_faults(refuses: Callable[..., None]) -> None:
    areas = {"topic_auc": 1.0, "document_auc": 0.75, "carrier_auc": 0.9}
    table = pd.DataFrame([{"method": method, "benchmark": "quiz", **areas} for method in ("trackstar", "influence")])
    refuses(small_world.PlantedComparison, table, "topic_auc", 1.1)
    refuses(small_world.PlantedComparison, table, "method", "influence", "unique")


def test_planted_topic_faults(refuses: Callable[..., None]) -> None:
    row = {"method": "trackstar", "benchmark": "quiz", "planted": True, "z": 1.0, "ci_low": 0.5, "ci_high": 1.5}
    table = pd.DataFrame([{"topic": topic, **row} for topic in ("games", "health")])
    refuses(small_world.PlantedTopics, table, "topic", "health", "unique")
    refuses(small_world.PlantedTopics, table, "z", float("nan"))
