"""Sections on causal checks (tail-patch, retraining) and robustness (other worlds, renderings, checkpoints).

Each check is a pipeline of its own, and most are opt-in: a section shows the results that exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.annotations import Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation.comparison.agreement import compare_pairs
from social_provenance.gradients.methods.registry import is_baseline
from social_provenance.report.render import render, rows_of

if TYPE_CHECKING:
    import pandas as pd

REGIONS = 5
"""Regions shown per benchmark in the tail-patch table."""
STUDY = ""
"""Label of the study's own map among those of checkpoints; never the label of a checkpoint, which is not empty."""
FOUND = 0.95
"""Area under the ROC curve from which the planted topics of a world count as recovered."""


def write_causes(
    topics: Table,
    patches: Table | None,
    retrained: Table | None,
    evaluation: Evaluation,
    method: str,
) -> str:
    """Write the effects of a few extra steps on a region, and of retraining without topics.

    Args:
        topics: Table ``topic_influence``; its z is shown beside the effect of a tail-patch.
        patches: Table ``tail_patch``; None where it was not computed.
        retrained: Table ``counterfactual_agreement``; None where it was not computed.
        evaluation: Order of the benchmarks.
        method: Method of the z.
    """
    if patches is None and retrained is None:
        return ""
    return render(
        "causes",
        doses=[] if patches is None else sorted(patches["dose"].unique()),
        method=method,
        blocks=[] if patches is None else _patched(patches, topics[topics["method"] == method], evaluation),
        designs=[] if retrained is None else _designs(retrained),
    )


def write_trust(
    worlds: Table | None,
    audit: Table | None,
    trajectory: Table | None,
    bins: Table,
    evaluation: Evaluation,
    method: str,
) -> str:
    """Write whether the planted topics of other worlds are recovered, and how stable the map is.

    Args:
        worlds: Table ``world_metrics``; None where it was not computed, as for the others.
        audit: Table ``query_audit``.
        trajectory: Table ``influence_trajectory``.
        bins: Table ``bin_influence``, the study's own maps.
        evaluation: Order of the benchmarks.
        method: Method of the maps.
    """
    if worlds is None and audit is None and trajectory is None:
        return ""
    names = [benchmark.name for benchmark in evaluation.benchmarks]
    return render(
        "trust",
        method=method,
        names=names,
        found=FOUND,
        worlds=[] if worlds is None else _worlds(worlds[worlds["method"] == method], names),
        forms=[] if audit is None else _pairs(audit[audit["method"] == method], "rendering"),
        checkpoints=[]
        if trajectory is None
        else _against_study(*(table[table["method"] == method] for table in (trajectory, bins))),
    )


def _patched(patches: Table, topics: Table, evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return for each benchmark the top regions at the largest dose, with their effect at every dose."""
    region = ["topic", "format"]
    last = patches[patches["dose"] == patches["dose"].max()].assign(format=lambda table: table["format"].fillna(""))
    effects = patches.assign(format=patches["format"].fillna("")).set_index(["benchmark", "dose", *region])["effect"]
    z = topics.set_index(["benchmark", "topic"])["z"]
    blocks = []
    for benchmark in evaluation.benchmarks:
        rows = rows_of(last[last["benchmark"] == benchmark.name].nlargest(REGIONS, "effect"))
        for row in rows:
            curve = effects[benchmark.name].xs((row["topic"], row["format"]), level=region)
            row |= {"curve": curve.sort_index().tolist(), "z": z.get((benchmark.name, row["topic"]))}
        blocks.append({"benchmark": benchmark, "rows": rows})
    return blocks


def _designs(retrained: Table) -> list[dict[str, Any]]:
    """Return for each design the correlation of every check with the retraining effects, mean over benchmarks."""
    designs = []
    for design, effects in retrained.groupby("design", sort=False):
        ways = list(effects[["outcome", "measure"]].drop_duplicates().itertuples(index=False, name=None))
        means = effects.groupby(["method", "outcome", "measure"], sort=False)[["correlation", "noise_ceiling"]].mean()
        rows = [
            {
                "method": method,
                "baseline": is_baseline(method),
                "values": _of(means["correlation"], method, ways),
            }
            for method in effects["method"].drop_duplicates()
        ]
        ceiling = _of(means["noise_ceiling"], rows[0]["method"], ways)
        number = int(effects["n_arms"].iloc[0])
        designs.append({"design": design, "n_arms": number, "ways": ways, "rows": rows, "ceiling": ceiling})
    return designs


def _of(means: pd.Series, method: str, ways: list[tuple[str, str]]) -> list[float]:
    return [float(means[(method, *way)]) for way in ways]


def _worlds(metrics: Table, names: list[str]) -> list[dict[str, Any]]:
    wide = metrics.pivot(index="seed", columns="benchmark", values="topic_auc")[names]
    return [
        {"seed": seed, "areas": [float(area) for area in row]}
        for seed, row in zip(wide.index, wide.to_numpy(), strict=True)
    ]


def _pairs(agreements: Table, of: str) -> list[dict[str, Any]]:
    return [
        {"one": one, "other": other, "benchmarks": rows.set_index("benchmark").to_dict("index")}
        for (one, other), rows in agreements.groupby([of, "other"], sort=False)
    ]


def _against_study(trajectory: Table, bins: Table) -> list[dict[str, Any]]:
    """Return the agreement of each checkpoint's map with that of the study's own model."""
    import pandas as pd

    checkpoints = trajectory.sort_values("order", kind="stable")
    maps = pd.concat([checkpoints, bins[bins["benchmark"].isin(checkpoints["benchmark"])].assign(checkpoint=STUDY)])
    columns = ["benchmark", "checkpoint", "topic", "format", "potency"]
    agreements = compare_pairs(maps[columns], "checkpoint", ["benchmark"])
    return _pairs(agreements[agreements["other"] == STUDY], "checkpoint")
