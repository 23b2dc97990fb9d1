"""The section on what the map of each benchmark shows: similarity or provenance."""

from __future__ import annotations

from social_provenance.annotations import Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.interventions.verdicts import NOT_TRIED, RULES
from social_provenance.report.render import render

TITLES = {
    "beyond_words": "beyond words",
    "beyond_untrained": "beyond an untrained model",
    "agrees_with_tail_patch": "agrees with tail-patches",
    "agrees_with_retraining": "agrees with retraining",
    "agrees_with_unlearning": "agrees with unlearning",
}
"""Question -> its heading."""
TRIED_BY = {
    "beyond_words": "name bm25 and embedding in scoring.methods, and run attribution,aggregation,reporting",
    "beyond_untrained": "run random_weights,aggregation,reporting",
    "agrees_with_tail_patch": "run tail_patch,reporting",
    "agrees_with_retraining": "run counterfactual,reporting",
    "agrees_with_unlearning": "run unlearning,reporting",
}
"""Question -> what to do where it was not tried: pipelines, as ``kedro run --pipelines`` takes them."""
LABELS = {
    "similarity": "similarity, not provenance",
    "provenance": "provenance supported",
    "undecided": "undecided",
}
"""Reading -> its text."""


def write_verdicts(verdicts: Table, evaluation: Evaluation, method: str) -> str:
    """Write the verdict on each question about the map of each benchmark, with its number and rule.

    Args:
        verdicts: Table ``verdicts``.
        evaluation: Order of the benchmarks.
        method: Method of the maps.
    """
    by_benchmark = dict(iter(verdicts.groupby("benchmark")))
    rows = [
        {
            "benchmark": benchmark,
            "answers": by_benchmark[benchmark.name].set_index("question").to_dict("index"),
            "label": LABELS[by_benchmark[benchmark.name]["reading"].iloc[0]],
        }
        for benchmark in evaluation.benchmarks
    ]
    questions = [{"name": name, "title": title, "rule": RULES[name]} for name, title in TITLES.items()]
    asked = set(verdicts.loc[verdicts["verdict"] == NOT_TRIED, "question"])
    missing = [{"title": TITLES[name], "how": how} for name, how in TRIED_BY.items() if name in asked]
    return render("verdicts", rows=rows, questions=questions, method=method, missing=missing)
