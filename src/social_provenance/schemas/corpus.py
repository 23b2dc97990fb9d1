"""Tables of documents, on any Ibis backend: checked by one aggregate query, reported by counts.

A failing check of a library prints the failing values, which for a corpus are megabytes of text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from social_provenance.errors import CorpusError
from social_provenance.regions.grid import FORMATS, TOPICS

Rules = Mapping[str, Callable[[Any], Any]]
"""Sentence about a row -> the rows of a table for which it is not true (a boolean column)."""


class CorpusTable:
    """Columns with their types, and rules that hold for every row.

    Attributes:
        columns: Name -> Ibis type; further columns are an error.
        rules: What no row may break.
        key: Column without nulls or repetition, if any.
    """

    columns: ClassVar[Mapping[str, str]]
    rules: ClassVar[Rules] = {}
    key: ClassVar[str | None] = "doc_id"

    def validate(self, data: Any) -> Any:
        """Return ``data``.

        Raises:
            CorpusError: Naming what is wrong, and how many rows.
        """
        name = type(self).__name__
        found = {column: str(kind).removeprefix("!") for column, kind in data.schema().items()}
        if found != dict(self.columns):
            odd = sorted(set(found.items()) ^ set(self.columns.items()))
            raise CorpusError(f"table {name}: columns differ from its schema at {odd[0][0]!r} (it has {found})")
        measures = {f"broken_{place}": rule(data).sum() for place, rule in enumerate(self.rules.values())}
        if self.key:
            measures |= {"rows": data.count(), "keys": data[self.key].nunique()}
        counts = data.aggregate(**measures).execute().iloc[0].fillna(0) if measures else {}
        for place, rule in enumerate(self.rules):
            if counts[f"broken_{place}"]:
                raise CorpusError(f"table {name}: {int(counts[f'broken_{place}'])} rows where not: {rule}")
        if self.key and counts["rows"] != counts["keys"]:
            lost = int(counts["rows"] - counts["keys"])
            raise CorpusError(f"table {name}: {lost} rows have no {self.key} or one that another row has")
        return data


_PLACE = {"shard": "string", "row": "int64"}
_LABELS: Rules = {
    "topic is a slug of the grid": lambda table: ~table.topic.isin(TOPICS) | table.topic.isnull(),
    "format is a slug of the grid": lambda table: ~table.format.isin(FORMATS) | table.format.isnull(),
    "topic_confidence is from 0 to 1": lambda table: ~table.topic_confidence.between(0, 1),
    "format_confidence is from 0 to 1": lambda table: ~table.format_confidence.between(0, 1),
    "label_source is given or linear": lambda table: ~table.label_source.isin(["given", "linear"]),
}


class Records(CorpusTable):
    """What shards hold, unusable records included."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        "text": "string",
        "url": "string",
        "source": "string",
        "given_topic": "string",
        "given_format": "string",
        "given_topic_confidence": "float64",
        "given_format_confidence": "float64",
        **_PLACE,
        "problem": "string",
    }
    rules: ClassVar[Rules] = {
        "a record without a problem has id and text": lambda table: (
            table.problem.isnull() & (table.doc_id.isnull() | table.text.isnull())
        ),
        "row counts from 1": lambda table: table.row < 1,
    }
    key: ClassVar[str | None] = None


class Documents(CorpusTable):
    """Normalised documents."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        "text": "string",
        "url": "string",
        "source": "string",
        "n_chars": "int64",
        "content_hash": "string",
        "given_topic": "string",
        "given_format": "string",
        "given_topic_confidence": "float64",
        "given_format_confidence": "float64",
        **_PLACE,
        "cluster_id": "string",
    }
    rules: ClassVar[Rules] = {
        "text has n_chars characters, at least one": lambda table: (
            (table.text.length() != table.n_chars) | (table.n_chars < 1)
        ),
        "cluster_id is there": lambda table: table.cluster_id.isnull(),
    }


class RejectedDocuments(CorpusTable):
    """Records that are no documents, with the reason."""

    columns: ClassVar[Mapping[str, str]] = {"doc_id": "string", **_PLACE, "reason": "string", "n_chars": "int64"}
    rules: ClassVar[Rules] = {"a reason is there": lambda table: table.reason.isnull()}
    key: ClassVar[str | None] = None


class LabelledDocuments(CorpusTable):
    """Documents with topic and format, without their text."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        "url": "string",
        "source": "string",
        "n_chars": "int64",
        "content_hash": "string",
        "cluster_id": "string",
        **_PLACE,
        "topic": "string",
        "topic_confidence": "float64",
        "format": "string",
        "format_confidence": "float64",
        "label_source": "string",
    }
    rules: ClassVar[Rules] = _LABELS


class WorkingSet(CorpusTable):
    """The stratified sample, with texts."""

    columns: ClassVar[Mapping[str, str]] = {**LabelledDocuments.columns, "bin_rank": "int64", "text": "string"}
    rules: ClassVar[Rules] = {
        **_LABELS,
        "bin_rank counts from 0": lambda table: table.bin_rank < 0,
        "text is there": lambda table: table.text.isnull(),
    }
