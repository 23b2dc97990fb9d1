"""Tests of all bins and topics, as tables.

The family over which q and family-wise p are computed is all bins (or all topics) of all benchmarks under one
method: methods answer the same question and are not additional hypotheses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.annotations import Table
from social_provenance.errors import AttributionError
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.maps.influence import Influence, columns_by_method, long_table
from social_provenance.estimation.maps.scored import Scored
from social_provenance.estimation.significance.calibration import COLUMNS, calibrate
from social_provenance.estimation.significance.decomposition import PARTS, decompose
from social_provenance.estimation.significance.multiplicity import q_values, two_sided_p
from social_provenance.estimation.significance.nulls import (
    StandardisedMap,
    difference_map,
    judge,
    of_topics,
    peer_of,
    refuse_other_shape,
    standardise_map,
)
from social_provenance.estimation.significance.permutation import length_strata, max_t
from social_provenance.estimation.significance.shrinkage import shrink
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from social_provenance.estimation.maps.scored import Column

BIN = ("topic", "format")
ITEMS = "items"
"""Variant of ``null_scores`` that is the benchmark itself."""
SHAPE = (len(TOPICS), len(FORMATS))


def aggregate_bins(influence: Influence, scored: Scored, nulls: Table, bootstrap: Bootstrap) -> Table:
    """Return the table ``bin_influence``: every bin with its uncertainty and its tests.

    Args:
        influence: Influence of the scored documents.
        scored: Scored documents.
        nulls: Table of :func:`null_tests`.
        bootstrap: Parameters; the number of replicates is that of the permutations too.

    Returns:
        The columns of :meth:`~social_provenance.estimation.maps.influence.Influence.bins` and of
        :func:`bin_tests`, ``null_z``: that of the null under which it is closest to 0, and
        ``answer_z``, ``answer_q``: the difference from the null with the largest ``difference_q``; null without one.
    """
    key = ["benchmark", "method", *BIN]
    table = influence.bins().merge(bin_tests(influence, scored, bootstrap), on=key, validate="one_to_one")
    return _with_closest_null(table, nulls, "bin")


def aggregate_topics(influence: Influence, nulls: Table) -> Table:
    """Return the table ``topic_influence``: every topic with its uncertainty and its tests.

    Args:
        influence: Influence of the scored documents.
        nulls: Table of :func:`null_tests`.

    Returns:
        The columns of :meth:`~social_provenance.estimation.maps.influence.Influence.marginal`, ``p`` and ``q`` of z
        with its standard error over documents and queries (Benjamini-Hochberg over the topics of all benchmarks),
        ``null_z``: that of the null under which it is closest to 0, and ``answer_z``, ``answer_q``: the difference
        from the null with the largest ``difference_q``; null without one.
    """
    deviations = influence.deviations("topic")
    error = _blank(deviations.standard_error(), influence.without_interval("topic")[:, None])
    p = two_sided_p(influence.profile("topic"), error, deviations.degrees_of_freedom())
    tests = long_table(influence.columns, {"p": p, "q": _q_of_methods(influence.columns, p)}, ("topic",))
    table = influence.marginal("topic").merge(tests, on=["benchmark", "method", "topic"], validate="one_to_one")
    return _with_closest_null(table, nulls, "topic")


def bin_tests(influence: Influence, scored: Scored, bootstrap: Bootstrap) -> pd.DataFrame:
    """Test every bin against the mean of bins, and shrink it towards that mean.

    Args:
        influence: Influence of the scored documents.
        scored: Scored documents.
        bootstrap: Parameters; the number of replicates is that of the permutations too.

    Returns:
        ``benchmark``, ``method``, ``topic``, ``format`` and

        - ``p``, ``q``: of z with its standard error over documents and queries, and Benjamini-Hochberg;
        - ``p_permutation``, ``p_family``: with labels permuted within strata of length, for the bin alone
          and for the whole family (max-T);
        - ``shrunk``, ``shrunk_se``: z, shrunk to the mean according to its standard error.

        Null where a bin has no documents, or too few for a standard error.
    """
    z, deviations = influence.profile("bin"), influence.deviations("bin")
    without_interval = influence.without_interval("bin")[:, None]
    error, df = _blank(deviations.standard_error(), without_interval), deviations.degrees_of_freedom()
    p = two_sided_p(z, error, df)
    shrunk = shrink(_grid(z), _grid(error**2))
    rows = {"p": p, "q": _q_of_methods(scored.columns, p)}
    rows |= _permuted(scored, bootstrap)
    rows |= {"shrunk": shrunk.values.reshape(z.shape), "shrunk_se": shrunk.errors.reshape(z.shape)}
    return long_table(scored.columns, rows, BIN)


def compared_with_nulls(scored: Scored, items: pd.DataFrame | None) -> Scored:
    """Return the documents with the scores by which items and nulls are compared, each query scaled to norm 1.

    Args:
        scored: Scored documents.
        items: Scores of the items in ``null_scores``, as :func:`social_provenance.estimation.maps.scored.widen`
            returns them, of some or all benchmarks and methods; None where no method is compared with nulls.
    """
    columns = [column for column in scored.columns if items is not None and column in items.columns]
    scores = _array(scored, ITEMS, items, columns) if items is not None else scored.scores[:, :0]
    return replace(scored, columns=columns, scores=scores)


def null_tests(scored: Scored, nulls: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Test every bin and every topic against each null.

    Args:
        scored: Documents with scores of :func:`compared_with_nulls`.
        nulls: Variant -> scores as :func:`social_provenance.estimation.maps.scored.widen` returns them, of
            these documents and of some or all of their benchmarks and methods.

    Returns:
        ``variant``, ``benchmark``, ``method``, ``axis`` (``bin``, ``topic``), ``topic``, ``format`` (null where
        averaged over), ``difference`` (items minus null, each in standard deviations of a document within its
        bin), ``difference_z``, ``difference_q`` (null unless both ``PEERS`` were scored), ``null_z``, ``p``, ``q``,
        ``rank_p``, ``rank_q`` (:mod:`social_provenance.estimation.significance.nulls`); null where a bin has fewer
        than two documents.
    """
    import pandas as pd

    frames = []
    for variant, table in nulls.items():
        for columns, scores, null_scores in _by_method(scored, variant, table):
            refuse_other_shape(scores, null_scores)
            own, null = (standardise_map(each, scored.bins, len(BINS)) for each in (scores, null_scores))
            changed, peer = None, peer_of(variant, nulls)
            if peer and set(columns) <= set(nulls[peer].columns):
                other = _array(scored, peer, nulls[peer], columns)
                by_answers, by_chance = (
                    difference_map(each, null_scores, scored.bins, len(BINS)) for each in (scores, other)
                )
                changed = by_answers, by_chance
            frames.append(_judged(columns, own, null, changed, BIN).assign(variant=variant, axis="bin"))
            own, null = of_topics(own), of_topics(null)
            changed = changed and (of_topics(changed[0]), of_topics(changed[1]))
            topics = _judged(columns, own, null, changed, ("topic",))
            frames.append(topics.assign(variant=variant, axis="topic", format=None))
    order = ["variant", "benchmark", "method", "axis", *BIN, "difference", "difference_z", "difference_q", "null_z"]
    order += ["p", "q", "rank_p", "rank_q"]
    return pd.concat(frames, ignore_index=True)[order] if frames else pd.DataFrame(columns=order)


