"""Near-duplicates: groups of documents with similar texts, each with a representative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.documents.signatures import similarity

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from social_provenance.documents.settings import NearDuplicates

BATCH = 50_000
"""Pairs compared per batch."""


def find_groups(fit: Any, kept: Any, settings: NearDuplicates) -> pd.DataFrame:
    """Return groups of two or more documents whose texts are near-duplicates.

    Documents that share a band are compared with the smallest id of that band by their signatures;
    groups are the connected components of the similar pairs.

    Args:
        fit: Records with ``doc_id``, ``shard``, ``row``, ``signature``, ``bands`` and ``cluster_id``.
        kept: Those that remain after exact deduplication: ``doc_id``, ``shard`` and ``row``.
        settings: Threshold of similarity.

    Returns:
        ``member``, ``alike_id`` (the smallest id of its group) and ``site`` (the cluster of that document).
    """
    import ibis

    # Signatures stay in ``fit``: they are joined by location here, after exact duplicates are gone.
    places = kept.select("doc_id", "shard", "row")
    signed = fit.select("shard", "row", "signature", "bands").inner_join(places, ["shard", "row"])
    groups = representatives(_alike_pairs(signed, settings.threshold))
    if groups.empty:
        return groups.assign(site=[])
    names = ibis.memtable(groups[["alike_id"]].drop_duplicates())
    representative_rows = kept.semi_join(names, kept.doc_id == names.alike_id)
    sites = fit.semi_join(representative_rows, ["shard", "row"]).select("doc_id", "cluster_id").execute()
    return groups.assign(site=groups["alike_id"].map(sites.set_index("doc_id")["cluster_id"]))


def representatives(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return ``member``, ``alike_id``: each document of a group and the representative, its smallest id.

    Args:
        pairs: ``one``, ``other``: ids of similar documents.
    """
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids, codes = np.unique(pairs[["one", "other"]].to_numpy(dtype=object).ravel().astype(str), return_inverse=True)
    links = codes.reshape(-1, 2)
    if not len(ids):
        return pd.DataFrame({"member": [], "alike_id": []}, dtype=object)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(len(ids), len(ids)))
    _, group = connected_components(graph, directed=False)
    smallest = np.full(group.max() + 1, len(ids))
    np.minimum.at(smallest, group, np.arange(len(ids)))  # ids are sorted
    return pd.DataFrame({"member": ids, "alike_id": ids[smallest[group]]})


def _alike_pairs(signed: Any, threshold: float) -> pd.DataFrame:
    """Select the pairs (``one``, ``other``) whose signatures agree in a share of at least ``threshold``."""
    import pandas as pd

    bands = signed.select("doc_id", band=signed.bands).unnest("band")
    # Every document of a band meets the band's smallest id only: pairs stay linear in the documents, where a
    # boilerplate page shared by many sites would make them quadratic. Groups join through common members.
    first = bands.group_by("band").agg(one=bands.doc_id.min(), size=bands.count())
    first = first.filter(first["size"] > 1).select("band", "one")
    met = bands.inner_join(first, "band")
    pairs = met.filter(met.doc_id != met.one).select("one", other=met.doc_id).distinct()
    left = signed.select(one=signed.doc_id, signature_one=signed.signature)
    right = signed.select(other=signed.doc_id, signature_other=signed.signature)
    compared = pairs.inner_join(left, "one").inner_join(right, "other")
    batches = [pd.DataFrame({"one": [], "other": []}, dtype=object)]
    for batch in compared.to_pyarrow_batches(chunk_size=BATCH):
        if not batch.num_rows:
            continue
        table = batch.to_pydict()
        alike = similarity(_numbers(table["signature_one"]), _numbers(table["signature_other"])) >= threshold
        ids = pd.DataFrame({"one": table["one"], "other": table["other"]})
        batches.append(ids[alike])
    return pd.concat(batches, ignore_index=True)


def _numbers(signatures: Iterable[bytes]) -> np.ndarray:
    rows = list(signatures)
    return np.frombuffer(b"".join(rows), dtype=np.uint32).reshape(len(rows), -1)
