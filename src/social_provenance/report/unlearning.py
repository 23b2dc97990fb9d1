"""Section on unlearning: the result first, then the tables that it is based on."""

from __future__ import annotations

from typing import Any

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures.unlearning_balance import BOUND
from social_provenance.forgetting.vocabulary import (
    AGAINST_UNTOUCHED,
    ARMS,
    DONE,
    EQUAL_COMPUTE,
    PLAIN,
    PRIMARY,
    SPECIFIC,
    Measure,
)
from social_provenance.report.render import figure_html, render, rows_of


def write_unlearning(figure: Figure, effects: Table | None, runs: Table | None, evaluation: Evaluation) -> str:
    """Write whether unlearning influential documents damages what they influence, more than random ones do.

    The headline is the difference in differences; with a single benchmark, influence minus random.

    Args:
        figure: Targeted sets among random sets.
        effects: Table ``unlearning_effects``; None where nothing was unlearned, as in the other sections.
        runs: Table ``unlearning_runs``.
        evaluation: Order of the benchmarks.
    """
    if effects is None or runs is None:
        return render("not_unlearned")
    effects = in_order(effects, evaluation)
    primary = effects[(effects["outcome"] == PRIMARY) & (effects["reading"] == EQUAL_COMPUTE)]
    scopes = [
        {"scope": scope, "arms": ARMS[scope], "rows": rows_of(primary[primary["scope"] == scope])}
        for scope in ARMS
        if (primary["scope"] == scope).any()
    ]
    # The verdict is on contrasts within topics if there are any: the sharper question, and the family of q.
    first = primary[primary["scope"] == (scopes[0]["scope"] if scopes else "topic")]
    judged = first[first[PLAIN.value].notna()]
    others = bool(effects[SPECIFIC.value].notna().any())
    return render(
        "unlearning",
        figure=figure_html(figure, "unlearning_figure"),
        verdict=_verdict(judged, SPECIFIC if others else PLAIN),
        plain=_verdict(judged, PLAIN),
        unjudged=len(first) - len(judged),
        scopes=scopes,
        several=effects["algorithm"].nunique() > 1,
        others=others,
        one_set=bool((judged["n_random"] == 1).any()),
        readings=_readings(
            effects[effects["scope"] == "topic"] if (effects["scope"] == "topic").any() else effects,
            SPECIFIC if others else PLAIN,
        ),
        unit=None if effects.empty else effects["normalisation"].iloc[0],
        broken=rows_of(runs[runs["status"] != DONE]),
        counts=runs["status"].value_counts().to_dict(),
    )


def write_doses(dose_response: Figure, balance_figure: Figure, balance: Table | None) -> str:
    """Write the dose-response curves and the balance of random sets.

    Args:
        dose_response: Curves of the aligned benchmarks.
        balance_figure: Standardised differences before and after matching.
        balance: Table ``unlearning_balance``.
    """
    if balance is None:
        return ""
    return render(
        "unlearning_doses",
        dose=figure_html(dose_response, "dose_response"),
        balance_figure=figure_html(balance_figure, "balance_figure"),
        balance=_balance(balance),
        bound=BOUND,
    )


def write_checks(
    equivalence: Table | None, algorithms: Table | None, across_topics: Table | None, evaluation: Evaluation
) -> str:
    """Write equivalence tests, the comparison of algorithms, and the tests over topics.

    Args:
        equivalence: Table ``unlearning_equivalence``.
        algorithms: Table ``unlearning_algorithms``.
        across_topics: Table ``unlearning_across_topics``.
        evaluation: Order of the benchmarks.
    """
    if equivalence is None or algorithms is None or across_topics is None:
        return ""
    equivalence = in_order(equivalence, evaluation)
    equivalence = equivalence[equivalence["reading"] == EQUAL_COMPUTE]
    across = across_topics[(across_topics["outcome"] == PRIMARY) & (across_topics["reading"] == EQUAL_COMPUTE)]
    return render(
        "unlearning_checks",
        equivalence=rows_of(equivalence),
        alike=int(equivalence["equivalent"].sum()),
        against_untouched=AGAINST_UNTOUCHED,
        algorithms=rows_of(algorithms),
        across=rows_of(across),
        measures={SPECIFIC.value: "difference in differences", PLAIN.value: "influence − random"},
    )


def in_order(table: Table, evaluation: Evaluation) -> Table:
    """Return a table with its aligned benchmarks in the order of the study."""
    rank = {benchmark.name: position for position, benchmark in enumerate(evaluation.benchmarks)}
    return table.sort_values("benchmark", key=lambda names: names.map(rank), kind="stable")


def _verdict(judged: Table, measure: Measure) -> dict[str, Any]:
    """Return in how many contrasts influential documents do more damage, beyond every random set, and significantly."""
    return {
        "contrasts": len(judged),
        **_damage(judged, measure),
        "below": int((judged[measure.high] < 0).sum()),
        "discoveries": int((judged[measure.q] <= 0.05).sum()),
        "p_at_most": int((judged[measure.p] <= 0.05).sum()),
        "sets": sorted({int(count) for count in judged["n_random"]}),
        "floor": float(judged["smallest_p"].min()) if len(judged) else None,
    }


def _damage(judged: Table, measure: Measure) -> dict[str, int]:
    return {
        "more": int((judged[measure.value] < 0).sum()),
        "beyond": int((judged[measure.n_less] == judged["n_random"]).sum()),
    }


def _readings(effects: Table, measure: Measure) -> list[dict[str, Any]]:
    """Return per outcome and reading: in how many contrasts influential documents do more damage, and how much."""
    rows = []
    for (outcome, reading), own in effects.groupby(["outcome", "reading"], sort=False):
        known = own[own[PLAIN.value].notna()]
        rows.append(
            {
                "outcome": outcome,
                "reading": reading,
                "contrasts": len(known),
                **_damage(known, measure),
                "difference": known[PLAIN.value].mean(),
                "did": known[SPECIFIC.value].mean(),
                "missing": sorted(set(own["reason"].dropna())),
            }
        )
    return rows


def _balance(balance: Table) -> list[dict[str, Any]]:
    """Return for each variable the mean and largest absolute standardised difference, before and after matching."""
    rows = []
    for (scope, variable), own in balance.groupby(["scope", "variable"], sort=False):
        before, after = own["unmatched_difference"].abs(), own["standardised_difference"].abs()
        row = {"scope": scope, "variable": variable, "before": before.mean(), "mean": after.mean(), "most": after.max()}
        rows.append({**row, "within": int((after <= BOUND).sum()), "sets": len(after)})
    return rows
