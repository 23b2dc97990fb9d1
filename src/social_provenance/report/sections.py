"""The sections of the report: what each shows of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from social_provenance.annotations import Figure, Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.forgetting.vocabulary import UNTOUCHED
from social_provenance.lineage import UNKNOWN
from social_provenance.report.render import figure_html, plotly_script, render, rows_of

TOP_TOPICS = 5

LINKS = {
    "how": "How to read",
    "inputs": "What went in",
    "labels": "Labels",
    "map": "Where influence is",
    "discoveries": "More than chance?",
    "contrast": "Social against STEM",
    "agreement": "Methods against each other",
    "reference": "Beside a published map",
    "truth": "Planted against found",
    "causes": "More training, and less",
    "trust": "Other worlds, questions, checkpoints",
    "forget": "Forgetting",
    "lineage": "Lineage",
}
"""Place of a section on the page -> what leads there, where the section is there."""


def write_inputs(
    corpus: Mapping[str, Any],
    manifest: Mapping[str, Any],
    attribution: Mapping[str, Any],
    evaluations: Table,
    evaluation: Evaluation,
) -> str:
    """Show how to read the page, and what went in: documents, the working set, the model's own answers.

    Args:
        corpus: ``corpus_summary``.
        manifest: ``sampling_contract``.
        attribution: ``attribution_summary``.
        evaluations: Table ``unlearning_evaluations``.
        evaluation: The benchmarks.
    """
    untouched = evaluations[evaluations["run_id"] == UNTOUCHED].drop(columns="step").set_index("benchmark")
    rows = [
        {
            "benchmark": benchmark,
            **attribution["benchmarks"][benchmark.name],
            **untouched.loc[benchmark.name].to_dict(),
        }
        for benchmark in evaluation.benchmarks
    ]
    return render(
        "inputs",
        evaluation=evaluation,
        corpus=corpus,
        manifest=manifest,
        attribution=attribution,
        rows=rows,
    )


def write_influence(figure: Figure, topics: Table, documents: Table, evaluation: Evaluation, method: str) -> str:
    """Show where influence is: the map, the foremost topics, the foremost documents.

    Args:
        figure: The map of bins.
        topics: Table ``topic_influence``.
        documents: Table ``top_documents``.
        evaluation: Order of the benchmarks.
        method: Whose scores.
    """
    own = topics[topics["method"] == method]
    blocks = [
        {
            "benchmark": benchmark,
            "topics": rows_of(own[own["benchmark"] == benchmark.name].nlargest(TOP_TOPICS, "z")),
            "documents": rows_of(documents[documents["benchmark"] == benchmark.name].sort_values("rank")),
        }
        for benchmark in evaluation.benchmarks
    ]
    return render("influence", figure=figure_html(figure, "influence"), blocks=blocks, method=method)


def write_contrasts(figure: Figure, table: Table, strength: Table, method: str) -> str:
    """Show social minus STEM, and at which level the contrast is wider.

    Args:
        figure: The topic contrasts.
        table: Table ``contrasts``.
        strength: Table ``contrast_strength``.
        method: Whose scores.
    """
    topics = table[(table["method"] == method) & (table["axis"] == "topic")].dropna(subset="difference")
    levels = [
        {
            "kind": kind,
            "social": rows_of(own.nlargest(3, "difference")),
            "stem": rows_of(own.nsmallest(3, "difference")),
            "apart": int(((own["ci_low"] > 0) | (own["ci_high"] < 0)).sum()),
            "topics": len(own),
        }
        for kind, own in topics.groupby("kind", sort=False)
    ]
    compared = rows_of(strength[strength["method"] == method].dropna(subset="difference"))
    return render("contrasts", figure=figure_html(figure, "contrasts"), levels=levels, strength=compared)


def write_planted(figure: Figure | None, validation: Mapping[str, Any] | None, evaluation: Evaluation) -> str:
    """Show the check against the truth, where there is one; nothing otherwise.

    Args:
        figure: Topics, the planted ones marked; None without a truth.
        validation: ``validation``; None without a truth.
        evaluation: Order of the benchmarks.
    """
    if figure is None or validation is None:
        return render("no_truth")
    names = [benchmark.name for benchmark in evaluation.benchmarks]
    return render("planted", figure=figure_html(figure, "planted"), validation=validation, names=names)


def write_report(records: Mapping[str, Any] | None, *sections: str) -> str:
    """Return the page: its sections, then the lineage of everything behind it.

    Args:
        records: ``lineage``: dataset -> its record; None where nothing was recorded.
        sections: Finished sections, in order; a check that has not been run leaves an empty one.
    """
    return page([*sections, lineage(records)])


def lineage(records: Mapping[str, Any] | None) -> str:
    """Show which dataset was made by which node from what, on what unknown content and on what accepted code.

    Args:
        records: ``lineage``: dataset -> its record.
    """
    rows = [
        {
            "dataset": name,
            **row,
            "unknown": [each for each, digest in row.get("ancestors", {}).items() if digest == UNKNOWN],
            "accepted": row.get("accepted", {}),
        }
        for name, row in (records or {}).items()
        if row["digest"]
    ]
    unknown = {each for row in rows for each in row["unknown"]}
    unknown |= {row["dataset"] for row in rows if row["digest"] == UNKNOWN}
    accepted = {name: codes for row in rows for name, codes in row["accepted"].items()}
    return render("lineage", rows=rows, unknown=sorted(unknown), accepted=accepted)


def page(sections: Sequence[str]) -> str:
    """Put sections together to one HTML document without any outside reference.

    Args:
        sections: Finished sections, in order.
    """
    from markupsafe import Markup

    links = [(place, text) for place, text in LINKS.items() if any(f'id="{place}"' in section for section in sections)]
    # Sections were rendered by this module's templates, which escaped what came from data.
    return render("page", sections=[Markup(section) for section in sections], links=links, script=plotly_script())
