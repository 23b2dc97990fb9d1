"""The section on which bins of a map are more than chance."""

from __future__ import annotations

from typing import Any

from social_provenance.annotations import Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.estimation.significance.calibration import DOCUMENTS, LEVEL
from social_provenance.estimation.significance.decomposition import PARTS
from social_provenance.report.render import render


def write_discoveries(
    tests: Table,
    nulls: Table,
    calibration: Table,
    parts: Table,
    evaluation: Evaluation,
    method: str,
) -> str:
    """Write how many bins and topics each test calls, its false positive rate, and the parts of the variance.

    Args:
        tests: Table ``bin_influence``.
        nulls: Table ``null_tests``.
        calibration: Table ``null_calibration``.
        parts: Table ``map_parts``.
        evaluation: Order of the benchmarks.
        method: Method of the map.
    """
    names = [benchmark.name for benchmark in evaluation.benchmarks]
    tests, nulls, calibration, parts = (
        table[table["method"] == method] for table in (tests, nulls, calibration, parts)
    )
    rows = [("testable bins", _count(tests.assign(called=tests["p"].notna()), names))]
    rows += [(text, _count(_called(tests, column), names)) for column, text in TESTS.items()]
    for (variant, axis), of_variant in nulls.groupby(["variant", "axis"], sort=False):
        rows += [
            (f"{variant}: {text}", _count(_called(of_variant, column), names))
            for column, text in BY_NULL[str(axis)].items()
        ]
        if of_variant["difference_q"].notna().any():
            rows += [
                (f"{variant}: {axis}s that right answers {verb}, at q ≤ 0.05", _count(changed, names))
                for verb, changed in _changed(of_variant).items()
            ]
    judged = calibration[(calibration["judge"] == DOCUMENTS) & (calibration["measure"] == "p")]
    judged = judged[judged["axis"] == "bin"]
    shares = parts.pivot(index="part", columns="benchmark", values="share")
    return render(
        "discoveries",
        method=method,
        names=names,
        rows=[{"text": text, "counts": counts} for text, counts in rows],
        rates=[
            {"variant": variant, "benchmarks": rows_of_variant.set_index("benchmark").to_dict("index")}
            for variant, rows_of_variant in judged.groupby("variant", sort=False)
        ],
        parts=[
            {"part": part, "shares": shares.loc[part].to_dict()} for part in (*PARTS, "noise") if part in shares.index
        ],
    )


TESTS = {
    "q": "called at q ≤ 0.05 (bootstrap over documents and queries)",
    "p_family": "called at family-wise p ≤ 0.05 (permuted labels)",
}
BY_NULL = {
    "bin": {"q": "called at q ≤ 0.05", "rank_q": "called by rank at q ≤ 0.05"},
    # 24 topics cannot be called by rank: their smallest p is 1 / 25.
    "topic": {"q": "topics called at q ≤ 0.05"},
}


def _called(table: Table, column: str) -> Table:
    return table.assign(called=table[column] <= LEVEL)


def _changed(table: Table) -> dict[str, Table]:
    """Return the bins or topics that right answers raise, and those that they lower, marked as called."""
    called, up = table["difference_q"] <= LEVEL, table["difference_z"] > 0
    return {"raise": table.assign(called=called & up), "lower": table.assign(called=called & ~up)}


def _count(table: Table, names: list[str]) -> dict[str, Any]:
    counts = table.groupby("benchmark")["called"].sum()
    return {name: int(counts[name]) for name in names if name in counts}
