"""The published map and this study's, side by side: topics, contrasts, signatures, similarity.

A map is a benchmark's ``z`` on the grid from one *source*: the published reference, or a method of
this study. All sources are processed by the same code, so that differences between them are differences
between the maps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from social_provenance.capabilities.benchmark import Evaluation, Level
from social_provenance.estimation.comparison.agreement import MEASURES, compare_pairs
from social_provenance.estimation.comparison.leave_one_out import LEAVE_ONE_BIN_OUT, extreme_bin
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED = "published"
"""Source of the published map."""

BIN = ["topic", "format"]
SHAPE = (len(TOPICS), len(FORMATS))
ROBUST = (
    *("n_bins", "mean", "median", "leave_one_bin_out_min", "leave_one_bin_out_max"),
    *("extreme_format", "extreme_value", "without_extreme"),
)
SIGNATURE = ("rank", "topic", "format", "z", "z_others", "distinctiveness", "topic_z", "topic_z_without")


def side_by_side(reference: pd.DataFrame, bins: pd.DataFrame) -> pd.DataFrame:
    """Return the published map and, of the same benchmarks, those of this study.

    Args:
        reference: Table ``reference_bins``.
        bins: Table ``bin_influence``.

    Returns:
        ``source`` (:data:`PUBLISHED`, or a method), ``benchmark``, ``topic``, ``format``, ``z`` (NaN
        where a bin has no documents). Without a reference there are no rows.
    """
    import pandas as pd

    study = bins[bins["benchmark"].isin(reference["benchmark"].unique())].rename(columns={"method": "source"})
    columns = ["source", "benchmark", *BIN, "z"]
    return pd.concat([reference.assign(source=PUBLISHED)[columns], study[columns]], ignore_index=True).astype(
        {"z": float}
    )


def topic_means(maps: pd.DataFrame) -> pd.DataFrame:
    """Return the mean ``z`` of each topic, and its dependence on a single bin.

    Returns:
        ``source``, ``benchmark``, ``topic``, ``z``, and the further columns of :func:`robust_means`.
    """
    frames = [
        robust_means(_grid(rows)).assign(source=str(source), benchmark=str(benchmark))
        for (source, benchmark), rows in maps.groupby(["source", "benchmark"], sort=False)
    ]
    return _stack(frames, ["source", "benchmark", "topic"], "z")


def topic_contrasts(maps: pd.DataFrame, evaluation: Evaluation) -> pd.DataFrame:
    """Return social minus STEM of each topic at the levels reasoning and knowledge.

    The difference is taken bin by bin, the mean over the social benchmarks of a level minus that over
    its STEM benchmarks, and then averaged over the topic's bins. A level without a map on both sides
    has no rows.

    Returns:
        ``kind``, ``source``, ``topic``, ``difference``, and the further columns of :func:`robust_means`.
    """
    frames = []
    for source, rows in maps.groupby("source", sort=False):
        grids = {str(benchmark): _grid(bins) for benchmark, bins in rows.groupby("benchmark", sort=False)}
        for kind in get_args(Level):
            sides = [[name for name in evaluation.cell(side, kind) if name in grids] for side in ("social", "stem")]
            if all(sides):
                social, stem = (np.mean([grids[name] for name in names], axis=0) for names in sides)
                frames.append(robust_means(social - stem).assign(kind=kind, source=str(source)))
    return _stack(frames, ["kind", "source", "topic"], "difference")


def robust_means(grid: np.ndarray) -> pd.DataFrame:
    """Return the mean of each topic over its bins, and measures of its dependence on a single bin.

    The *extreme* bin is the one farthest from the topic's mean; without it the mean changes the
    most, since leaving out a value x of n moves a mean m by (m - x) / (n - 1).

    Args:
        grid: Values, shape (topics, formats), NaN where missing.

    Returns:
        ``topic`` and :data:`ROBUST`: one row for each topic. The mean without a bin, and the extreme
        bin, are null in a topic of fewer than two bins.
    """
    import pandas as pd

    rows = []
    for topic, values in zip(TOPICS, grid, strict=True):
        filled = np.isfinite(values)
        present, formats = values[filled], [form for form, is_filled in zip(FORMATS, filled, strict=True) if is_filled]
        row: dict[str, object] = {"topic": topic, "n_bins": len(present)}
        if len(present):
            row |= {"mean": present.mean(), "median": np.median(present)}
        if len(present) > 1:
            without = (present.sum() - present) / (len(present) - 1)
            extreme = int(np.abs(present - present.mean()).argmax())
            row |= {"leave_one_bin_out_min": without.min(), "leave_one_bin_out_max": without.max()}
            row |= {
                "extreme_format": formats[extreme],
                "extreme_value": present[extreme],
                "without_extreme": without[extreme],
            }
        rows.append(row)
    return pd.DataFrame(rows, columns=["topic", *ROBUST])


def signatures(maps: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the bins that set each benchmark apart from the others of the same source.

    A bin's *distinctiveness* for a benchmark is its ``z`` there minus the mean of its ``z`` for the
    other benchmarks; a benchmark's signature consists of the bins where that is highest, ties in the
    order of the grid. Each has the mean ``z`` of its topic with and without it.

    Args:
        maps: Table of :func:`side_by_side`.
        count: Number of bins of a signature.

    Returns:
        ``source``, ``benchmark`` and :data:`SIGNATURE`. A source with one benchmark has no rows.
    """
    import pandas as pd

    frames = []
    for source, source_maps in maps.groupby("source", sort=False):
        names = list(dict.fromkeys(source_maps["benchmark"]))
        wide = source_maps.pivot(index=BIN, columns="benchmark", values="z").reindex(list(BINS))[names]
        for benchmark in names if len(names) > 1 else []:
            z, others = wide[benchmark], wide.drop(columns=benchmark).mean(axis=1)
            by_topic = z.groupby(level="topic")
            total, n = by_topic.transform("sum"), by_topic.transform("count")
            table = pd.DataFrame({"z": z, "z_others": others, "distinctiveness": z - others, "topic_z": total / n})
            table["topic_z_without"] = (total - z) / (n - 1).where(n > 1)
            best = table.dropna(subset="distinctiveness").sort_values("distinctiveness", ascending=False, kind="stable")
            best = best.head(count).reset_index().assign(source=source, benchmark=benchmark)
            frames.append(best.assign(rank=range(1, len(best) + 1)))
    columns = ["source", "benchmark", *SIGNATURE]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def similarity(maps: pd.DataFrame) -> pd.DataFrame:
    """Return the similarity of the profiles of every two benchmarks of a source.

    Returns:
        ``source``, ``benchmark``, ``other``, the measures of
        :func:`social_provenance.estimation.comparison.agreement.agreement`, and the bin with the largest effect on
        ``bin_correlation`` (:func:`social_provenance.estimation.comparison.leave_one_out.extreme_bin`).
    """
    pairs = compare_pairs(maps.rename(columns={"z": "potency"}), "benchmark", ["source"])
    return _with_extreme_bins(pairs, maps, ("source", "benchmark"), ("source", "other"))


