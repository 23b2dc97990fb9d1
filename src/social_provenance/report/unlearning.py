"""Section on unlearning: the result first, then the tables that it is based on."""

from __future__ import annotations

from typing import Any

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures.unlearning_balance import BOUND
from social_provenance.forgetting.vocabulary import AGAINST_UNTOUCHED, ARMS, DONE, EQUAL_COMPUTE, PRIMARY
from social_provenance.report.render import figure_html, render, rows_of


def write_unlearning(figure: Figure, effects: Table, runs: Table, evaluation: Evaluation) -> str:
    """Write whether unlearning influential documents does more damage than unlearning random ones.

    Args:
        figure: Targeted sets among random sets.
        effects: Table ``unlearning_effects``.
        runs: Table ``unlearning_runs``.
        evaluation: Order of the benchmarks.
    """
    effects = in_order(effects, evaluation)
    primary = effects[(effects["outcome"] == PRIMARY) & (effects["reading"] == EQUAL_COMPUTE)]
    scopes = [
        {"scope": scope, "arms": ARMS[scope], "rows": rows_of(primary[primary["scope"] == scope])}
        for scope in ARMS
        if (primary["scope"] == scope).any()
    ]
    # The verdict is on contrasts within topics if there are any: the sharper question, and the family of q.
    first = primary[primary["scope"] == (scopes[0]["scope"] if scopes else "topic")]
    judged = first[first["influence_minus_random"].notna()]
    return render(
        "unlearning",
        figure=figure_html(figure, "unlearning_figure"),
        verdict=_verdict(judged),
        unjudged=len(first) - len(judged),
        scopes=scopes,
        several=effects["algorithm"].nunique() > 1,
        others=bool(effects["did"].notna().any()),
        one_set=bool((judged["n_random"] == 1).any()),
        readings=_readings(effects[effects["scope"] == "topic"] if (effects["scope"] == "topic").any() else effects),
        broken=rows_of(runs[runs["status"] != DONE]),
        counts=runs["status"].value_counts().to_dict(),
    )


def write_doses(dose_response: Figure, balance_figure: Figure, balance: Table) -> str:
    """Write the dose-response curves and the balance of random sets.

    Args:
        dose_response: Curves of the aligned benchmarks.
        balance_figure: Standardised differences before and after matching.
        balance: Table ``unlearning_balance``.
    """
    return render(
        "unlearning_doses",
        dose=figure_html(dose_response, "dose_response"),
        balance_figure=figure_html(balance_figure, "balance_figure"),
        balance=_balance(balance),
        bound=BOUND,
    )


def write_checks(equivalence: Table, algorithms: Table, across_topics: Table, evaluation: Evaluation) -> str:
    """Write equivalence tests, the comparison of algorithms, and the tests over topics.

    Args:
        equivalence: Table ``unlearning_equivalence``.
        algorithms: Table ``unlearning_algorithms``.
        across_topics: Table ``unlearning_across_topics``.
        evaluation: Order of the benchmarks.
    """
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
    )


def in_order(table: Table, evaluation: Evaluation) -> Table:
    """Return a table with its aligned benchmarks in the order of the study."""
    rank = {benchmark.name: position for position, benchmark in enumerate(evaluation.benchmarks)}
    return table.sort_values("benchmark", key=lambda names: names.map(rank), kind="stable")


def _verdict(judged: Table) -> dict[str, Any]:
    return {
        "contrasts": len(judged),
        "more": int((judged["influence_minus_random"] < 0).sum()),
        "beyond": int((judged["n_random_less_damaging"] == judged["n_random"]).sum()),
        "discoveries": int((judged["q"] <= 0.05).sum()),
        "p_at_most": int((judged["p"] <= 0.05).sum()),
        "sets": sorted({int(count) for count in judged["n_random"]}),
        "floor": float(judged["smallest_p"].min()) if len(judged) else None,
    }


def _readings(effects: Table) -> list[dict[str, Any]]:
    """Return per outcome and reading: in how many contrasts influential documents do more damage, and how much."""
    rows = []
    for (outcome, reading), own in effects.groupby(["outcome", "reading"], sort=False):
        known = own[own["influence_minus_random"].notna()]
        rows.append(
            {
                "outcome": outcome,
                "reading": reading,
                "contrasts": len(known),
                "more": int((known["influence_minus_random"] < 0).sum()),
                "beyond": int((known["n_random_less_damaging"] == known["n_random"]).sum()),
                "difference": known["influence_minus_random"].mean(),
                "did": known["did"].mean(),
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
