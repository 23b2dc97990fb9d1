"""Near-duplicates: groups of documents whose texts are alike, each with a foremost one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.documents.signatures import similarity

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd

    from social_provenance.documents.settings import NearDuplicates

BATCH = 50_000
"""Pairs that are compared at a time."""


def group_alike(fit: Any, kept: Any, settings: NearDuplicates) -> Any:
    """Return ``kept`` with ``alike_id``, and with the ``cluster_id`` of the foremost of each group.

    Documents that share a band are compared with the smallest id of that band, by their signatures;
    what is alike makes a group, directly or through others. ``alike_id`` is the smallest id of the
    group, the document's own where it stands alone.

    Args:
        fit: Records with ``shard``, ``row``, ``signature`` and ``bands``.
        kept: The records that are left, with ``doc_id``, ``shard``, ``row`` and ``cluster_id``.
        settings: From which similarity documents are alike.
    """
    import ibis

    signed = fit.select("shard", "row", "signature", "bands").inner_join(
        kept.select("doc_id", "shard", "row"), ["shard", "row"]
    )
    foremost = foremost_of_groups(_alike_pairs(signed, settings.threshold))
    if foremost.empty:
        return kept.mutate(alike_id=kept.doc_id)
    names = ibis.memtable(foremost[["alike_id"]].drop_duplicates())
    sites = kept.semi_join(names, kept.doc_id == names.alike_id).select("doc_id", "cluster_id").execute()
    site = foremost["alike_id"].map(sites.set_index("doc_id")["cluster_id"])
    groups = ibis.memtable(foremost.rename(columns={"doc_id": "member"}).assign(site=site))
    named = kept.left_join(groups, kept.doc_id == groups.member)
    return named.select(
        *(name for name in kept.columns if name != "cluster_id"),
        alike_id=ibis.coalesce(named.alike_id, named.doc_id),
        cluster_id=ibis.coalesce(named.site, named.cluster_id),
    )


def foremost_of_groups(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return ``doc_id``, ``alike_id``: each document of a group and the smallest id of the group.

    Args:
        pairs: ``one``, ``other``: ids of documents that are alike.
    """
    import numpy as np
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids, codes = np.unique(pairs[["one", "other"]].to_numpy(dtype=object).ravel().astype(str), return_inverse=True)
    links = codes.reshape(-1, 2)
    if not len(ids):
        return pd.DataFrame({"doc_id": [], "alike_id": []}, dtype=object)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(len(ids), len(ids)))
    _, group = connected_components(graph, directed=False)
    smallest = np.full(group.max() + 1, len(ids))
    np.minimum.at(smallest, group, np.arange(len(ids)))  # ids are sorted
    return pd.DataFrame({"doc_id": ids, "alike_id": ids[smallest[group]]})


def _alike_pairs(signed: Any, threshold: float) -> pd.DataFrame:
    """Return the pairs (``one``, ``other``) whose signatures agree in at least ``threshold`` of their places."""
    import pandas as pd

    bands = signed.select("doc_id", band=signed.bands).unnest("band")
    first = bands.group_by("band").agg(one=bands.doc_id.min(), size=bands.count())
    first = first.filter(first["size"] > 1).select("band", "one")
    met = bands.inner_join(first, "band")
    pairs = met.filter(met.doc_id != met.one).select("one", other=met.doc_id).distinct()
    left = signed.select(one=signed.doc_id, signature_one=signed.signature)
    right = signed.select(other=signed.doc_id, signature_other=signed.signature)
    compared = pairs.inner_join(left, "one").inner_join(right, "other")
    found = [pd.DataFrame({"one": [], "other": []}, dtype=object)]
    for batch in compared.to_pyarrow_batches(chunk_size=BATCH):
        if not batch.num_rows:
            continue
        table = batch.to_pydict()
        alike = similarity(_numbers(table["signature_one"]), _numbers(table["signature_other"])) >= threshold
        ids = pd.DataFrame({"one": table["one"], "other": table["other"]})
        found.append(ids[alike])
    return pd.concat(found, ignore_index=True)


def _numbers(signatures: Iterable[bytes]) -> np.ndarray:
    import numpy as np

    rows = list(signatures)
    return np.frombuffer(b"".join(rows), dtype=np.uint32).reshape(len(rows), -1)
