"""What maps of bins say side by side: topics, contrasts, signatures, and how alike they are.

A map is a benchmark's ``z`` on the grid from one *source*: the published reference, or a method of
this study. All of it is computed alike for each, so that a difference between two sources is one of
the maps.
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
LEAVE_ONE_OUT = ("leave_one_bin_out_min", "leave_one_bin_out_max", "extreme_format", "extreme_value", "without_extreme")
ROBUST = ("n_bins", "mean", "median", *LEAVE_ONE_OUT)
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

    own = bins[bins["benchmark"].isin(reference["benchmark"].unique())].rename(columns={"method": "source"})
    columns = ["source", "benchmark", *BIN, "z"]
    return pd.concat([reference.assign(source=PUBLISHED)[columns], own[columns]], ignore_index=True).astype(
        {"z": float}
    )


def topic_means(maps: pd.DataFrame) -> pd.DataFrame:
    """Return each topic's mean ``z``, and how far one bin carries it.

    Returns:
        ``source``, ``benchmark``, ``topic``, ``z``, and what :func:`robust_means` says beside the mean.
    """
    frames = [
        robust_means(_grid(own)).assign(source=str(source), benchmark=str(benchmark))
        for (source, benchmark), own in maps.groupby(["source", "benchmark"], sort=False)
    ]
    return _stack(frames, ["source", "benchmark", "topic"], "z")


def topic_contrasts(maps: pd.DataFrame, evaluation: Evaluation) -> pd.DataFrame:
    """Return each topic's social minus STEM at the levels reasoning and knowledge.

    The difference is taken bin by bin, the mean over the social benchmarks of a level minus that over
    its STEM benchmarks, and then averaged over the topic's bins. A level without a map on both sides
    has no rows.

    Returns:
        ``kind``, ``source``, ``topic``, ``difference``, and what :func:`robust_means` says beside it.
    """
    frames = []
    for source, own in maps.groupby("source", sort=False):
        grids = {str(benchmark): _grid(bins) for benchmark, bins in own.groupby("benchmark", sort=False)}
        for kind in get_args(Level):
            sides = [[name for name in evaluation.cell(side, kind) if name in grids] for side in ("social", "stem")]
            if all(sides):
                social, stem = (np.mean([grids[name] for name in names], axis=0) for names in sides)
                frames.append(robust_means(social - stem).assign(kind=kind, source=str(source)))
    return _stack(frames, ["kind", "source", "topic"], "difference")


def robust_means(grid: np.ndarray) -> pd.DataFrame:
    """Return the mean of each topic over its bins, beside what shows whether one bin carries it.

    The *extreme* bin is the one that lies farthest from the topic's mean; without it the mean moves
    the most, since leaving out a value x of n moves a mean m by (m - x) / (n - 1).

    Args:
        grid: Topics x formats, NaN where there is no value.

    Returns:
        ``topic`` and :data:`ROBUST`: one row for each topic. The mean without a bin, and the extreme
        bin, are null in a topic of fewer than two bins.
    """
    import pandas as pd

    rows = []
    for topic, values in zip(TOPICS, grid, strict=True):
        there = np.isfinite(values)
        own, forms = values[there], [form for form, is_there in zip(FORMATS, there, strict=True) if is_there]
        row: dict[str, object] = {"topic": topic, "n_bins": len(own)}
        if len(own):
            row |= {"mean": own.mean(), "median": np.median(own)}
        if len(own) > 1:
            without = (own.sum() - own) / (len(own) - 1)
            place = int(np.abs(own - own.mean()).argmax())
            row |= {"leave_one_bin_out_min": without.min(), "leave_one_bin_out_max": without.max()}
            row |= {"extreme_format": forms[place], "extreme_value": own[place], "without_extreme": without[place]}
        rows.append(row)
    return pd.DataFrame(rows, columns=["topic", *ROBUST])


def signatures(maps: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the bins that set each benchmark apart from the others of the same source.

    A bin's *distinctiveness* for a benchmark is its ``z`` there minus the mean of its ``z`` for the
    other benchmarks; a benchmark's signature are the bins where that is highest, ties in the order of
    the grid. Beside each stands its topic's mean ``z`` with it and without it.

    Args:
        maps: As :func:`side_by_side` returns them.
        count: Bins of a signature.

    Returns:
        ``source``, ``benchmark`` and :data:`SIGNATURE`. A source with one benchmark has no rows.
    """
    import pandas as pd

    frames = []
    for source, own in maps.groupby("source", sort=False):
        names = list(dict.fromkeys(own["benchmark"]))
        wide = own.pivot(index=BIN, columns="benchmark", values="z").reindex(list(BINS))[names]
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
    """Return how far any two benchmarks of a source have the same profile over bins and topics.

    Returns:
        ``source``, ``benchmark``, ``other``, the measures of
        :func:`social_provenance.estimation.comparison.agreement.agreement`, and the bin that carries
        ``bin_correlation`` (:func:`social_provenance.estimation.comparison.leave_one_out.extreme_bin`).
    """
    pairs = compare_pairs(maps.rename(columns={"z": "potency"}), "benchmark", ["source"])
    return _with_carriers(pairs, maps, ("source", "benchmark"), ("source", "other"))


def agreement_with_published(maps: pd.DataFrame) -> pd.DataFrame:
    """Return how far the map of each method of this study agrees with the published one.

    Returns:
        ``benchmark``, ``method``, and what :func:`similarity` says of a pair, over the bins that have
        documents in both.
    """
    pairs = compare_pairs(maps.rename(columns={"z": "potency"}), "source", ["benchmark"])
    own = pairs[pairs["source"] == PUBLISHED].rename(columns={"other": "method"}).reset_index(drop=True)
    table = _with_carriers(own, maps, ("source", "benchmark"), ("method", "benchmark"))
    return table[["benchmark", "method", *MEASURES, *LEAVE_ONE_BIN_OUT]]


def _with_carriers(pairs: pd.DataFrame, maps: pd.DataFrame, *ends: tuple[str, str]) -> pd.DataFrame:
    """Add to each pair what one bin does to it; ``ends`` are the columns that name its two maps."""
    import pandas as pd

    grids = {key: _grid(own) for key, own in maps.groupby(["source", "benchmark"], sort=False)}
    rows = [extreme_bin(*(grids[row[end[0]], row[end[1]]] for end in ends)) for row in pairs.to_dict("records")]
    return pd.concat([pairs, pd.DataFrame(rows, columns=list(LEAVE_ONE_BIN_OUT), index=pairs.index)], axis=1)


def _grid(bins: pd.DataFrame) -> np.ndarray:
    values: np.ndarray = bins.set_index(BIN)["z"].reindex(list(BINS)).to_numpy(float)
    return values.reshape(SHAPE)


def _stack(frames: list[pd.DataFrame], key: list[str], mean: str) -> pd.DataFrame:
    import pandas as pd

    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*key, *ROBUST])
    return table[[*key, *ROBUST]].rename(columns={"mean": mean})
