"""Calibration of confidences (temperature, Platt scaling), and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BOUNDS = (1e-3, 1e3)
"""Range of temperatures searched."""


@dataclass(frozen=True)
class Calibration:
    """Map from class scores to the probability that the top class is correct.

    Neither step changes the top class.

    Attributes:
        temperature: Divides the scores before a softmax.
        slope: Slope of the line through log-odds of the top class (Platt 1999), above 0.
        offset: Offset of that line.
    """

    temperature: float = 1.0
    slope: float = 1.0
    offset: float = 0.0

    def confidence(self, scores: np.ndarray) -> np.ndarray:
        """Return the confidence, 0 to 1, in each document's top class.

        Args:
            scores: Class scores, shape (documents, classes), two classes or more.
        """
        from scipy.special import expit

        chance: np.ndarray = expit(self.slope * _log_odds(scores, self.temperature) + self.offset)
        return chance


def fit_calibration(scores: np.ndarray, truth: np.ndarray) -> Calibration:
    """Fit a calibration by maximum likelihood: first the temperature, then the line.

    Args:
        scores: Held-out class scores, shape (documents, classes).
        truth: Index of each document's class.
    """
    from scipy.optimize import minimize

    temperature = fit_temperature(scores, truth)
    odds, right = _log_odds(scores, temperature), scores.argmax(axis=1) == truth
    # Platt's targets: a classifier without mistakes is not certain of its next label.
    hits, misses = int(right.sum()), int((~right).sum())
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def surprise(line: np.ndarray) -> float:
        value = np.exp(line[0]) * odds + line[1]
        return float((np.logaddexp(0, value) - target * value).mean())

    log_slope, offset = minimize(surprise, np.zeros(2), method="Nelder-Mead").x
    return Calibration(temperature, float(np.exp(log_slope)), float(offset))


def _log_odds(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Return the log-odds of the top class under a softmax, accurate where it is nearly certain."""
    from scipy.special import logsumexp

    ordered = np.sort(scores.astype(np.float64), axis=1) / temperature
    odds: np.ndarray = ordered[:, -1] - logsumexp(ordered[:, :-1], axis=1)
    return odds


def softmax(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Return class probabilities, shape (documents, classes).

    A single positive temperature scales all scores, so the top class stays the same.

    Args:
        scores: Class scores, shape (documents, classes).
        temperature: Divides the scores.
    """
    shifted = (scores - scores.max(axis=1, keepdims=True)) / temperature
    weights = np.exp(shifted)
    probabilities: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(scores: np.ndarray, truth: np.ndarray) -> float:
    """Fit a temperature by maximum likelihood (Guo et al. 2017, arXiv 1706.04599).

    Args:
        scores: Held-out class scores, shape (documents, classes).
        truth: Index of each document's class.
    """
    from scipy.optimize import minimize_scalar

    scores = scores.astype(np.float64)

    def surprise(log_temperature: float) -> float:
        chances = softmax(scores, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chances, np.finfo(np.float64).tiny)).mean())

    low, high = np.log(BOUNDS)
    return float(np.exp(minimize_scalar(surprise, bounds=(low, high), method="bounded").x))


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int) -> pd.DataFrame:
    """Return the reliability curve: accuracy of labels by confidence.

    Args:
        confidence: Confidence of each document's label, 0 to 1.
        right: Whether each label is correct.
        bins: Number of bins of equal width; bin b has confidences in (b / bins, (b + 1) / bins].

    Returns:
        ``low``, ``high`` (bounds of the bin), ``confidence`` (mean), ``accuracy``, ``n_documents``;
        no row for a bin without documents.
    """
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
    """Return the expected calibration error: mean absolute gap of confidence and accuracy.

    Args:
        table: Result of :func:`reliability`.
    """
    gaps = (table["confidence"] - table["accuracy"]).abs()
    return float((gaps * table["n_documents"]).sum() / table["n_documents"].sum())
