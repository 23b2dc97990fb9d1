"""Labels that came with the documents, mapped to slugs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.errors import LabelError
from social_provenance.labelling.linear import AXES
from social_provenance.regions.aliases import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SOURCE = "given"


@dataclass(frozen=True)
class GivenLabels:
    """Map from the spellings of labels in a corpus to slugs.

    Attributes:
        slugs: Axis -> spelling -> slug.
    """

    slugs: Mapping[str, Mapping[str, str]]

    @classmethod
    def none(cls) -> GivenLabels:
        """Return a map without spellings, under which every label is missing."""
        return cls({axis: {} for axis in AXES})

    @classmethod
    def read(cls, documents: Any) -> GivenLabels:
        """Look up every spelling that occurs in the corpus.

        Raises:
            LabelError: If a spelling is outside the taxonomy, with its first document.
        """
        return cls({axis: _slugs(documents, axis) for axis in AXES})

    def of(self, documents: pd.DataFrame) -> pd.DataFrame:
        """Return given labels and confidences, null where missing, on the index of the input.

        Args:
            documents: Rows with the columns ``given_*``; a label without a confidence has 1.
        """
        found = documents[[]].copy()
        for axis in AXES:
            found[axis] = documents[f"given_{axis}"].map(self.slugs[axis]).astype(object)
            confidence = documents[f"given_{axis}_confidence"].astype(float).fillna(1.0)
            found[f"{axis}_confidence"] = confidence.where(found[axis].notna())
        return found


def has_both(documents: Any) -> Any:
    """Return the Ibis condition that a document came with topic and format."""
    return documents.given_topic.notnull() & documents.given_format.notnull()


def _slugs(documents: Any, axis: str) -> dict[str, str]:
    column = documents[f"given_{axis}"]
    spellings = documents.filter(column.notnull()).select(label=column).distinct().order_by("label").execute()["label"]
    table = {}
    for label in spellings:
        try:
            table[label] = CANONICAL[axis](label)
        except LabelError as error:
            place = documents.filter(column == label).order_by("shard", "row").limit(1).execute().iloc[0]
            raise LabelError(
                f"{place.shard} row {place.row}, document {place.doc_id}: {error}; fix it, or have such "
                f"labels left out (raw_documents.fields.given_{axis})"
            ) from error
    return table
