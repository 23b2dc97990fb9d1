"""Sections that hold maps against each other: methods and baselines, the study and the published map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from social_provenance.annotations import Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation.comparison.side_by_side import PUBLISHED
from social_provenance.gradients.methods.registry import is_baseline
from social_provenance.regions.grid import FORMAT_NAMES, TOPIC_NAMES
from social_provenance.report.render import NONE, render, rows_of

CARRIED = 8
"""Topics that one bin carries which the section shows."""

SHOWN = 3
"""Signature bins of a benchmark, and topics on either side of a contrast, that the section shows."""


def write_agreement(table: Table, evaluation: Evaluation, method: str) -> str:
    """Show how far the map of the study's method is that of another one, a baseline above all.

    Args:
        table: Table ``method_agreement``.
        evaluation: Order of the benchmarks.
        method: Whose map is held against the others.
    """
    import pandas as pd

    names = [benchmark.name for benchmark in evaluation.benchmarks]
    turned = table.rename(columns={"method": "other", "other": "method"})
    own = pd.concat([table, turned], ignore_index=True).query("method == @method")
    rows = [
        {
            "method": other,
            "baseline": is_baseline(str(other)),
            "benchmarks": rows.set_index("benchmark").to_dict("index"),
        }
        for other, rows in own.groupby("other", sort=False)
    ]
    # Turned round, a baseline says the same, so the nearest is that of the largest rho squared.
    told = own[own["other"].map(is_baseline)].assign(told=lambda rows: rows["bin_rank_correlation"] ** 2)
    best = told.dropna(subset="told").sort_values("told", ascending=False, kind="stable").groupby("benchmark").head(1)
    nearest = best.set_index("benchmark").to_dict("index")
    return render(
        "agreement",
        method=method,
        names=names,
        rows=sorted(rows, key=lambda row: bool(row["baseline"])),
        nearest=nearest,
    )


def write_reference(
    topics: Table,
    contrasts: Table,
    signatures: Table,
    similarity: Table,
    agreement: Table,
    method: str,
) -> str:
    """Show the published map beside the study's own; without one, say how to give it.

    Args:
        topics: Table ``reference_topics``.
        contrasts: Table ``reference_contrasts``.
        signatures: Table ``reference_signatures``.
        similarity: Table ``reference_similarity``.
        agreement: Table ``reference_agreement``.
        method: Whose map is held against the published one.
    """
    if topics.empty:
        return render("no_reference")
    published = topics[topics["source"] == PUBLISHED]
    return render(
        "reference",
        method=method,
        agreement=rows_of(agreement[agreement["method"] == method]),
        pairs=_pairs(similarity, method),
        carried=rows_of(_carried(published).head(CARRIED)),
        levels=_levels(contrasts, method),
        n_carried=len(_carried(published)),
        n_topics=len(published),
        signatures=rows_of(signatures[(signatures["source"] == PUBLISHED) & (signatures["rank"] <= SHOWN)]),
    )


def _carried(topics: Table) -> Table:
    """Return the topics whose sign is that of one bin, the largest move first."""
    flips = topics[topics["z"] * topics["without_extreme"] < 0]
    move = (flips["z"] - flips["without_extreme"]).abs()
    return flips.loc[move.sort_values(ascending=False, kind="stable").index]


def _levels(contrasts: Table, method: str) -> list[dict[str, Any]]:
    """Return, of each level, how far topics differ between social and STEM, and the foremost on either side."""
    levels = []
    for kind, own in contrasts.groupby("kind", sort=False):
        wide = own.pivot(index="topic", columns="source", values="difference")
        published = own[own["source"] == PUBLISHED]
        levels.append(
            {
                "kind": kind,
                "published": wide[PUBLISHED].std(ddof=1),
                "own": wide[method].std(ddof=1),
                "correlation": wide[PUBLISHED].corr(wide[method]),
                "social": rows_of(published.nlargest(SHOWN, "difference")),
                "stem": rows_of(published.nsmallest(SHOWN, "difference")),
            }
        )
    return levels


def _pairs(similarity: Table, method: str) -> list[dict[str, Any]]:
    key = ["benchmark", "other"]
    published, own = (similarity[similarity["source"] == source] for source in (PUBLISHED, method))
    # The order of the benchmarks in a pair is that of its source.
    turned = own.rename(columns={"benchmark": "other", "other": "benchmark"})
    both = [*key, "bin_correlation", "topic_correlation", "extreme_topic", "extreme_format", "without_extreme"]
    found = {(row["benchmark"], row["other"]): row for table in (own, turned) for row in table[both].to_dict("records")}
    return [
        {**row, "bin": _name(row), "own": found.get((row["benchmark"], row["other"]), {})}
        for row in rows_of(published[both])
    ]


def _name(row: Mapping[str, Any]) -> str:
    """Name the extreme bin of a row, if it has one."""
    topic, form = row["extreme_topic"], row["extreme_format"]
    return f"{TOPIC_NAMES[topic]}, {FORMAT_NAMES[form]}" if isinstance(topic, str) else NONE
