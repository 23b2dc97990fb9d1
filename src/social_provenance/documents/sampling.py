"""Nested, stratified samples: the first n of a bin's seeded order are its n-sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.errors import SamplingError
from social_provenance.fingerprint import digest_of
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    import ibis.expr.types as ir

RULE = "documents of a bin in the order of md5('<seed>:<doc_id>'); bin_rank is the place from 0"


def draw_working_set(labelled: Any, documents: Any, per_bin: int, seed: int) -> ir.Table:
    """Return up to ``per_bin`` documents of each bin, with ``text`` and ``bin_rank``.

    The order within a bin depends on the seed and the ids alone, so a smaller sample is a subset
    of a larger one, whatever the shards, the engine or the rest of the corpus.
    """
    import ibis

    order = ibis.literal(f"{seed}:").concat(labelled.doc_id).hexdigest("md5")
    window = ibis.window(group_by=[labelled.topic, labelled.format], order_by=order)
    ranked = labelled.mutate(bin_rank=ibis.row_number().over(window).cast("int64"))
    drawn = ranked.filter(ranked.bin_rank < per_bin)
    texts = documents.select("doc_id", "text")
    return drawn.inner_join(texts, "doc_id").order_by("topic", "format", "bin_rank")


def take_sample(working_set: Any, per_bin: int | None, drawn_per_bin: int) -> ir.Table:
    """Return the nested ``per_bin`` sample of a working set that was drawn with ``drawn_per_bin``.

    Raises:
        SamplingError: If more is asked than was drawn.
    """
    if per_bin is None:
        return working_set
    if per_bin > drawn_per_bin:
        raise SamplingError(
            f"attribution.per_bin asks for {per_bin} documents a bin, the working set was drawn with "
            f"{drawn_per_bin}: lower it, or raise working_set.per_bin and run the taxonomy pipeline"
        )
    return working_set.filter(working_set.bin_rank < per_bin)


def describe_sample(working_set: Any, per_bin: int, seed: int, min_documents: int) -> dict[str, Any]:
    """Return the manifest of a working set: how it was drawn, what it lacks, and its identity.

    Raises:
        SamplingError: If it has fewer than ``min_documents`` documents.
    """
    rows = working_set.select("doc_id", "topic", "format").order_by("doc_id").execute()
    if len(rows) < min_documents:
        raise SamplingError(
            f"the working set has {len(rows)} documents, working_set.min_documents asks for "
            f"{min_documents}: give more documents, raise working_set.per_bin, or lower it"
        )
    counts = rows.groupby(["topic", "format"]).size()
    sizes = {f"{topic}/{form}": int(counts.get((topic, form), 0)) for topic, form in BINS}
    return {
        "seed": seed,
        "per_bin": per_bin,
        "rule": RULE,
        "documents": len(rows),
        "full_bins": sum(size == per_bin for size in sizes.values()),
        "empty_bins": sum(size == 0 for size in sizes.values()),
        "short_bins": {name: size for name, size in sizes.items() if 0 < size < per_bin},
        "digest": digest_of(rows["doc_id"].tolist()),
    }
