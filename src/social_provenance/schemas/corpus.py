"""Schemas of tables of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from social_provenance.regions.grid import FORMATS, TOPICS
from social_provenance.schemas.large import LargeTable, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLACE = {"shard": "string", "row": "int64"}
_GIVEN = {
    "given_topic": "string",
    "given_format": "string",
    "given_topic_confidence": "float64",
    "given_format_confidence": "float64",
}
_LABEL_COLUMNS = {
    "topic": "string",
    "topic_confidence": "float64",
    "topic_source": "string",
    "format": "string",
    "format_confidence": "float64",
    "format_source": "string",
}
_SOURCES = ("given", "linear", "official")
_LABELS: Rules = {
    "topic is a slug of the grid": lambda table: ~table.topic.isin(TOPICS) | table.topic.isnull(),
    "format is a slug of the grid": lambda table: ~table.format.isin(FORMATS) | table.format.isnull(),
    "topic_confidence is from 0 to 1": lambda table: ~table.topic_confidence.between(0, 1),
    "format_confidence is from 0 to 1": lambda table: ~table.format_confidence.between(0, 1),
    "topic_source is given, linear or official": lambda table: (
        ~table.topic_source.isin(_SOURCES) | table.topic_source.isnull()
    ),
    "format_source is given, linear or official": lambda table: (
        ~table.format_source.isin(_SOURCES) | table.format_source.isnull()
    ),
}


class Records(LargeTable):
    """Records of shards, each filtered on its own; the text of rejected ones is not kept."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        "text": "string",
        "url": "string",
        "site": "string",
        "source": "string",
        **_GIVEN,
        **_PLACE,
        "n_chars": "int64",
        "content_hash": "string",
        "signature": "binary",
        "bands": "array<int64>",
        "reason": "string",
    }
    rules: ClassVar[Rules] = {
        "a record without a reason has id, text and hash": lambda table: (
            table.reason.isnull() & (table.doc_id.isnull() | table.text.isnull() | table.content_hash.isnull())
        ),
        "row counts from 1": lambda table: table.row < 1,
    }
    key: ClassVar[Sequence[str]] = ()


class Documents(LargeTable):
    """Normalised documents."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        "text": "string",
        "url": "string",
        "source": "string",
        "n_chars": "int64",
        "content_hash": "string",
        **_GIVEN,
        **_PLACE,
        "cluster_id": "string",
        "alike_id": "string",
    }
    rules: ClassVar[Rules] = {
        "text has n_chars characters, at least one": lambda table: (
            (table.text.length() != table.n_chars) | (table.n_chars < 1)
        ),
        "cluster_id is there": lambda table: table.cluster_id.isnull(),
        "alike_id is there": lambda table: table.alike_id.isnull(),
    }


class RejectedDocuments(LargeTable):
    """Rejected records, with the reason."""

    columns: ClassVar[Mapping[str, str]] = {"doc_id": "string", **_PLACE, "reason": "string", "n_chars": "int64"}
    rules: ClassVar[Rules] = {"a reason is there": lambda table: table.reason.isnull()}
    key: ClassVar[Sequence[str]] = ()


class ShardLabels(LargeTable):
    """Topic and format of each document, shard by shard."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        **_LABEL_COLUMNS,
    }
    rules: ClassVar[Rules] = _LABELS


class LabelledDocuments(LargeTable):
    """Documents with topic and format, without their text."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        "url": "string",
        "source": "string",
        "n_chars": "int64",
        "content_hash": "string",
        "cluster_id": "string",
        **_PLACE,
        **_LABEL_COLUMNS,
    }
    rules: ClassVar[Rules] = _LABELS


class WorkingSet(LargeTable):
    """The stratified sample, with texts."""

    columns: ClassVar[Mapping[str, str]] = {**LabelledDocuments.columns, "bin_rank": "int64", "text": "string"}
    rules: ClassVar[Rules] = {
        **_LABELS,
        "bin_rank counts from 0": lambda table: table.bin_rank < 0,
        "text is there": lambda table: table.text.isnull(),
    }


class SamplingManifest(LargeTable):
    """Identity of the documents of the stratified sample."""

    columns: ClassVar[Mapping[str, str]] = {
        "doc_id": "string",
        "topic": "string",
        "format": "string",
        "bin_rank": "int64",
        **_PLACE,
        "content_hash": "string",
        "n_chars": "int64",
    }
    rules: ClassVar[Rules] = {
        **{sentence: rule for sentence, rule in _LABELS.items() if "slug" in sentence},
        "bin_rank counts from 0": lambda table: table.bin_rank < 0,
        "content_hash is there": lambda table: table.content_hash.isnull(),
    }