def agreement_with_published(maps: pd.DataFrame) -> pd.DataFrame:
    """Return the agreement of the map of each method of this study with the published one.

    Returns:
        ``benchmark``, ``method``, and the measures of :func:`similarity`, over the bins that have
        documents in both maps.
    """
    pairs = compare_pairs(maps.rename(columns={"z": "potency"}), "source", ["benchmark"])
    with_published = pairs[pairs["source"] == PUBLISHED].rename(columns={"other": "method"}).reset_index(drop=True)
    table = _with_extreme_bins(with_published, maps, ("source", "benchmark"), ("method", "benchmark"))
    return table[["benchmark", "method", *MEASURES, *LEAVE_ONE_BIN_OUT]]


def _with_extreme_bins(pairs: pd.DataFrame, maps: pd.DataFrame, *ends: tuple[str, str]) -> pd.DataFrame:
    """Add the columns of :func:`extreme_bin` to each pair; ``ends`` are the columns that name its two maps."""
    import pandas as pd

    grids = {key: _grid(rows_of_map) for key, rows_of_map in maps.groupby(["source", "benchmark"], sort=False)}
    rows = [extreme_bin(*(grids[row[end[0]], row[end[1]]] for end in ends)) for row in pairs.to_dict("records")]
    return pd.concat([pairs, pd.DataFrame(rows, columns=list(LEAVE_ONE_BIN_OUT), index=pairs.index)], axis=1)


def _grid(bins: pd.DataFrame) -> np.ndarray:
    values: np.ndarray = bins.set_index(BIN)["z"].reindex(list(BINS)).to_numpy(float)
    return values.reshape(SHAPE)


def _stack(frames: list[pd.DataFrame], key: list[str], mean: str) -> pd.DataFrame:
    import pandas as pd

    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*key, *ROBUST])
    return table[[*key, *ROBUST]].rename(columns={"mean": mean})
