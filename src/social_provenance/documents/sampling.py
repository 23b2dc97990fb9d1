"""Nested, stratified samples: the first n of a bin's seeded order are its n-sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.errors import SamplingError
from social_provenance.fingerprint import digest_of
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

MANIFEST = ("doc_id", "topic", "format", "bin_rank", "shard", "row", "content_hash", "n_chars")
DIGITS = 7
"""Digits of a word of the corpus digest: what Spark, which counts places in 32 bits, can hold."""

RULE = "documents of a bin in the order of md5('<seed>:<doc_id>'); bin_rank is the place from 0"


def draw_working_set(labelled: Any, documents: Any, per_bin: int, seed: int) -> ir.Table:
    """Return up to ``per_bin`` documents of each bin, with ``text`` and ``bin_rank``.

    The order within a bin depends on the seed and the ids alone, so a smaller sample is a subset
    of a larger one, whatever the shards, the engine or the rest of the corpus.
    """
    ranked = seeded_order(labelled, seed)
    drawn = ranked.filter(ranked.bin_rank < per_bin)
    texts = documents.select("doc_id", "text")
    return drawn.inner_join(texts, "doc_id").order_by("topic", "format", "bin_rank")


def seeded_order(labelled: Any, seed: int) -> ir.Table:
    """Return labelled documents with ``bin_rank``, their place in their bin from 0 (see :data:`RULE`)."""
    import ibis

    order = ibis.literal(f"{seed}:").concat(labelled.doc_id).hexdigest("md5")
    window = ibis.window(group_by=[labelled.topic, labelled.format], order_by=order)
    rank = (
        ibis.row_number().over(window).cast("int32")
    )  # Spark's is one; Ibis leaves out a cast to what it thinks it is
    return labelled.mutate(bin_rank=rank.cast("int64"))


def take_sample(working_set: Any, per_bin: int | None, drawn_per_bin: int) -> ir.Table:
    """Return the nested ``per_bin`` sample of a working set that was drawn with ``drawn_per_bin``.

    Raises:
        SamplingError: If more is asked than was drawn.
    """
    if per_bin is None:
        return working_set
    if per_bin > drawn_per_bin:
        raise SamplingError(
            f"attribution.per_bin asks for {per_bin} documents per bin, but the working set was drawn with "
            f"{drawn_per_bin}: lower it, or raise working_set.per_bin and run the taxonomy pipeline"
        )
    return working_set.filter(working_set.bin_rank < per_bin)


def list_sample(working_set: Any) -> ir.Table:
    """Return what identifies a working set: its documents with their bin, rank, place and hash, without text."""
    return working_set.select(*MANIFEST).order_by("topic", "format", "bin_rank")


def describe_sample(manifest: Any, corpus: Any, per_bin: int, seed: int, min_documents: int) -> dict[str, Any]:
    """Return the contract of a working set: how it was drawn and from what, what it lacks, and its identity.

    Args:
        manifest: Table of :func:`list_sample`.
        corpus: The labelled documents that it was drawn from.
        per_bin: Most documents of a bin.
        seed: Of the order.
        min_documents: Fewer are an error.

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
    """Return the identity of a sample: ids, bins and hashes of its documents, in the order of their ids."""
    ordered = rows.sort_values("doc_id")
    return digest_of(ordered[["doc_id", "topic", "format", "content_hash"]].to_numpy().tolist())


def corpus_digest(corpus: Any) -> str:
    """Return the identity of a labelled corpus, whatever its order, shards and engine.

    It is the number of documents and the sums of three 28-bit words of the md5 of each document's id,
    text and labels.
    """
    told = corpus.doc_id.concat("\x1f", corpus.content_hash, "\x1f", corpus.topic, "\x1f", corpus.format)
    hashed = corpus.select(md5=told.hexdigest("md5"))
    sums = {f"word_{place}": _word(hashed.md5, DIGITS * place).sum().cast("string") for place in range(3)}
    row = hashed.aggregate(documents=hashed.count(), **sums).execute().iloc[0]
    return digest_of(int(row["documents"]), *(str(row[name]) for name in sums))


def _word(hexadecimal: Any, start: int) -> Any:
    """Return :data:`DIGITS` hexadecimal digits as a number."""
    import ibis

    digits = [ibis.literal("0123456789abcdef").find(hexadecimal.substr(start + place, 1)) for place in range(DIGITS)]
    return sum(digit * 16 ** (DIGITS - 1 - place) for place, digit in enumerate(digits))
