"""Quality of a classifier on held-out labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_provenance.labelling.calibration import calibration_error, reliability
from social_provenance.labelling.linear import AXES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

QUALITY, CONFUSION, RELIABILITY = "quality.parquet", "confusion.parquet", "reliability.parquet"

COLUMNS: dict[str, dict[str, str]] = {
    QUALITY: {
        "axis": "str",
        "label_source": "str",
        "accuracy": "float64",
        "macro_f1": "float64",
        "majority_share": "float64",
        "confidence": "float64",
        "calibration_error": "float64",
        "n_train": "int64",
        "n_test": "int64",
    },
    CONFUSION: {"axis": "str", "given": "str", "said": "str", "n_documents": "int64"},
    RELIABILITY: {
        "axis": "str",
        "low": "float64",
        "high": "float64",
        "confidence": "float64",
        "accuracy": "float64",
        "n_documents": "int64",
    },
}
"""Table -> its columns and their types."""


@dataclass(frozen=True)
class Quality:
    """Tables on the quality of a classifier; empty if no classifier was needed.

    Attributes:
        quality: One row per axis.
        confusion: One row per non-empty pair of given and predicted label.
        reliability: One row per non-empty bin of confidence.
    """

    quality: pd.DataFrame
    confusion: pd.DataFrame
    reliability: pd.DataFrame

    def save(self, folder: Path) -> None:
        """Write the tables."""
        for name, table in zip(COLUMNS, (self.quality, self.confusion, self.reliability), strict=True):
            table.to_parquet(folder / name)

    @classmethod
    def load(cls, folders: Iterable[Path]) -> Quality:
        """Read the tables from the folder of a classifier; empty tables if there is no folder."""
        import pandas as pd

        place = next(iter(folders), None)
        tables = [
            (pd.DataFrame(columns=list(types)) if place is None else pd.read_parquet(place / name)).astype(types)
            for name, types in COLUMNS.items()
        ]
        return cls(*tables)


def compare(given: pd.DataFrame, said: pd.DataFrame, source: str, n_train: int, bins: int) -> Quality:
    """Compare a classifier's labels with given ones.

    Args:
        given: ``topic``, ``format`` of documents held out from training.
        said: Predicted ``topic``, ``format`` and confidences of the same documents.
        source: Name of the classifier.
        n_train: Number of training documents.
        bins: Number of bins of confidence (see :func:`calibration.reliability`).
    """
    import pandas as pd
    from sklearn.metrics import f1_score

    quality, confusions, curves = [], [], []
    for axis in AXES:
        truth, label = given[axis].to_numpy(object), said[axis].to_numpy(object)
        confidence = said[f"{axis}_confidence"].to_numpy(float)
        curve = reliability(confidence, truth == label, bins)
        quality.append(
            {
                "axis": axis,
                "label_source": source,
                "accuracy": float((truth == label).mean()),
                "macro_f1": float(f1_score(truth, label, labels=sorted(set(truth)), average="macro", zero_division=0)),
                "majority_share": float(given[axis].value_counts(normalize=True).max()),
                "confidence": float(confidence.mean()),
                "calibration_error": calibration_error(curve),
                "n_train": n_train,
                "n_test": len(given),
            }
        )
        pairs = pd.DataFrame({"axis": axis, "given": truth, "said": label})
        confusions.append(pairs.groupby(["axis", "given", "said"]).size().rename("n_documents").reset_index())
        curves.append(curve.assign(axis=axis))
    confusion, table = pd.concat(confusions, ignore_index=True), pd.concat(curves, ignore_index=True)
    return Quality(pd.DataFrame(quality), confusion[list(COLUMNS[CONFUSION])], table[list(COLUMNS[RELIABILITY])])
