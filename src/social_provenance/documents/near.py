"""Near-duplicates: groups of documents with similar texts, each with a representative.

Everything but the similar pairs stays in the engine. Documents go by a number of eight bytes, and bands are searched
one after the other, so that an engine never holds more than two columns of numbers and what they have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.documents.signatures import band_rows, similarity
from social_provenance.fingerprint import word

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir
    import pyarrow as pa

    from social_provenance.documents.settings import NearDuplicates

PLACE = ["shard", "row"]

ROWS = 1 << 38
"""Rows of a shard that have a number of their own."""


def find_groups(fit: ir.Table, kept: ir.Table, settings: NearDuplicates) -> ir.Table | None:
    """Return groups of two or more documents whose texts are near-duplicates; None if there are none.

    Documents that share a band are compared by signature with one of them, the one with the smallest hash of its id;
    groups are the connected components of the similar pairs. Neither depends on the order of the records.

    Args:
        fit: Records with ``doc_id``, ``shard``, ``row``, ``signature``, ``bands`` and ``cluster_id``.
        kept: Those that remain after exact deduplication: ``doc_id``, ``shard`` and ``row``.
        settings: Permutations, and threshold of similarity.

    Returns:
        ``member``, ``alike_id`` (the smallest id of its group) and ``site`` (the cluster of that document).
    """
    numbered = _numbered(fit.semi_join(kept, PLACE))
    pairs = _alike_pairs(numbered, settings)
    if not pairs.num_rows:
        return None
    import ibis

    groups = ibis.memtable(_components(pairs))
    members = numbered.select("number", "doc_id", "cluster_id").inner_join(groups, "number")
    first = members.group_by("group").agg(alike_id=members.doc_id.min(), site=members.cluster_id.argmin(members.doc_id))
    return members.inner_join(first, "group").select("alike_id", "site", member=members.doc_id)


def _numbered(rows: ir.Table) -> ir.Table:
    """Add a ``number`` to rows, from their shard and their row in it."""
    import ibis

    shards = rows.select("shard").distinct()
    place = ibis.row_number().over(order_by=shards.shard).cast("int32")  # Spark's is one, whatever Ibis thinks
    joined = rows.inner_join(shards.mutate(place=place.cast("int64")), "shard")
    return joined.mutate(number=joined.place * ROWS + joined.row)


def _alike_pairs(numbered: ir.Table, settings: NearDuplicates) -> pa.Table:
    """Return the pairs of numbers (``one``, ``other``) whose signatures agree in a share of at least the threshold."""
    import ibis

    count = settings.permutations // band_rows(settings.threshold, settings.permutations)
    md5 = numbered.doc_id.hexdigest("md5")
    names = [f"band_{band}" for band in range(count)]
    bands = numbered.select(
        "number",
        key=word(md5, 0) * (1 << 28) + word(md5, 1),
        **{name: numbered.bands[band] for band, name in enumerate(names)},
    ).cache()
    # A band's pairs are kept before the next band is read: in one query an engine may search all of them at a time.
    found = [_pairs_of(bands.select("number", "key", band=bands[name])).cache() for name in names]
    pairs = ibis.union(*found, distinct=True) if len(found) > 1 else found[0]
    signed = numbered.select("number", "signature")
    left = signed.select(one=signed.number, signature_one=signed.signature)
    right = signed.select(other=signed.number, signature_other=signed.signature)
    compared = pairs.inner_join(left, "one").inner_join(right, "other")
    agreement = _agreement_of(numbered)(compared.signature_one, compared.signature_other)
    return compared.filter(agreement >= settings.threshold).select("one", "other").to_pyarrow()


def _pairs_of(band: ir.Table) -> ir.Table:
    """Return the pairs (``one``, ``other``) of the documents with the same hash of a band.

    Every document meets one of them only: so pairs stay linear in the documents, where a boilerplate page shared by
    many sites would make them quadratic. Groups join through common members.
    """
    first = band.group_by("band").agg(one=band.number.argmin(band.key), size=band.count())
    first = first.filter(first["size"] > 1).select("band", "one")
    met = band.inner_join(first, "band")
    return met.filter(met.number != met.one).select("one", other=met.number)


def _components(pairs: pa.Table) -> pa.Table:
    """Return ``number`` and ``group`` (the smallest number in it) of each document of the pairs.

    Args:
        pairs: ``one``, ``other``: numbers of similar documents.
    """
    import pyarrow as pa
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    both = np.concatenate([pairs["one"].to_numpy(), pairs["other"].to_numpy()])
    numbers, codes = np.unique(both, return_inverse=True)
    links = codes.reshape(2, -1)
    graph = coo_array((np.ones(links.shape[1], dtype=np.int8), tuple(links)), shape=(len(numbers), len(numbers)))
    _, group = connected_components(graph, directed=False)
    first = np.full(group.max() + 1, len(numbers))
    np.minimum.at(first, group, np.arange(len(numbers)))  # numbers are sorted
    return pa.table({"number": numbers, "group": numbers[first[group]]})


def _agreement_of(table: ir.Table) -> Any:
    """Return :func:`similarity` as a function of two columns of signatures, for the engine of a table."""
    import ibis
    import ibis.expr.datatypes as dt
    import pandas as pd
    import pyarrow as pa

    def of_series(one: Any, other: Any) -> Any:
        return pd.Series(similarity(_signatures(one.tolist()), _signatures(other.tolist())))

    def of_arrays(one: Any, other: Any) -> Any:
        return pa.array(similarity(_signatures(one.to_pylist()), _signatures(other.to_pylist())))

    takes = ((dt.binary, dt.binary), dt.float64)
    if table.get_backend().name == "pyspark":  # it calls a function of Arrow arrays row by row
        return ibis.udf.scalar.pandas(of_series, signature=takes)
    return ibis.udf.scalar.pyarrow(of_arrays, signature=takes)


def _signatures(rows: Sequence[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(rows), dtype=np.uint32).reshape(len(rows), -1)
