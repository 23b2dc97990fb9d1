"""A study read from its data folder: what was asked for, the nearest name, and nothing that has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import pytest

import social_provenance as sp
from social_provenance.errors import LineageError
from social_provenance.fingerprint import digest_of_path
from social_provenance.lineage import Ledger

if TYPE_CHECKING:
    from pathlib import Path

TOPICS = pd.DataFrame(
    {
        "benchmark": ["quiz", "quiz", "quiz", "sums"],
        "method": ["trackstar", "trackstar", "bm25", "trackstar"],
        "topic": ["law", "food", "law", "law"],
        "z": [0.5, 1.5, 9.0, -1.0],
    }
)
CONTRASTS = pd.DataFrame(
    {
        "kind": ["reasoning", "reasoning", "knowledge"],
        "method": ["trackstar"] * 3,
        "axis": ["topic", "topic", "format"],
        "topic": ["law", "food", None],
        "difference": [-1.0, 2.0, 0.0],
    }
)
SCORES = pd.DataFrame(
    {"doc_id": ["a", "b", "c"] * 2, "benchmark": ["quiz"] * 6, "method": ["trackstar"] * 3 + ["bm25"] * 3}
).assign(score=[0.1, 0.3, 0.3, 5.0, 4.0, 3.0])
DOCUMENTS = pd.DataFrame({"doc_id": ["a", "b", "c"], "topic": ["law", "law", "food"], "format": ["faq"] * 3}).assign(
    url=None, text=["first", "second", "third"]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the data folder of a study with a few tables."""
    ledger = Ledger(tmp_path / "lineage.json", {}, lambda name: places.get(name, ""))
    tables = {
        "topic_influence": TOPICS,
        "contrasts": CONTRASTS,
        "format_influence": pd.DataFrame({"method": ["trackstar"], "format": ["faq"]}),
        "document_scores": SCORES,
        "working_set": DOCUMENTS,
    }
    places = {name: f"08_reporting/{name}.parquet" for name in tables} | {"influence_figure": "influence_figure.json"}
    (tmp_path / "08_reporting").mkdir()
    for name, table in tables.items():
        table.to_parquet(tmp_path / places[name])
    (tmp_path / places["influence_figure"]).write_text(go.Figure(go.Bar(y=[1, 2])).to_json())
    inputs: dict[str, str | None] = {"raw_documents": "0", "params:scoring": None}
    for name in ("working_set", "document_scores"):
        ledger.complete({name: digest_of_path(tmp_path / places[name])}, f"make_{name}", "now", inputs)
        inputs = {name: ledger.records[name].digest}
    for name in ("topic_influence", "contrasts", "format_influence", "influence_figure"):
        made_for = {"params:scoring.default_method": "trackstar"} if name == "influence_figure" else {}
        ledger.complete({name: digest_of_path(tmp_path / places[name])}, "map", "now", inputs | made_for)
    return tmp_path


def test_a_map_is_of_the_default_method_unless_another_is_named(folder: Path) -> None:
    study = sp.open(folder)
    assert study.method == "trackstar"
    assert study.topics("quiz")["topic"].tolist() == ["food", "law"]
    assert study.topics("quiz", method="bm25")["z"].tolist() == [9.0]
    assert study.topics()["benchmark"].tolist() == ["quiz", "quiz", "sums"]
    assert (study.benchmarks, study.methods) == (["quiz", "sums"], ["bm25", "trackstar"])


def test_contrasts_are_ordered_and_of_one_axis(folder: Path) -> None:
    study = sp.open(folder)
    assert study.contrasts("reasoning")["topic"].tolist() == ["food", "law"]
    assert study.contrasts(axis="format")["kind"].tolist() == ["knowledge"]


def test_top_documents_are_the_highest_scores_with_their_texts(folder: Path) -> None:
    study = sp.open(folder)
    assert study.top_documents("quiz")["doc_id"].tolist() == ["b", "c", "a"]  # equal scores: by id
    assert study.top_documents("quiz", method="bm25", count=1)["text"].tolist() == ["first"]
    assert study.top_documents("quiz", topic="law", opponents=True)["doc_id"].tolist() == ["a", "b"]


def test_a_figure_is_that_of_the_report(folder: Path) -> None:
    study = sp.open(folder)
    assert study.figures == ["influence"]
    assert list(study.figure("influence").data[0].y) == [1, 2]


def test_why_names_everything_that_a_row_rests_on_and_the_users_own_data(folder: Path) -> None:
    origin = sp.open(folder).why("topic_influence", benchmark="quiz", topic="food")
    assert origin.rows["z"].tolist() == [1.5]
    assert list(origin.history) == ["working_set", "document_scores"]
    assert origin.own == {"raw_documents": "0"}
    assert origin.record.node == "map"
    text = str(origin)
    assert "raw_documents (digest 0): your own data" in text
    assert f"document_scores (digest {origin.history['document_scores'].digest}): make_document_scores" in text


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda study: study.topics("quizz"), "no benchmark 'quizz'; did you mean 'quiz'"),
        (lambda study: study.topics(method="trackstr"), "no method 'trackstr'; did you mean 'trackstar'"),
        (lambda study: study.table("topic_influenc"), "no table of .* did you mean 'topic_influence'"),
        (lambda study: study.figure("influense"), "no figure of .* did you mean 'influence'"),
        (lambda study: study.top_documents("quiz", topic="foot"), "no topic 'foot'; did you mean 'food'"),
        (lambda study: study.top_documents("quiz", format="fax"), "no format 'fax'; did you mean 'faq'"),
        (lambda study: study.why("topic_influence", topik="law"), "no column 'topik'; did you mean 'topic'"),
        (lambda study: study.why("topic_influence", benchmark="sums", topic="food"), "no topic 'food'"),
        (lambda study: study.table("verdicts"), "'verdicts' is no table"),
        (lambda study: study.report, "report was not made in .*: run the pipeline"),
    ],
)
def test_a_name_that_there_is_not_is_an_error_with_the_nearest(folder: Path, ask: object, said: str) -> None:
    with pytest.raises(LineageError, match=said):
        ask(sp.open(folder))  # type: ignore[operator]


def test_a_study_without_an_answer_known_beforehand_has_no_validation(folder: Path) -> None:
    assert sp.open(folder).validation() is None


def test_a_table_that_was_changed_or_left_half_written_is_not_read(folder: Path) -> None:
    study = sp.open(folder)
    TOPICS.assign(z=0.0).to_parquet(folder / "08_reporting/topic_influence.parquet")
    with pytest.raises(LineageError, match=r"topic_influence\.parquet has changed since node map wrote it"):
        study.topics("quiz")
    (folder / "08_reporting/contrasts.parquet").unlink()
    with pytest.raises(LineageError, match=r"contrasts is not at .*: restore it, or run it again"):
        study.contrasts()
    ledger = json.loads((folder / "lineage.json").read_text())
    ledger["topic_influence"]["digest"] = None
    (folder / "lineage.json").write_text(json.dumps(ledger))
    with pytest.raises(LineageError, match="topic_influence is incomplete: node map was stopped"):
        sp.open(folder).topics()


def test_a_folder_without_a_ledger_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(LineageError, match=r"has no lineage\.json, so it is not the data folder of a study"):
        sp.open(tmp_path)


def test_no_kedro_is_needed() -> None:
    import subprocess
    import sys

    code = "import sys, social_provenance as sp, social_provenance.study; print(any('kedro' in m for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