def _judged(
    columns: list[Column],
    own: StandardisedMap,
    null: StandardisedMap,
    changed: tuple[StandardisedMap, StandardisedMap] | None,
    axes: tuple[str, ...],
) -> pd.DataFrame:
    tests = judge(own, null)
    rows = {name: getattr(tests, name) for name in ("p", "q", "rank_p", "rank_q")}
    of_answers = judge(*changed) if changed else None
    unknown = np.full(tests.z.shape, np.nan)
    rows["difference_z"], rows["difference_q"] = (of_answers.z, of_answers.q) if of_answers else (unknown, unknown)
    return long_table(columns, {"difference": own.values - null.values, "null_z": tests.z, **rows}, axes)


def null_calibration(scored: Scored, nulls: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the share of bins and of topics that are called under each null, the table ``null_calibration``.

    Only the benchmarks and methods of all nulls are compared. Without a null there are no rows.
    """
    import pandas as pd

    columns = [column for column in scored.columns if all(column in table.columns for table in nulls.values())]
    frames = []
    for method in dict.fromkeys(method for _, method in columns):
        columns_of_method = [column for column in columns if column[1] == method]
        null_scores = {variant: _array(scored, variant, table, columns_of_method) for variant, table in nulls.items()}
        frames.append(calibrate(null_scores, columns_of_method, scored.bins))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def decompose_maps(influence: Influence) -> Table:
    """Return the shares of topic, format, interaction and noise in each map.

    Returns:
        ``benchmark``, ``method``, ``part`` (``topic``, ``format``, ``interaction``, ``noise``), ``share``
        of the variance between bins; those of one map sum to 1. Null where a map is constant.
    """
    import pandas as pd

    z = _grid(influence.profile("bin"))
    variances = _grid(influence.deviations("bin").standard_error() ** 2)
    rows = []
    for index, (benchmark, method) in enumerate(influence.columns):
        filled = np.isfinite(z[..., index])
        shares = decompose(z[..., index], np.where(filled, variances[..., index], np.nan)).shares
        names = {"benchmark": benchmark, "method": method}
        rows += [{**names, "part": part, "share": shares[part]} for part in (*PARTS, "noise")]
    return pd.DataFrame(rows)


def _permuted(scored: Scored, bootstrap: Bootstrap) -> dict[str, np.ndarray]:
    """Permute the bins of clusters, because dependent documents are not exchangeable."""
    pairs = np.stack([scored.hashes, scored.bins.astype(np.uint64)], axis=1)
    cluster_bins, rows, sizes = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(rows.reshape(-1), kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(scored.scores[order], starts, axis=0) / sizes[:, None]
    strata = length_strata(np.add.reduceat(scored.lengths[order], starts) / sizes)
    bins = cluster_bins[:, 1].astype(np.int64)
    p, p_family = (np.full((len(BINS), len(scored.columns)), np.nan) for _ in range(2))
    for columns_of_method in columns_by_method(scored.columns).values():
        test = max_t(means[:, columns_of_method], bins, len(BINS), strata, bootstrap.replicates, bootstrap.seed)
        p[:, columns_of_method], p_family[:, columns_of_method] = test.p, test.p_adjusted
    return {"p_permutation": p, "p_family": p_family}


def _by_method(scored: Scored, variant: str, table: pd.DataFrame) -> list[tuple[list[Column], np.ndarray, np.ndarray]]:
    """Return the columns, the scores and the null scores of each method."""
    methods = []
    for indices in columns_by_method(scored.columns).values():
        present = [index for index in indices if scored.columns[index] in table.columns]
        columns = [scored.columns[index] for index in present]
        if columns:
            methods.append((columns, scored.scores[:, present], _array(scored, variant, table, columns)))
    return methods


def _array(scored: Scored, variant: str, table: pd.DataFrame, columns: list[Column]) -> np.ndarray:
    import pandas as pd

    missing = ~pd.Index(scored.ids).isin(table.index)
    if missing.any():
        raise AttributionError(
            f"document {scored.ids[missing.argmax()]!r} (and {int(missing.sum()) - 1} more) has scores and none for "
            f"the null {variant!r}: they are of different runs, run the pipeline that makes this null again"
        )
    scores: np.ndarray = table.loc[scored.ids, columns].to_numpy(float)
    return scores


def _with_closest_null(table: pd.DataFrame, nulls: pd.DataFrame, axis: str) -> pd.DataFrame:
    """Add ``null_z`` of smallest magnitude, and ``difference_q`` where it is largest: what remains under every null."""
    key = ["benchmark", "method", *(BIN if axis == "bin" else ("topic",))]
    own = nulls[nulls["axis"] == axis].sort_values("null_z", key=abs, kind="stable")
    # The column of formats has nulls in the rows of topics, and so another type than that of the table.
    closest = own.drop_duplicates(key)[[*key, "null_z"]].astype({**dict.fromkeys(key, "str"), "null_z": float})
    tests = {"difference_z": "answer_z", "difference_q": "answer_q"}
    least = own.sort_values("difference_q", ascending=False, kind="stable").drop_duplicates(key)[[*key, *tests]]
    answers = least.rename(columns=tests).astype({**dict.fromkeys(key, "str"), **dict.fromkeys(tests.values(), float)})
    for added in (closest, answers):
        table = table.merge(added, on=key, how="left", validate="one_to_one")
    return table


def _q_of_methods(columns: list[Column], p: np.ndarray) -> np.ndarray:
    q = np.full(p.shape, np.nan)
    for indices in columns_by_method(columns).values():
        q[:, indices] = q_values(p[:, indices])
    return q


def _grid(values: np.ndarray) -> np.ndarray:
    return values.reshape(*SHAPE, -1)


def _blank(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.where(where, np.nan, values)
