"""Deduplication of records to documents, each with a cluster id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.documents import quality
from social_provenance.documents.near import find_groups
from social_provenance.documents.records import DAMAGED, GIVEN, UNUSABLE, check_damage
from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from social_provenance.documents.settings import DocumentSettings

REASONS = (DAMAGED, *UNUSABLE, "too_short", "too_long", *quality.REASONS, "duplicate_text", "near_duplicate")
"""Reasons for rejecting a record, in the order in which they are checked."""

PLACE = ["shard", "row"]


@dataclass(frozen=True)
class CleanCorpus:
    """Documents and rejected records, each by shard and row; every record is in exactly one of the two."""

    documents: ir.Table
    rejected: ir.Table


def clean(records: ir.Table, settings: DocumentSettings) -> CleanCorpus:
    """Split records into documents and rejected ones.

    Of records with the same text (see :func:`social_provenance.documents.text.content_hash`) the one
    with the smallest id is kept; likewise of near-duplicates, where they are searched and dropped.

    A document's ``cluster_id`` is its web site, or its own id where it has no URL. A group of
    near-duplicates has that of its representative, so that it is never split over clusters.

    Args:
        records: Table of :func:`social_provenance.documents.records.plan_records`.
        settings: Settings of the search for near-duplicates.

    Raises:
        CorpusError: If two texts share an id, or no document remains.
    """
    import ibis

    fit = records.filter(records.reason.isnull())
    fit = fit.mutate(cluster_id=_site(fit))
    copy = ibis.row_number().over(group_by=fit.content_hash, order_by=[fit.doc_id, fit.shard, fit.row])
    ranked = fit.select("doc_id", *PLACE, "n_chars", copy=copy).cache()  # all that is held of every record
    kept = ranked.filter(ranked.copy == 0).drop("copy")
    refuse_repeated_ids(kept)
    reasons = {"duplicate_text": ranked.filter(ranked.copy > 0)}
    near = settings.near_duplicates
    groups = find_groups(fit, kept, near) if near else None
    if near and near.drop and groups is not None:
        others = groups.filter(groups.member != groups.alike_id)
        reasons["near_duplicate"] = kept.semi_join(others, kept.doc_id == others.member)
        kept, groups = kept.anti_join(others, kept.doc_id == others.member), None
    rejected = [_rejected(records.filter(records.reason.notnull()), records.reason)]
    rejected += [_rejected(table, ibis.literal(reason)) for reason, table in reasons.items()]
    if not int(kept.count().execute()):  # here, because what a node returns is on disk before the next one reads it
        dropped = _count_reasons(ibis.union(*rejected))
        raise CorpusError(
            f"no document remains of {sum(dropped.values())} records ({dropped}): check the documents parameters"
        )
    # A join yields rows in the order in which threads finish; the order of the shards makes the same files each time.
    return CleanCorpus(_documents(fit, kept, groups).order_by(PLACE), ibis.union(*rejected).order_by(PLACE))


def refuse_repeated_ids(kept: ir.Table) -> None:
    """Raise when two texts share an id.

    Raises:
        CorpusError: With the id and the locations of its first two records.
    """
    counts = kept.group_by("doc_id").agg(times=kept.count())
    repeated = counts.filter(counts.times > 1).order_by("doc_id").limit(1).execute()
    if repeated.empty:
        return
    doc_id = repeated["doc_id"].iloc[0]
    places = kept.filter(kept.doc_id == doc_id).order_by(*PLACE).limit(2).execute()
    listed = " and ".join(f"{place.shard} row {place.row}" for place in places.itertuples())
    raise CorpusError(f"id {doc_id!r} has two texts, in {listed}: give every document a unique id")


def _site(table: ir.Table) -> Any:
    """Return the cluster of each row: its web site, or else its id."""
    import ibis

    return ibis.coalesce(table.site, table.doc_id)


def _documents(fit: ir.Table, kept: ir.Table, groups: Any | None) -> Any:
    """Select the kept records: a semi-join, because an inner join would hold the texts in memory."""
    import ibis

    columns = ["doc_id", "text", "url", "source", "n_chars", "content_hash", *GIVEN, *PLACE]
    documents = fit.select(*columns, "cluster_id", alike_id=fit.doc_id).semi_join(kept, PLACE)
    if groups is None:
        return documents
    named = documents.left_join(groups, documents.doc_id == groups.member)
    alike = {
        "cluster_id": ibis.coalesce(named.site, named.cluster_id),
        "alike_id": ibis.coalesce(named.alike_id_right, named.doc_id),
    }
    return named.select(*columns, **alike)


def _rejected(table: ir.Table, reason: Any) -> Any:
    return table.select("doc_id", *PLACE, "n_chars", reason=reason.cast("string"))


def count_corpus(
    records: ir.Table, documents: ir.Table, rejected: ir.Table, max_damaged_share: float
) -> dict[str, Any]:
    """Return the counts of a cleaned corpus.

    Raises:
        CorpusError: If documents and rejected records do not add up, or more shards are damaged than allowed.
    """
    read, kept = int(records.count().execute()), int(documents.count().execute())
    dropped = _count_reasons(rejected)
    shards = int(records.shard.nunique().execute())
    damaged = rejected.filter(rejected.reason == DAMAGED).order_by("shard").execute()
    broken = {str(one.shard): f"at record {one.row}" for one in damaged.itertuples()}
    check_damage(broken, shards, max_damaged_share)
    if kept + sum(dropped.values()) != read:
        raise CorpusError(
            f"{read} records became {kept} documents and {dropped}, so some were lost: report it, this is a bug"
        )
    return {"shards": shards, "damaged_shards": list(broken), "records": read, "documents": kept, "rejected": dropped}


def _count_reasons(rejected: ir.Table) -> dict[str, int]:
    counts = rejected.group_by("reason").agg(times=rejected.count()).order_by("reason").execute()
    return {str(row.reason): int(row.times) for row in counts.itertuples()}
