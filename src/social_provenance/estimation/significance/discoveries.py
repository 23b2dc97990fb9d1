"""What of a map may be called a discovery: the tests of all bins, as tables.

A family, over which q and family-wise p are taken, is all bins of all benchmarks under one method:
methods answer the same question and are not further chances to find something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.annotations import Table
from social_provenance.errors import AttributionError
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.maps.influence import Influence, columns_by_method, label_indices, long_table
from social_provenance.estimation.maps.scored import Scored
from social_provenance.estimation.significance.calibration import calibrate
from social_provenance.estimation.significance.decomposition import PARTS, decompose
from social_provenance.estimation.significance.multiplicity import q_values, two_sided_p
from social_provenance.estimation.significance.nulls import null_z
from social_provenance.estimation.significance.permutation import length_strata, max_t
from social_provenance.estimation.significance.shrinkage import shrink
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from social_provenance.estimation.maps.scored import Column

BIN = ("topic", "format")
SHAPE = (len(TOPICS), len(FORMATS))


def aggregate_bins(influence: Influence, scored: Scored, nulls: Table, bootstrap: Bootstrap) -> Table:
    """Return the table ``bin_influence``: every bin with its uncertainty, and what of it is more than chance.

    Args:
        influence: Of the documents.
        scored: The documents.
        nulls: Of :func:`null_tests`.
        bootstrap: Its replicates are the permutations too.

    Returns:
        The columns of :meth:`~social_provenance.estimation.maps.influence.Influence.bins` and of
        :func:`bin_tests`, and ``null_z``: under the null that leaves least of the bin, null without one.
    """
    key = ["benchmark", "method", *BIN]
    least = nulls.sort_values("null_z", key=abs, kind="stable").drop_duplicates(key)[[*key, "null_z"]]
    table = influence.bins().merge(bin_tests(influence, scored, bootstrap), on=key, validate="one_to_one")
    joined: Table = table.merge(least.astype({"null_z": float}), on=key, how="left", validate="one_to_one")
    return joined


def bin_tests(influence: Influence, scored: Scored, bootstrap: Bootstrap) -> pd.DataFrame:
    """Test every bin against the mean of bins, and draw it towards that mean.

    Args:
        influence: Of the documents.
        scored: The documents.
        bootstrap: Its replicates are the permutations too.

    Returns:
        ``benchmark``, ``method``, ``topic``, ``format`` and

        - ``p``, ``q``: of z by its standard error over documents and queries, and Benjamini-Hochberg;
        - ``p_permutation``, ``p_family``: with labels permuted within strata of length, for the bin alone
          and for the whole family (max-T);
        - ``shrunk``, ``shrunk_se``: z, drawn to the mean by its precision.

        Null where a bin has no documents, or too few to say anything.
    """
    z, deviations = influence.profile("bin"), influence.deviations("bin")
    unknown = influence.without_interval("bin")[:, None]
    error, df = _blank(deviations.standard_error(), unknown), deviations.degrees_of_freedom()
    p = two_sided_p(z, error, df)
    drawn = shrink(_grid(z), _grid(error**2))
    rows = {"p": p, "q": _q_of_methods(scored.columns, p)}
    rows |= _permuted(scored, bootstrap)
    rows |= {"shrunk": drawn.values.reshape(z.shape), "shrunk_se": drawn.errors.reshape(z.shape)}
    return long_table(scored.columns, rows, BIN)


def null_tests(scored: Scored, nulls: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Judge every bin by what each null does to bins.

    Args:
        scored: The documents.
        nulls: Variant -> scores as :func:`social_provenance.estimation.maps.scored.widen` returns them, of
            these documents and of some or all of their benchmarks and methods.

    Returns:
        ``variant``, ``benchmark``, ``method``, ``topic``, ``format``, ``null_z``, ``p``, ``q``, ``rank_p``,
        ``rank_q`` (:mod:`social_provenance.estimation.significance.nulls`); null where a bin has fewer than two
        documents.
    """
    import pandas as pd

    frames = []
    for variant, table in nulls.items():
        for columns, own, other in _by_method(scored, variant, table):
            judged = null_z(own, other, scored.bins, len(BINS))
            rows = {name: getattr(judged, name) for name in ("p", "q", "rank_p", "rank_q")}
            frames.append(long_table(columns, {"null_z": judged.z, **rows}, BIN).assign(variant=variant))
    names = ["variant", "benchmark", "method", *BIN, "null_z", "p", "q", "rank_p", "rank_q"]
    return pd.concat(frames, ignore_index=True)[names] if frames else pd.DataFrame(columns=names)


