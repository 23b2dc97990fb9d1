"""Normalise documents, drop the unfit ones with a named reason, keep one of each text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    import ibis.expr.types as ir

REASONS = ("not_json", "no_id", "no_text", "too_short", "too_long", "duplicate_text")


@dataclass(frozen=True)
class CleanCorpus:
    """The two halves of a corpus; together they have every record exactly once."""

    documents: ir.Table
    rejected: ir.Table


def clean(records: Any, min_chars: int, max_chars: int) -> CleanCorpus:
    """Split records into documents and rejected ones.

    Of records with the same text (see :func:`content_hash`) the one with the smallest id stays.

    Args:
        records: Table of :func:`social_provenance.documents.shards.read_records`.
        min_chars: Shortest text, in characters after normalisation.
        max_chars: Longest text, in characters after normalisation.

    Raises:
        CorpusError: If two records share an id.
    """
    import ibis

    refuse_repeated_ids(records)
    texts = records.mutate(text=normalise(records.text))
    texts = texts.mutate(n_chars=texts.text.length().cast("int64"), content_hash=content_hash(texts.text))
    reason = ibis.cases(
        (texts.problem.notnull(), texts.problem),
        (texts.n_chars < min_chars, "too_short"),
        (texts.n_chars > max_chars, "too_long"),
    )
    judged = texts.mutate(reason=reason)
    fit = judged.filter(judged.reason.isnull())
    copy = ibis.row_number().over(group_by=fit.content_hash, order_by=fit.doc_id)
    fit = fit.mutate(copy=copy)
    copies = fit.filter(fit.copy > 0).mutate(reason=ibis.literal("duplicate_text")).drop("copy")
    rejected = ibis.union(judged.filter(judged.reason.notnull()), copies)
    return CleanCorpus(_documents(fit.filter(fit.copy == 0)), _rejected(rejected))


def normalise(text: Any) -> Any:
    """Unify line ends, drop control characters, trim lines, keep at most one blank line."""
    text = text.re_replace("\r\n?", "\n").re_replace("[\\x00-\\x08\\x0b-\\x1f\\x7f]", "")
    return text.re_replace("[ \t]+\n", "\n").re_replace("\n{3,}", "\n\n").strip()


def content_hash(text: Any) -> Any:
    """Return the SHA-256 of a text without regard to case and spacing."""
    return text.lower().re_replace("\\s+", " ").hexdigest("sha256")


def refuse_repeated_ids(records: Any) -> None:
    """Raise when two records share an id.

    Raises:
        CorpusError: Naming the id and the places of its first two records.
    """
    named = records.filter(records.doc_id.strip() != "")
    counts = named.group_by("doc_id").agg(times=named.count())
    repeated = counts.filter(counts.times > 1).order_by("doc_id").limit(1).execute()
    if repeated.empty:
        return
    doc_id = repeated["doc_id"].iloc[0]
    places = records.filter(records.doc_id == doc_id).order_by("shard", "row").limit(2).execute()
    listed = " and ".join(f"{place.shard} row {place.row}" for place in places.itertuples())
    raise CorpusError(f"id {doc_id!r} is used twice, in {listed}: give every document its own id")


def _documents(table: Any) -> Any:
    import ibis

    domain = table.url.re_extract("^[A-Za-z]+://(?:www\\.)?([^/:?#]+)", 1).lower()
    return table.select(
        "doc_id",
        "text",
        "url",
        "source",
        "n_chars",
        "content_hash",
        "given_topic",
        "given_format",
        "given_topic_confidence",
        "given_format_confidence",
        "shard",
        "row",
        cluster_id=ibis.coalesce(domain.nullif(""), table.doc_id),
    ).order_by("doc_id")


def _rejected(table: Any) -> Any:
    return table.select("doc_id", "shard", "row", "reason", "n_chars").order_by("shard", "row")


def count_corpus(records: Any, documents: Any, rejected: Any) -> dict[str, Any]:
    """Return the counts of a cleaned corpus.

    Raises:
        CorpusError: If the halves do not add up to the records, or no document is left.
    """
    read, kept = int(records.count().execute()), int(documents.count().execute())
    reasons = rejected.group_by("reason").agg(times=rejected.count()).order_by("reason").execute()
    dropped = {str(row.reason): int(row.times) for row in reasons.itertuples()}
    if kept + sum(dropped.values()) != read:
        raise CorpusError(f"{read} records became {kept} documents and {dropped}: records were lost, this is a defect")
    if not kept:
        raise CorpusError(f"no document is left of {read} records ({dropped}): see documents.min_chars and max_chars")
    return {"records": read, "documents": kept, "rejected": dropped}
