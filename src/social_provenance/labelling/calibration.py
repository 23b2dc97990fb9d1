"""Confidences that mean what they say: temperature scaling, and how far they are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

BOUNDS = (1e-3, 1e3)
"""Temperatures that are looked at."""


def softmax(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities of classes, rows that sum to 1.

    A temperature is one positive number for all scores, so the class with the highest score stays the
    most probable one.

    Args:
        scores: Documents x classes.
        temperature: Divides the scores.
    """
    import numpy as np

    shifted = (scores - scores.max(axis=1, keepdims=True)) / temperature
    weights = np.exp(shifted)
    probabilities: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the temperature under which the true classes are most likely (Guo et al. 2017, arXiv 1706.04599).

    Args:
        scores: Documents x classes, of documents that the scores were not learned from.
        truth: Place of each document's class.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    scores = scores.astype(np.float64)

    def surprise(log_temperature: float) -> float:
        chances = softmax(scores, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chances, np.finfo(np.float64).tiny)).mean())

    low, high = np.log(BOUNDS)
    return float(np.exp(minimize_scalar(surprise, bounds=(low, high), method="bounded").x))


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int) -> pd.DataFrame:
    """Return how often labels are right, by how sure they are.

    Args:
        confidence: Of each document's label, 0 to 1.
        right: Whether it is right.
        bins: Bins of equal width; bin b holds confidences above b / bins, up to (b + 1) / bins.

    Returns:
        ``low``, ``high`` (bounds of the bin), ``confidence`` (mean), ``accuracy``, ``n_documents``;
        no row for a bin without documents.
    """
    import numpy as np
    import pandas as pd

    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    table = pd.DataFrame({"bin": place, "confidence": confidence, "accuracy": right.astype(float)})
    found = table.groupby("bin").agg(
        confidence=("confidence", "mean"), accuracy=("accuracy", "mean"), n_documents=("accuracy", "size")
    )
    found.insert(0, "low", found.index / bins)
    found.insert(1, "high", (found.index + 1) / bins)
    return found.reset_index(drop=True)


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error: mean distance of confidence and accuracy, weighted by documents.

    Args:
        table: Of :func:`reliability`.
    """
    gaps = (table["confidence"] - table["accuracy"]).abs()
    return float((gaps * table["n_documents"]).sum() / table["n_documents"].sum())
