"""A light linear classifier of topic and format, calibrated, and how it is kept without pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from social_provenance.errors import LabelError
from social_provenance.labelling.calibration import Calibration
from social_provenance.labelling.features import Features, fit_features
from social_provenance.labelling.ngrams import GROUPS, Hasher
from social_provenance.labelling.ridge import INTERCEPT, similarities, solve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from scipy.sparse import csr_array

    from social_provenance.labelling.settings import Light

AXES = ("topic", "format")
ARRAYS, DESCRIPTION = "classifier.safetensors", "classifier.json"
VERSION = 1
"""Of the format on disk and of how n-grams are hashed."""


@dataclass(frozen=True)
class LinearLabeller:
    """Ridge regression on class membership, over hashed n-grams, one calibration an axis.

    Attributes:
        features: From documents to columns.
        classes: Axis -> its classes, in alphabetical order; topics come first in ``weights``.
        weights: Columns x classes of both axes, float32 numbers that half precision holds too.
        intercepts: Of each class.
        calibrations: Axis -> from its scores to a confidence.
    """

    features: Features
    classes: Mapping[str, tuple[str, ...]]
    weights: np.ndarray
    intercepts: np.ndarray
    calibrations: Mapping[str, Calibration]
    source: ClassVar[str] = "linear"

    def predict(self, documents: pd.DataFrame) -> pd.DataFrame:
        """Return ``topic``, ``format`` and their confidences (0 to 1), on the index of the input.

        Args:
            documents: Rows with ``text`` and ``url`` (may be null).
        """
        import numpy as np
        import pandas as pd

        scores = self.scores(self.features.rows(*inputs(documents)))
        columns: dict[str, Any] = {}
        for axis in AXES:
            names = np.array(self.classes[axis], dtype=object)
            best = scores[axis].argmax(axis=1)
            columns[axis] = names[best]
            columns[f"{axis}_confidence"] = self.calibrations[axis].confidence(scores[axis])
        return pd.DataFrame(columns, index=documents.index)

    def scores(self, rows: csr_array) -> dict[str, np.ndarray]:
        """Return axis -> documents x classes, before any calibration."""
        both = (rows @ self.weights + self.intercepts).astype("float64")
        topics = len(self.classes["topic"])
        return {"topic": both[:, :topics], "format": both[:, topics:]}

    def save(self, folder: Path) -> None:
        """Write arrays (safetensors) and description (JSON)."""
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
            "max_character_grams": hasher.max_character_grams,
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
                f"the classifier in {folder} is of version {known['version']}, this is version {VERSION}: "
                f"train it again"
            )
        arrays = load_file(folder / ARRAYS)
        hasher = Hasher(known["max_chars"], known["max_character_grams"])
        return cls(
            Features(arrays["columns"], arrays["idf"], hasher),
            {axis: tuple(names) for axis, names in known["classes"].items()},
            arrays["weights"].astype("float32"),
            arrays["intercepts"],
            {axis: Calibration(**own) for axis, own in known["calibrations"].items()},
        )


@dataclass(frozen=True)
class Training:
    """Labelled documents as rows, from which classifiers of all or of some of them are fitted.

    Attributes:
        features: From documents to columns.
        rows: Documents x columns.
        axes: Axis -> what is known of its classes.
        penalty: Strength of the L2 penalty, where a document's similarity with itself is 1.
    """

    features: Features
    rows: csr_array
    axes: Mapping[str, _Axis]
    penalty: float

    @classmethod
    def of(cls, documents: pd.DataFrame, settings: Light) -> Training:
        """Count the n-grams of documents with ``text``, ``url`` (may be null), ``topic`` and ``format``.

        Raises:
            LabelError: If an axis has fewer than two classes to tell apart.
        """
        for axis in AXES:
            names = documents[axis].unique()
            if len(names) < 2:
                raise LabelError(
                    f"given labels name only one {axis} ({', '.join(names) or 'none'}): a classifier needs two or "
                    f"more, label more documents"
                )
        features, rows = fit_features(*inputs(documents), settings)
        axes = {axis: _Axis.of(axis, rows, features, documents[axis].astype(str).to_numpy()) for axis in AXES}
        return cls(features, rows, axes, settings.penalty)

    def unseen_scores(self, axis: str, held: np.ndarray) -> np.ndarray:
        """Return held documents x classes, as a classifier of all others scores them.

        Args:
            axis: Topic or format.
            held: Which documents are held out.
        """
        import numpy as np

        own = self.axes[axis]
        learned, asked = np.flatnonzero(~held), np.flatnonzero(held)
        dual = solve(own.products[np.ix_(learned, learned)], own.members[learned], self.penalty)
        scores: np.ndarray = (own.products[np.ix_(asked, learned)] + np.float32(INTERCEPT)) @ dual
        return scores

    def fit(self, calibrations: Mapping[str, Calibration]) -> LinearLabeller:
        """Return the classifier of all documents.

        Args:
            calibrations: Axis -> calibration.
        """
        import numpy as np

        weights, intercepts = [], []
        for own in self.axes.values():
            dual = solve(own.products, own.members, self.penalty)
            weights.append((self.rows.T @ dual) * own.importance[:, None])
            intercepts.append(INTERCEPT * dual.sum(axis=0))
        classes = {axis: own.classes for axis, own in self.axes.items()}
        kept = np.hstack(weights).astype(np.float16).astype(np.float32)  # as the file keeps them
        arrays = kept, np.concatenate(intercepts).astype(np.float32)
        return LinearLabeller(self.features, classes, *arrays, calibrations)


@dataclass(frozen=True)
class _Axis:
    """What training knows of an axis.

    Attributes:
        classes: In alphabetical order.
        place: Each document's place among them.
        members: Documents x classes: membership, less its mean under classes of equal size.
        importance: Of each column in products; the columns of a document sum to 1 at most.
        products: Documents x documents.
    """

    classes: tuple[str, ...]
    place: np.ndarray
    members: np.ndarray
    importance: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, axis: str, rows: csr_array, features: Features, labels: np.ndarray) -> _Axis:
        import numpy as np

        names, place = np.unique(labels, return_inverse=True)
        members = np.eye(len(names), dtype=np.float32)[place] - np.float32(1 / len(names))
        groups = np.array([getattr(group, axis) for group in GROUPS])
        importance = (groups / groups.sum()).astype(np.float32)[features.groups]
        used = np.flatnonzero(importance)
        own = rows[:, used]
        own.data = own.data * np.sqrt(importance)[used][own.indices]
        return cls(tuple(names.tolist()), place, members, importance, similarities(own))


def inputs(documents: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return texts and URLs, empty where there is none."""
    return documents["text"].tolist(), [url if isinstance(url, str) else "" for url in documents["url"]]
