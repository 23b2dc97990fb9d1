"""Nested, stratified samples: the first n documents of a bin's seeded order are its sample of size n."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.errors import SamplingError
from social_provenance.fingerprint import digest_of, unordered_sums
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

MANIFEST = ("doc_id", "topic", "format", "bin_rank", "shard", "row", "content_hash", "n_chars")

RULE = "documents of a bin in the order of md5('<seed>:<doc_id>'); bin_rank is the place from 0"


def draw_working_set(labelled: ir.Table, documents: ir.Table, per_bin: int, seed: int) -> ir.Table:
    """Draw up to ``per_bin`` documents of each bin, with ``text`` and ``bin_rank``.

    The order within a bin depends only on the seed and the ids, so a smaller sample is a subset of a
    larger one, independent of shards, engine and the rest of the corpus.
    """
    ranked = seeded_order(labelled, seed)
    drawn = ranked.filter(ranked.bin_rank < per_bin)
    texts = documents.select("doc_id", "text")
    return drawn.inner_join(texts, "doc_id").order_by("topic", "format", "bin_rank")


def seeded_order(labelled: ir.Table, seed: int) -> ir.Table:
    """Add ``bin_rank``, the rank from 0 in the seeded order of the bin (see :data:`RULE`)."""
    import ibis

    # A hash orders the bin, not a random generator: it is the same on every engine and for every subset.
    order = ibis.literal(f"{seed}:").concat(labelled.doc_id).hexdigest("md5")
    window = ibis.window(group_by=[labelled.topic, labelled.format], order_by=order)
    rank = (
        ibis.row_number().over(window).cast("int32")
    )  # Spark's is one; Ibis leaves out a cast to what it thinks it is
    return labelled.mutate(bin_rank=rank.cast("int64"))


def take_sample(working_set: ir.Table, per_bin: int | None, drawn_per_bin: int) -> ir.Table:
    """Return the nested ``per_bin`` sample of a working set that was drawn with ``drawn_per_bin``.

    Raises:
        SamplingError: If ``per_bin`` exceeds ``drawn_per_bin``.
    """
    if per_bin is None:
        return working_set
    if per_bin > drawn_per_bin:
        raise SamplingError(
            f"attribution.per_bin asks for {per_bin} documents per bin, but the working set was drawn with "
            f"{drawn_per_bin}: lower it, or raise working_set.per_bin and run the taxonomy pipeline"
        )
    return working_set.filter(working_set.bin_rank < per_bin)


def list_sample(working_set: ir.Table) -> ir.Table:
    """Return the manifest of a working set: documents with bin, rank, source location and hash, without text."""
    return working_set.select(*MANIFEST).order_by("topic", "format", "bin_rank")


def describe_sample(
    manifest: ir.Table, corpus: ir.Table, per_bin: int, seed: int, min_documents: int
) -> dict[str, Any]:
    """Return the contract of a working set: rule, seed, source, unfilled bins and digests.

    Args:
        manifest: Table of :func:`list_sample`.
        corpus: Labelled documents from which it was drawn.
        per_bin: Largest number of documents per bin.
        seed: Seed of the order within bins.
        min_documents: Smallest allowed working set.

    Raises:
        SamplingError: If it has fewer than ``min_documents`` documents.
    """
    rows = manifest.select("doc_id", "content_hash", "topic", "format").order_by("doc_id").execute()
    if len(rows) < min_documents:
        raise SamplingError(
            f"the working set has {len(rows)} documents, working_set.min_documents requires "
            f"{min_documents}: give more documents, raise working_set.per_bin, or lower working_set.min_documents"
        )
    counts = rows.groupby(["topic", "format"]).size()
    sizes = {f"{topic}/{form}": int(counts.get((topic, form), 0)) for topic, form in BINS}
    return {
        "seed": seed,
        "per_bin": per_bin,
        "rule": RULE,
        "corpus_documents": int(corpus.count().execute()),
        "corpus_digest": corpus_digest(corpus),
        "documents": len(rows),
        "digest": sample_digest(rows),
        "full_bins": sum(size == per_bin for size in sizes.values()),
        "empty_bins": sum(size == 0 for size in sizes.values()),
        "short_bins": {name: size for name, size in sizes.items() if 0 < size < per_bin},
    }


def sample_digest(rows: pd.DataFrame) -> str:
    """Return the digest of a sample: ids, bins and hashes of its documents, in the order of ids."""
    ordered = rows.sort_values("doc_id")
    return digest_of(ordered[["doc_id", "topic", "format", "content_hash"]].to_numpy().tolist())


def corpus_digest(corpus: ir.Table) -> str:
    """Return the digest of a labelled corpus, independent of order, shards and engine.

    It consists of the number of documents and the sums of three 28-bit words of the MD5 of each document's
    id, text hash and labels: sums do not depend on order, and every engine can compute them.
    """
    fields = corpus.doc_id.concat("\x1f", corpus.content_hash, "\x1f", corpus.topic, "\x1f", corpus.format)
    hashed = corpus.select(md5=fields.hexdigest("md5"))
    sums = {name: word.cast("string") for name, word in unordered_sums(hashed.md5).items()}
    row = hashed.aggregate(documents=hashed.count(), **sums).execute().iloc[0]
    return digest_of(int(row["documents"]), *(str(row[name]) for name in sums))
