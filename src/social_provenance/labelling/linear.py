"""A light, calibrated linear classifier of topic and format, saved without pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from social_provenance.errors import LabelError
from social_provenance.labelling.calibration import Calibration
from social_provenance.labelling.features import Features, fit_features
from social_provenance.labelling.ngrams import GROUPS, Hasher
from social_provenance.labelling.ridge import INTERCEPT, similarities, solve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from scipy.sparse import csr_array

    from social_provenance.labelling.settings import Light

AXES = ("topic", "format")
ARRAYS, DESCRIPTION = "classifier.safetensors", "classifier.json"
VERSION = 1
"""Version of the format on disk and of the hashing of n-grams."""


@dataclass(frozen=True)
class LinearLabeller:
    """Ridge regression on class membership over hashed n-grams, with one calibration per axis.

    Attributes:
        features: Map from documents to columns.
        classes: Axis -> its classes, in alphabetical order; topics come first in ``weights``.
        weights: float32, shape (columns, classes of both axes), rounded to half precision.
        intercepts: Intercept of each class.
        calibrations: Axis -> calibration of its scores.
    """

    features: Features
    classes: Mapping[str, tuple[str, ...]]
    weights: np.ndarray
    intercepts: np.ndarray
    calibrations: Mapping[str, Calibration]
    source: ClassVar[str] = "linear"

    def predict(self, documents: pd.DataFrame, axes: Sequence[str] = AXES) -> pd.DataFrame:
        """Predict labels and confidences (0 to 1) on ``axes``, on the index of the input.

        Args:
            documents: Rows with ``text`` and ``url`` (may be null).
            axes: ``topic``, ``format``, or both.
        """
        import pandas as pd

        scores = self.scores(self.features.rows(*inputs(documents)))
        columns: dict[str, Any] = {}
        for axis in axes:
            names = np.array(self.classes[axis], dtype=object)
            best = scores[axis].argmax(axis=1)
            columns[axis] = names[best]
            columns[f"{axis}_confidence"] = self.calibrations[axis].confidence(scores[axis])
        return pd.DataFrame(columns, index=documents.index)

    def scores(self, rows: csr_array) -> dict[str, np.ndarray]:
        """Return axis -> uncalibrated scores, shape (documents, classes)."""
        both = (rows @ self.weights + self.intercepts).astype("float64")
        topics = len(self.classes["topic"])
        return {"topic": both[:, :topics], "format": both[:, topics:]}

    def save(self, folder: Path) -> None:
        """Write arrays (safetensors) and metadata (JSON)."""
        from safetensors.numpy import save_file

        arrays = {
            "columns": self.features.columns,
            "idf": self.features.idf,
            "weights": self.weights.astype("float16"),
            "intercepts": self.intercepts,
        }
        save_file(arrays, folder / ARRAYS)
        hasher = self.features.hasher
        description = {
            "version": VERSION,
            "classes": {axis: list(names) for axis, names in self.classes.items()},
            "calibrations": {axis: asdict(own) for axis, own in self.calibrations.items()},
            "max_chars": hasher.max_chars,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=1))

    @classmethod
    def load(cls, folder: Path) -> LinearLabeller:
        """Read what :meth:`save` wrote.

        Raises:
            LabelError: If the folder has no classifier, or one of another version.
        """
        from safetensors.numpy import load_file

        if not (folder / DESCRIPTION).exists() or not (folder / ARRAYS).exists():
            raise LabelError(
                f"there is no classifier in {folder}: give the folder of one that the taxonomy pipeline trained "
                f"(labelling.light.saved), or null to train one"
            )
        known = json.loads((folder / DESCRIPTION).read_text())
        if known["version"] != VERSION:
            raise LabelError(
                f"the classifier in {folder} has version {known['version']}, this code reads version {VERSION}: "
                f"train it again"
            )
        arrays = load_file(folder / ARRAYS)
        hasher = Hasher(known["max_chars"])
        return cls(
            Features(arrays["columns"], arrays["idf"], hasher),
            {axis: tuple(names) for axis, names in known["classes"].items()},
            arrays["weights"].astype("float32"),
            arrays["intercepts"],
            {axis: Calibration(**own) for axis, own in known["calibrations"].items()},
        )


@dataclass(frozen=True)
class Training:
    """A fitted classifier, with held-out scores of its training documents.

    Attributes:
        labeller: Classifier trained on all documents, not calibrated.
        places: Axis -> index of each document's class.
        held: Axis -> scores by a classifier trained on all other groups, shape (documents, classes).
    """

    labeller: LinearLabeller
    places: Mapping[str, np.ndarray]
    held: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, documents: pd.DataFrame, groups: np.ndarray, settings: Light) -> Training:
        """Fit documents with ``text``, ``url`` (may be null), ``topic`` and ``format``.

        Args:
            documents: Training documents.
            groups: Group of each document, integers from 0; a group is held out together.
            settings: Settings of the classifier.

        Raises:
            LabelError: If an axis has fewer than two classes.
        """
        for axis in AXES:
            names = documents[axis].unique()
            if len(names) < 2:
                raise LabelError(
                    f"given labels name only one {axis} ({', '.join(names) or 'none'}): a classifier needs two or "
                    f"more, label more documents"
                )
        features, rows = fit_features(*inputs(documents), settings)
        weights, intercepts, classes, places, held = [], [], {}, {}, {}
        for axis in AXES:
            names, places[axis] = np.unique(documents[axis].astype(str), return_inverse=True)
            classes[axis] = tuple(names.tolist())
            members = np.eye(len(names), dtype=np.float32)[places[axis]] - np.float32(1 / len(names))
            importance = _importance(axis, features)
            products = similarities(_scaled(rows, np.sqrt(importance)))
            dual, held[axis] = solve(products, members, settings.penalty, groups)
            weights.append((rows.T @ dual) * importance[:, None])
            intercepts.append(INTERCEPT * dual.sum(axis=0))
        kept = np.hstack(weights).astype(np.float16).astype(np.float32)  # as the file keeps them
        plain = dict.fromkeys(AXES, Calibration())
        labeller = LinearLabeller(features, classes, kept, np.concatenate(intercepts).astype(np.float32), plain)
        return cls(labeller, places, held)


def _importance(axis: str, features: Features) -> np.ndarray:
    """Return the weight of each column in similarities; weights of groups sum to 1."""
    weights = np.array([getattr(group, axis) for group in GROUPS])
    importance: np.ndarray = (weights / weights.sum()).astype(np.float32)[features.groups]
    return importance


def _scaled(rows: csr_array, factors: np.ndarray) -> csr_array:
    """Multiply columns by their factor; drop those of factor 0."""
    used = np.flatnonzero(factors)
    own = rows[:, used]
    own.data = own.data * factors[used][own.indices]
    return own


def inputs(documents: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return texts and URLs; a missing URL is empty."""
    return documents["text"].tolist(), [url if isinstance(url, str) else "" for url in documents["url"]]
