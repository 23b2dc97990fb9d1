"""What the sections say of the tables, with and without a truth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import plotly.graph_objects as go
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.capabilities.split import Answered
from social_provenance.gradients.queries.choices import QueryKind
from social_provenance.report import sections

EVIL = "<img src=x onerror=alert(1)>"
ASKED = {"query": "gold", "items": "all", "damping": 0.125}


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation(benchmarks=[Benchmark(name="quiz", domain="social", level="reasoning", task="t.yaml")])


@pytest.fixture
def topics() -> pd.DataFrame:
    names = ["games", "health", "politics", "religion", "software", "industrial"]
    rows = [
        {
            "method": method,
            "benchmark": "quiz",
            "topic": topic,
            "z": place * sign,
            "ci_low": place - 0.5,
            "ci_high": place + 0.5,
            "median": place * sign - 0.05,
            "leave_one_bin_out_min": place - 0.1,
            "leave_one_bin_out_max": place + 0.1,
            "top_ten_share": 0.125 + place / 100,
            "q": 0.1 + place / 1000,
            "null_z": 3.75 - place,
            "answer_q": 0.01 + place / 1000,
        }
        for method, sign in (("trackstar", 1.0), ("influence", -1.0))
        for place, topic in enumerate(names)
    ]
    return pd.DataFrame(rows)


def documents(excerpt: str) -> pd.DataFrame:
    row = {"benchmark": "quiz", "rank": 1, "doc_id": EVIL, "topic": "games", "format": "faq", "excerpt": excerpt}
    return pd.DataFrame([row])


def test_document_text_is_escaped(topics: pd.DataFrame, evaluation: Evaluation) -> None:
    page = sections.write_influence(go.Figure(), topics, documents(EVIL), ASKED, evaluation, "trackstar")
    assert EVIL not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 2


def test_the_five_top_topics_of_the_method_stand_in_order(topics: pd.DataFrame, evaluation: Evaluation) -> None:
    page = sections.write_influence(go.Figure(), topics, documents("text"), ASKED, evaluation, "trackstar")
    places = [page.index(f"<td>{name}</td>") for name in ("Industrial", "Software", "Religion", "Politics", "Health")]
    assert places == sorted(places)
    assert "<td>Games</td>" not in page
    for value in ("+4.95", "[+4.90, +5.10]", "17.5%", "0.105", "−1.25"):
        assert value in page


def test_the_map_says_what_it_is_of_for_every_kind_of_query_and_items(
    topics: pd.DataFrame, evaluation: Evaluation
) -> None:
    pages = {
        (query, items): sections.write_influence(
            go.Figure(), topics, documents("text"), {**ASKED, "query": query, "items": items}, evaluation, "trackstar"
        )
        for query in get_args(QueryKind)
        for items in get_args(Answered)
    }
    said = {key: re.search(r"Queries are.*?(?= Hover)", " ".join(page.split())) for key, page in pages.items()}
    sentences = [match.group() for match in said.values() if match]
    assert len(set(sentences)) == len(pages) == 9
    assert all("damping 0.125" in text for text in sentences)
    assert "Queries are the loss of the gold answer, for all attribution items;" in " ".join(sentences)


def test_inputs_list_reasons_and_the_untouched_model_only(evaluation: Evaluation) -> None:
    page = sections.write_inputs(
        {"records": 1300, "documents": 1290, "rejected": {"too_short": 7, "duplicate_text": 3}},
        {"documents": 1000, "per_bin": 2, "seed": 42, "full_bins": 400, "short_bins": {"a/b": 1}, "empty_bins": 175},
        {
            "documents": 900,
            "modules": 7,
            "numbers_a_document": 1792,
            "outliers": 3,
            "benchmarks": {"quiz": {"queries": 10, "mixing": 0.875, "effective_rank": 17.4, "damped_share": 0.98}},
        },
        pd.DataFrame(
            {
                "run_id": ["untouched", "other"],
                "step": [0, 4],
                "benchmark": "quiz",
                "normalisation": "token",
                "accuracy": [0.5, 0.25],
                "gold_logprob": [-1.5, -9.75],
            }
        ),
        pd.DataFrame(
            {"benchmark": "quiz", "item": ["a", "a", "b", "b", "b", "b", "c"], "use": [*["both"] * 6, "attribution"]}
        ),
        evaluation,
    )
    for piece in (
        '<td class="n">50.0%</td><td class="n">2</td><td class="n">37.5%</td>',
        "1,300 records",
        "1,290 kept as documents",
        "7 too_short",
        "3 duplicate_text",
        "175\nare empty",
        "50.0%",
        "−1.50 nats per token",
        "3 gradients exceed ten median norms.",
        "0.875",
        ">17<",
        "98.0%",
    ):
        assert piece.replace("\n", " ") in " ".join(page.split()), piece
    assert "−9.75" not in page


def test_contrasts_count_intervals_without_zero() -> None:
    table = pd.DataFrame(
        {
            "kind": "reasoning",
            "method": "trackstar",
            "axis": "topic",
            "topic": ["games", "health", "politics"],
            "difference": [1.0, 0.1, -2.0],
            "ci_low": [0.5, -0.2, -3.0],
            "ci_high": [1.5, 0.4, -1.0],
        }
    )
    row = {"reasoning": 0.5, "knowledge": 0.25, "difference": 0.25, "ci_low": -0.125, "ci_high": 0.5, "p": 0.0312}
    strength = pd.DataFrame([{"method": "trackstar", **row}, {"method": "influence", **row, "reasoning": 9.75}])
    page = " ".join(sections.write_contrasts(go.Figure(), table, strength, "trackstar").split())
    assert "reasoning: 2 of 3 topics have an interval that excludes zero" in page
    assert "0.50 at the reasoning level and 0.25 at the knowledge level" in page
    assert "+0.25 [−0.12, +0.50], p = 0.0312" in page
    assert "9.75" not in page


def test_without_both_levels_nothing_is_said_of_strength() -> None:
    row = {"kind": "reasoning", "axis": "topic", "topic": "games", "difference": 1.0, "ci_low": 0.5, "ci_high": 1.5}
    table = pd.DataFrame([{"method": "trackstar", **row}])
    page = sections.write_contrasts(go.Figure(), table, pd.DataFrame(columns=["method", "difference"]), "trackstar")
    assert "1 of 1 topics" in page
    assert "permutation test" not in page


def test_no_contrast_is_said() -> None:
    columns = ["kind", "method", "axis", "topic", "difference", "ci_low", "ci_high"]
    page = sections.write_contrasts(go.Figure(), pd.DataFrame(columns=columns), pd.DataFrame(columns=columns), "x")
    assert "nothing to contrast" in page


def test_without_a_truth_the_section_says_so(evaluation: Evaluation) -> None:
    page = sections.write_planted(None, None, None, evaluation)
    assert "no ground truth to compare with" in page
    assert 'id="truth"' in page


NULLS = pd.DataFrame(
    [("items", "influence", 1.0), ("random_weights", "influence", 0.75), ("items", "trackstar", 0.125)],
    columns=["variant", "method", "topic_auc"],
).assign(benchmark="quiz", decoy_auc=0.5)


def validation_record(decoy_auc: float | None) -> dict[str, Any]:
    return {
        "seed": 7,
        "default_method": "influence",
        "methods": {
            method: {"quiz": {"topic_auc": area, "decoy_auc": decoy_auc, "document_auc": 0.625}}
            for method, area in (("trackstar", 0.5), ("influence", 1.0))
        },
        "accuracy": {"quiz": 0.9},
    }


def test_with_a_truth_every_method_and_benchmark_has_a_row(evaluation: Evaluation) -> None:
    page = sections.write_planted(go.Figure(), validation_record(0.25), NULLS, evaluation)
    assert "seed 7" in page
    assert '<tr><td>trackstar</td><td class="n">0.50 / 0.25 (0.62)</td>' in page
    assert '<tr class="yes"><td>influence</td><td class="n">1.00 / 0.25 (0.62)</td>' in page
    assert '<td class="n">90.0%</td>' in page
    assert '<tr><td>random_weights</td><td class="n">0.75</td>' in page
    assert "0.12" not in page  # of another method than the default


def test_a_world_without_decoys_says_so(evaluation: Evaluation) -> None:
    page = sections.write_planted(go.Figure(), validation_record(None), NULLS, evaluation)
    assert "This world has no decoys" in page
    assert '<tr><td>trackstar</td><td class="n">0.50 (0.62)</td>' in page


def test_page_keeps_sections_as_they_are_and_in_order() -> None:
    page = sections.page(["<h2>one</h2>", "<h2>two</h2>"])
    assert page.index("<h2>one</h2>") < page.index("<h2>two</h2>")
    assert page.startswith("<!doctype html>")


def test_the_page_leads_to_the_sections_that_it_has() -> None:
    page = sections.page(['<h2 id="forget">Forgetting</h2>', '<h2 id="causes">Causes</h2>'])
    assert re.findall(r'<a href="#(.*?)">', page) == ["causes", "forget"]


def test_every_section_of_the_templates_has_its_link() -> None:
    folder = Path(sections.__file__).parent / "templates"
    found = {place for path in folder.glob("*.j2") for place in re.findall(r'<h2 id="(.*?)"', path.read_text())}
    assert found == set(sections.LINKS)


def test_lineage_leaves_out_what_is_being_written() -> None:
    records = {
        "scores": {"digest": "abc", "node": "compare", "inputs": ["corpus"]},
        "report": {"digest": None, "node": "write_report", "inputs": []},
    }
    page = sections.lineage(records)
    assert "1 datasets" in page
    assert "write_report" not in page
    assert "0 datasets" in sections.lineage(None)


def test_the_lineage_of_a_page_is_what_is_behind_it_and_nothing_else() -> None:
    made = {"node": "n", "inputs": ["x"]}
    records = {
        "scores": {**made, "digest": "s1", "ancestors": {"corpus": "c1"}},
        "stale": {**made, "digest": "t1", "ancestors": {"scores": "s0"}},
        "table": {**made, "digest": "a2", "ancestors": {"scores": "s1", "corpus": "c1"}},
        "map": {
            **made,
            "digest": "m1",
            "ancestors": {"scores": "s1", "corpus": "c1", "table": "a1", "params:scoring.default_method": "influence"},
        },
        "report": {**made, "digest": "r1", "ancestors": {"map": "m1"}},
    }
    found = sections.behind(records, ["map"])
    assert {name: row["digest"] for name, row in found.items()} == {
        "scores": "s1",
        "table": "a1",
        "map": "m1",
        "corpus": "c1",
    }
    assert list(found) == ["corpus", "scores", "table", "map"]
    turned = sections.behind(
        dict(reversed(records.items())), ["map"]
    )  # as a study whose pipelines ran in another order
    assert list(turned.items()) == list(found.items())
    assert found["map"] == records["map"]
    assert found["table"]["inputs"] == found["corpus"]["inputs"] == []  # replaced since, and the user's own
    assert "4 datasets" in sections.write_report(records, map="<h2>a map</h2>")
    assert "stale" not in sections.lineage(found)
    assert "0 datasets" in sections.write_report(None, map="")


def words(page: str) -> str:
    return " ".join(re.sub(r"<.*?>", "", page).split())


def test_lineage_names_unknown_content_and_what_rests_on_it() -> None:
    record = {"node": "n", "inputs": [], "ancestors": {}}
    known = {"scores": {**record, "digest": "abc"}, "map": {**record, "digest": "def", "ancestors": {"scores": "abc"}}}
    assert "unknown" not in sections.lineage(known)
    ancestors = {"table": "unknown", "scores": "abc"}
    page = words(sections.lineage({**known, "map": {**record, "digest": "def", "ancestors": ancestors}}))
    assert "The content of table is unknown" in page
    assert "depends on unknown content: table" in page
    written = words(sections.lineage({**known, "table": {**record, "digest": "unknown"}}))
    assert "The content of table is unknown" in written
    assert "depends on unknown" not in written


def test_lineage_says_what_code_was_accepted_and_is_silent_where_none_was() -> None:
    record = {"digest": "abc", "node": "n", "inputs": ["gradients"], "ancestors": {"gradients": "d"}}
    accepted = {"gradients": {"c0ffee": "decade"}}
    page = words(sections.lineage({"map": {**record, "accepted": accepted}}))
    assert page.count("gradients was made by code c0ffee, accepted as decade.") == 2  # above the table, and in its row
    assert "accepted" not in sections.lineage({"map": record})
