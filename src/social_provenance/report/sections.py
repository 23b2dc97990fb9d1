"""Sections of the report: functions from tables and figures to HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from social_provenance.annotations import Figure, Record, Table
from social_provenance.capabilities.answers import guess
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.capabilities.split import items_for
from social_provenance.forgetting.vocabulary import UNTOUCHED
from social_provenance.lineage import PARAMETER, UNKNOWN
from social_provenance.report.render import figure_html, plotly_script, render, rows_of

TOP_TOPICS = 5

LINKS = {
    "how": "How to read",
    "inputs": "Inputs",
    "verdicts": "Verdicts",
    "labels": "Labels",
    "map": "Where influence is",
    "discoveries": "Tests",
    "contrast": "Social vs STEM",
    "agreement": "Methods compared",
    "reference": "Published map",
    "truth": "Planted topics",
    "causes": "Causal checks",
    "trust": "Robustness",
    "forget": "Unlearning",
    "lineage": "Lineage",
}
"""Anchor of a section -> text of its link in the navigation, shown where the page has the section."""

QUERIES = {
    "gold": "the gold answer",
    "rival": "the gold answer minus the likeliest wrong choice",
    "margin_per_token": "the gold answer minus all choices by their probability, per token",
}
"""Kind of query -> what it is the loss of."""
ITEMS = {
    "all": "all attribution items",
    "right": "the attribution items that the model answers right",
    "wrong": "the attribution items that the model answers wrong",
}
"""Items of a map -> their name."""


def write_inputs(
    corpus: Record,
    manifest: Record,
    attribution: Record,
    evaluations: Table | None,
    requests: Table,
    evaluation: Evaluation,
) -> str:
    """Write how to read the page, and its inputs: documents, the working set, the model's answers before unlearning.

    Args:
        corpus: ``corpus_summary``.
        manifest: ``sampling_contract``.
        attribution: ``attribution_summary``.
        evaluations: Table ``unlearning_evaluations``; None where nothing was unlearned.
        requests: Table ``benchmark_requests``.
        evaluation: The benchmarks.
    """
    answers: dict[Any, dict[Any, Any]] = {}
    if evaluations is not None:
        untouched = evaluations[evaluations["run_id"] == UNTOUCHED].drop(columns="step")
        answers = untouched.set_index("benchmark").to_dict("index")
    guessed = guess(items_for(requests, "evaluation")).set_index("benchmark").to_dict("index")
    rows = [
        {
            "benchmark": benchmark,
            **attribution["benchmarks"][benchmark.name],
            **answers.get(benchmark.name, {}),
            **guessed[benchmark.name],
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


def write_influence(
    figure: Figure, topics: Table, documents: Table, attribution: Record, evaluation: Evaluation, method: str
) -> str:
    """Write where influence is: the map and what it is of, the top topics and the top documents.

    Args:
        figure: The map of bins.
        topics: Table ``topic_influence``.
        documents: Table ``top_documents``.
        attribution: ``attribution_summary``, with the kind of query and the items of the map.
        evaluation: Order of the benchmarks.
        method: Method of the scores.
    """
    of_method = topics[topics["method"] == method]
    blocks = [
        {
            "benchmark": benchmark,
            "topics": rows_of(of_method[of_method["benchmark"] == benchmark.name].nlargest(TOP_TOPICS, "z")),
            "documents": rows_of(documents[documents["benchmark"] == benchmark.name].sort_values("rank")),
        }
        for benchmark in evaluation.benchmarks
    ]
    return render(
        "influence",
        figure=figure_html(figure, "influence"),
        blocks=blocks,
        method=method,
        query=QUERIES[attribution["query"]],
        items=ITEMS[attribution["items"]],
        damping=attribution["damping"],
    )


def write_contrasts(figure: Figure, table: Table, strength: Table, method: str) -> str:
    """Write the contrast of social minus STEM, and at which level it is stronger.

    Args:
        figure: The topic contrasts.
        table: Table ``contrasts``.
        strength: Table ``contrast_strength``.
        method: Method of the scores.
    """
    topics = table[(table["method"] == method) & (table["axis"] == "topic")].dropna(subset="difference")
    levels = [
        {
            "kind": kind,
            "social": rows_of(differences.nlargest(3, "difference")),
            "stem": rows_of(differences.nsmallest(3, "difference")),
            "apart": int(((differences["ci_low"] > 0) | (differences["ci_high"] < 0)).sum()),
            "topics": len(differences),
        }
        for kind, differences in topics.groupby("kind", sort=False)
    ]
    compared = rows_of(strength[strength["method"] == method].dropna(subset="difference"))
    return render("contrasts", figure=figure_html(figure, "contrasts"), levels=levels, strength=compared)


def write_planted(figure: Figure | None, validation: Record | None, nulls: Table | None, evaluation: Evaluation) -> str:
    """Write the comparison with the planted truth; without a truth, a note that there is none.

    Args:
        figure: Topics by method and role; None without a truth.
        validation: ``validation``; None without a truth.
        nulls: Table ``planted_nulls``; None without a truth.
        evaluation: Order of the benchmarks.
    """
    if figure is None or validation is None or nulls is None:
        return render("no_truth")
    names = [benchmark.name for benchmark in evaluation.benchmarks]
    areas = [own["decoy_auc"] for method in validation["methods"].values() for own in method.values()]
    of_method = nulls[nulls["method"] == validation["default_method"]]
    wide = of_method.pivot(index="variant", columns="benchmark", values="topic_auc")
    variants = [(variant, [float(wide.loc[variant, name]) for name in names]) for variant in wide.index]
    drawn = figure_html(figure, "planted")
    return render(
        "planted", figure=drawn, validation=validation, names=names, decoys=None not in areas, variants=variants
    )


def write_report(records: Record | None, **sections: str) -> str:
    """Join the sections and the lineage of every dataset behind them to the page.

    Args:
        records: ``lineage``: dataset -> its record; None where nothing was recorded.
        sections: Dataset -> finished section, in order; a check that has not been run leaves an empty one.
    """
    return page([*sections.values(), lineage(behind(records or {}, sections))])


def behind(records: Record, names: Iterable[str]) -> Record:
    """Return the records of datasets and of all that they were made from, each after what it was made from.

    The order does not depend on that of ``records``, in which a study happened to be run. A dataset that was made again
    since, or is the user's own, has only the digest of the version behind them.
    """
    digests: dict[str, str] = {}
    for name in names:
        if name in records:
            digests |= {**records[name].get("ancestors", {}), name: records[name]["digest"]}
    digests = {name: digest for name, digest in digests.items() if not name.startswith(PARAMETER)}
    made_from = {name: len(records.get(name, {}).get("ancestors", {})) for name in digests}
    unknown = {"node": "", "inputs": []}
    return {
        name: row
        if (row := records.get(name, {})).get("digest") == digests[name]
        else {**unknown, "digest": digests[name]}
        for name in sorted(digests, key=lambda name: (made_from[name], name))
    }


def lineage(records: Record | None) -> str:
    """Write which node made each dataset from which inputs, with unknown content and accepted code.

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
    """Join sections to one self-contained HTML document.

    Args:
        sections: Finished sections, in order.
    """
    from markupsafe import Markup

    links = [(place, text) for place, text in LINKS.items() if any(f'id="{place}"' in section for section in sections)]
    # Sections were rendered by this module's templates, which escaped what came from data.
    return render("page", sections=[Markup(section) for section in sections], links=links, script=plotly_script())