def null_calibration(scored: Scored, nulls: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how often each null calls a bin: :func:`social_provenance.estimation.significance.calibration.calibrate`.

    Only what all nulls have is compared. Without a null there are no rows.
    """
    import pandas as pd

    columns = [column for column in scored.columns if all(column in table.columns for table in nulls.values())]
    frames = []
    for method in dict.fromkeys(method for _, method in columns):
        own = [column for column in columns if column[1] == method]
        arrays = {variant: _array(scored, variant, table, own) for variant, table in nulls.items()}
        frames.append(calibrate(arrays, own, scored.bins, label_indices("topic")))
    names = ("variant", "judge", "benchmark", "method", "measure", "n_bins", "called", "share", "ci_low", "ci_high")
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(names))


def decompose_maps(influence: Influence) -> Table:
    """Return what of each map is topic, what format, what neither, and what noise.

    Returns:
        ``benchmark``, ``method``, ``part`` (``topic``, ``format``, ``interaction``, ``noise``), ``share``
        of the variance between bins; those of one map sum to 1. Null where a map is constant.
    """
    import pandas as pd

    z = _grid(influence.profile("bin"))
    variances = _grid(influence.deviations("bin").standard_error() ** 2)
    rows = []
    for number, (benchmark, method) in enumerate(influence.columns):
        there = np.isfinite(z[..., number])
        shares = decompose(z[..., number], np.where(there, variances[..., number], np.nan)).shares
        named = {"benchmark": benchmark, "method": method}
        rows += [{**named, "part": part, "share": shares[part]} for part in (*PARTS, "noise")]
    return pd.DataFrame(rows)


def _permuted(scored: Scored, bootstrap: Bootstrap) -> dict[str, np.ndarray]:
    """Permute the bins of clusters: documents that depend on each other are not exchangeable."""
    pairs = np.stack([scored.hashes, scored.bins.astype(np.uint64)], axis=1)
    found, rows, sizes = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(rows.reshape(-1), kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(scored.scores[order], starts, axis=0) / sizes[:, None]
    strata = length_strata(np.add.reduceat(scored.lengths[order], starts) / sizes)
    bins = found[:, 1].astype(np.int64)
    alone, family = (np.full((len(BINS), len(scored.columns)), np.nan) for _ in range(2))
    for own in columns_by_method(scored.columns).values():
        tested = max_t(means[:, own], bins, len(BINS), strata, bootstrap.replicates, bootstrap.seed)
        alone[:, own], family[:, own] = tested.p, tested.p_adjusted
    return {"p_permutation": alone, "p_family": family}


def _by_method(scored: Scored, variant: str, table: pd.DataFrame) -> list[tuple[list[Column], np.ndarray, np.ndarray]]:
    """Return for each method its columns, and the scores of study and null."""
    found = []
    for own in columns_by_method(scored.columns).values():
        there = [place for place in own if scored.columns[place] in table.columns]
        columns = [scored.columns[place] for place in there]
        if columns:
            found.append((columns, scored.scores[:, there], _array(scored, variant, table, columns)))
    return found


def _array(scored: Scored, variant: str, table: pd.DataFrame, columns: list[Column]) -> np.ndarray:
    import pandas as pd

    missing = ~pd.Index(scored.ids).isin(table.index)
    if missing.any():
        raise AttributionError(
            f"document {scored.ids[missing.argmax()]!r} (and {int(missing.sum()) - 1} more) has scores and none for "
            f"the null {variant!r}: they are of different runs, run the pipeline that makes this null again"
        )
    array: np.ndarray = table.loc[scored.ids, columns].to_numpy(float)
    return array


def _q_of_methods(columns: list[Column], p: np.ndarray) -> np.ndarray:
    q = np.full(p.shape, np.nan)
    for own in columns_by_method(columns).values():
        q[:, own] = q_values(p[:, own])
    return q


def _grid(values: np.ndarray) -> np.ndarray:
    return values.reshape(*SHAPE, -1)


def _blank(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.where(where, np.nan, values)
