"""Sections that compare maps: methods with baselines, the study with the published map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from social_provenance.annotations import Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation.comparison.side_by_side import PUBLISHED
from social_provenance.gradients.methods.registry import is_baseline, method_names
from social_provenance.regions.grid import FORMAT_NAMES, TOPIC_NAMES
from social_provenance.report.render import NONE, render, rows_of

CARRIED = 8
"""Number of topics driven by a single bin that the section shows."""

SHOWN = 3
"""Number of signature bins per benchmark, and of topics on either side of a contrast, that the section shows."""


def write_agreement(table: Table, evaluation: Evaluation, method: str) -> str:
    """Write the agreement of the default method's map with that of every other method and baseline.

    Args:
        table: Table ``method_agreement``.
        evaluation: Order of the benchmarks.
        method: Method whose map is compared with the others.
    """
    import pandas as pd

    names = [benchmark.name for benchmark in evaluation.benchmarks]
    swapped = table.rename(columns={"method": "other", "other": "method"})
    of_method = pd.concat([table, swapped], ignore_index=True).query("method == @method")
    rows = [
        {
            "method": other,
            "baseline": is_baseline(str(other)),
            "benchmarks": rows.set_index("benchmark").to_dict("index"),
        }
        for other, rows in of_method.groupby("other", sort=False)
    ]
    # A baseline with the sign reversed carries the same information, so the closest is the one of largest rho squared.
    baselines = of_method[of_method["other"].isin(method_names("texts"))].dropna(subset="bin_rank_correlation")
    baselines = baselines.assign(explained=baselines["bin_rank_correlation"] ** 2)
    best = baselines.sort_values("explained", ascending=False, kind="stable").groupby("benchmark").head(1)
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
    """Write the comparison with the published map; without one, how to provide it.

    Args:
        topics: Table ``reference_topics``.
        contrasts: Table ``reference_contrasts``.
        signatures: Table ``reference_signatures``.
        similarity: Table ``reference_similarity``.
        agreement: Table ``reference_agreement``.
        method: Method whose map is compared with the published one.
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
    """Return the topics that change sign without one bin, the largest change first."""
    flips = topics[topics["z"] * topics["without_extreme"] < 0]
    move = (flips["z"] - flips["without_extreme"]).abs()
    return flips.loc[move.sort_values(ascending=False, kind="stable").index]


def _levels(contrasts: Table, method: str) -> list[dict[str, Any]]:
    """Return for each level the spread of social minus STEM over topics, and the top topics on either side."""
    levels = []
    for kind, rows in contrasts.groupby("kind", sort=False):
        wide = rows.pivot(index="topic", columns="source", values="difference")
        published = rows[rows["source"] == PUBLISHED]
        levels.append(
            {
                "kind": kind,
                "published": wide[PUBLISHED].std(ddof=1),
                "study": wide[method].std(ddof=1),
                "correlation": wide[PUBLISHED].corr(wide[method]),
                "social": rows_of(published.nlargest(SHOWN, "difference")),
                "stem": rows_of(published.nsmallest(SHOWN, "difference")),
            }
        )
    return levels


def _pairs(similarity: Table, method: str) -> list[dict[str, Any]]:
    key = ["benchmark", "other"]
    published, study = (similarity[similarity["source"] == source] for source in (PUBLISHED, method))
    # The order of the benchmarks in a pair is that of its source.
    swapped = study.rename(columns={"benchmark": "other", "other": "benchmark"})
    columns = [*key, "bin_correlation", "topic_correlation", "extreme_topic", "extreme_format", "without_extreme"]
    study_pairs = {
        (row["benchmark"], row["other"]): row for table in (study, swapped) for row in table[columns].to_dict("records")
    }
    return [
        {**row, "bin": _name(row), "study": study_pairs.get((row["benchmark"], row["other"]), {})}
        for row in rows_of(published[columns])
    ]


def _name(row: Mapping[str, Any]) -> str:
    """Name the extreme bin of a row, if it has one."""
    topic, form = row["extreme_topic"], row["extreme_format"]
    return f"{TOPIC_NAMES[topic]}, {FORMAT_NAMES[form]}" if isinstance(topic, str) else NONE
