"""Lineage: what was not finished, has changed, or comes from two histories is refused by name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from social_provenance.errors import LineageError
from social_provenance.lineage import UNKNOWN, Ledger

if TYPE_CHECKING:
    from pathlib import Path

RUN = "2026-01-01T00.00.00"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return the ledger of a chain corpus -> documents -> scores, and corpus -> model."""
    book = Ledger.open(tmp_path / "data" / "lineage.json")
    book.complete({"corpus": "c1"}, "write_corpus", RUN, {"params:seed": None})
    book.complete({"documents": "d1"}, "clean", RUN, {"corpus": "c1", "params:documents": None})
    book.complete({"model": "m1"}, "train", RUN, {"documents": "d1"})
    book.complete({"scores": "s1"}, "score", RUN, {"documents": "d1", "model": "m1"})
    return book


def test_a_dataset_knows_everything_it_was_made_from(ledger: Ledger) -> None:
    assert ledger.records["scores"].ancestors == {"corpus": "c1", "documents": "d1", "model": "m1"}
    assert ledger.records["corpus"].ancestors == {}
    assert ledger.records["documents"].inputs == ("corpus", "params:documents")


def test_what_was_recorded_is_read_back(ledger: Ledger) -> None:
    assert Ledger.open(ledger.path) == ledger


def test_a_ledger_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Ledger.open(tmp_path / "none.json").records == {}


def test_a_whole_dataset_and_one_without_record_pass(ledger: Ledger) -> None:
    ledger.check_whole("documents", "d1")
    ledger.check_whole("my_own", "anything")
    assert ledger.fits("documents", "d1", {})


def test_a_dataset_that_was_begun_and_not_finished_is_refused(ledger: Ledger) -> None:
    ledger.begin(["documents", "rejected"], "clean", "later")
    for name in ("documents", "rejected"):
        with pytest.raises(LineageError, match=f"{name} is incomplete: node clean was stopped while writing it; rerun"):
            Ledger.open(ledger.path).check_whole(name, "d1")
    ledger.complete({"documents": "d2"}, "clean", "later", {"corpus": "c1"})
    ledger.check_whole("documents", "d2")


def test_a_dataset_that_changed_behind_the_back_is_refused_with_both_digests(ledger: Ledger) -> None:
    with pytest.raises(LineageError) as caught:
        ledger.check_whole("documents", "x9")
    message = "documents has changed since node clean wrote it (d1 then, x9 now): rerun node clean, or"
    assert str(caught.value).startswith(message)
    assert f"remove 'documents' from {ledger.path}" in str(caught.value)


def test_what_is_not_whole_names_the_pipelines_that_make_it(ledger: Ledger) -> None:
    ledger.again = lambda names: "corpus" if list(names) == ["documents"] else ""
    with pytest.raises(LineageError, match=r"\(d1 then, x9 now\): rerun --pipelines corpus, or, if you made"):
        ledger.check_whole("documents", "x9")
    ledger.begin(["documents"], "clean", "later")
    with pytest.raises(LineageError, match=r"writing it; rerun --pipelines corpus$"):
        ledger.check_whole("documents", "d1")


def test_a_record_has_the_parameters_of_its_whole_history(tmp_path: Path) -> None:
    values = {"params:size": "1", "params:seed": "7"}
    ledger = Ledger(tmp_path / "lineage.json", value_of=lambda name: values[name])
    ledger.complete({"documents": "d1"}, "clean", RUN, {"corpus": "c1", "params:size": None})
    ledger.complete({"model": "m1"}, "train", RUN, {"documents": "d1", "params:seed": None})
    assert ledger.records["model"].parameters == {"params:size": "1", "params:seed": "7"}
    values["params:size"] = "2"
    ledger.complete({"scores": "s1"}, "score", RUN, {"model": "m1", "params:size": None})
    assert ledger.records["scores"].parameters == {"params:size": "", "params:seed": "7"}  # read with two values
    ledger.complete({"map": "p1"}, "draw", RUN, {"scores": "s1", "documents": "d1"})
    assert ledger.records["map"].parameters["params:size"] == ""
    assert Ledger.open(ledger.path).records == ledger.records


def test_inputs_of_one_history_pass(ledger: Ledger) -> None:
    inputs = {"scores": "s1", "documents": "d1", "model": "m1", "my_own": "x"}
    ledger.refuse_mixture("plot", inputs)
    assert ledger.conflict(inputs) is None


def test_inputs_made_from_two_versions_of_an_ancestor_are_refused(ledger: Ledger) -> None:
    ledger.complete({"corpus": "c2"}, "write_corpus", "later", {})
    ledger.complete({"documents": "d2"}, "clean", "later", {"corpus": "c2"})
    message = (
        f"plot would mix runs: documents (by clean in run later) and scores (by score in run {RUN}) were made from "
        f"different versions of corpus; rerun"
    )
    with pytest.raises(LineageError, match=re.escape(message)):
        ledger.refuse_mixture("plot", {"scores": "s1", "documents": "d2"})


def test_what_rests_on_a_version_that_was_replaced_is_outdated(ledger: Ledger) -> None:
    assert ledger.outdated({"scores": "s1", "my_own": "x"}) == []
    ledger.complete({"documents": "d2"}, "clean", "later", {"corpus": "c1"})
    assert ledger.outdated({"scores": "s1", "documents": "d2", "my_own": "x"}) == ["model", "scores"]
    ledger.complete({"model": "m2"}, "train", "later", {"documents": "d2"})
    assert ledger.outdated({"scores": "s1"}) == ["scores"]
    assert ledger.outdated({"model": "m2"}) == []


def test_of_the_users_own_data_the_latest_version_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lineage.json")
    ledger.complete({"old": "o1"}, "one", "2026-01-02", {"mine": "1"})
    ledger.complete({"new": "n1"}, "other", "2026-01-03", {"mine": "2"})
    ledger.complete({"oldest": "p1"}, "third", "2026-01-01", {"mine": "1"})
    assert ledger.outdated({"new": "n1", "old": "o1", "oldest": "p1"}) == ["old", "oldest"]


def test_what_a_run_made_of_data_is_outdated_where_data_of_the_user_takes_their_place(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lineage.json")
    ledger.complete({"items": "i1"}, "write", RUN, {})
    ledger.complete({"model": "m1"}, "train", RUN, {"items": "i1"})
    assert ledger.outdated({"model": "m1", "items": "i1"}) == []
    ledger.place_of = lambda name: "/elsewhere" if name == "items" else ""
    assert ledger.outdated({"model": "m1", "items": "other"}) == ["model"]


def test_a_null_that_was_scored_with_other_settings_is_no_null_of_these_scores(tmp_path: Path) -> None:
    values = {"params:scoring": "damped", "params:seed": "0"}
    ledger = Ledger(tmp_path / "lineage.json", value_of=lambda name: values.get(name, ""))
    ledger.complete({"null": "n1"}, "score", RUN, {"corpus": "c1", "params:scoring": None, "params:seed": None})
    ledger.complete({"scores": "s1"}, "score", RUN, {"corpus": "c1", "params:scoring": None})
    assert ledger.fits("null", "n1", {"scores": "s1"})
    values.update({"params:scoring": "less", "params:seed": "1"})
    ledger.complete({"scores": "s2"}, "score", "later", {"corpus": "c1", "params:scoring": None})
    assert not ledger.fits("null", "n1", {"scores": "s2"})
    ledger.complete({"null": "n2"}, "score", "later", {"corpus": "c1", "params:scoring": None})
    assert ledger.fits("null", "n2", {"scores": "s2"})
    ledger.complete({"draws": "d1"}, "draw", "later", {"corpus": "c1", "params:seed": None})
    values["params:seed"] = "2"
    ledger.complete({"map": "m1"}, "draw", "later", {"corpus": "c1", "params:seed": None})
    assert ledger.fits("draws", "d1", {"map": "m1"})  # a seed of draws changes no score


def test_what_was_made_for_another_choice_is_refused_with_both_values(tmp_path: Path) -> None:
    ledger, choice = Ledger(tmp_path / "lineage.json"), "params:scoring.default_method"
    ledger.complete({"map": "m1"}, "draw", RUN, {"scores": "s1", choice: "influence", "params:bootstrap": None})
    ledger.complete({"table": "t1"}, "plan", "later", {"map": "m1"})
    assert ledger.records["table"].ancestors == {"scores": "s1", choice: "influence", "map": "m1"}
    ledger.refuse_mixture("plot", {"table": "t1", choice: "influence"})
    assert ledger.fits("table", "t1", {choice: "influence"})
    assert not ledger.fits("table", "t1", {choice: "trackstar"})
    ledger.again = ",".join
    for inputs in ({"table": "t1", choice: "trackstar"}, {choice: "trackstar", "table": "t1"}):
        with pytest.raises(LineageError) as caught:
            ledger.refuse_mixture("plot", inputs)
        assert str(caught.value) == (
            "plot would mix runs: table (by plan in run later) was made for scoring.default_method influence and this "
            "run has trackstar; give --params scoring.default_method=influence, or rerun --pipelines map,table"
        )


def test_an_input_is_an_ancestor_of_itself(ledger: Ledger) -> None:
    ledger.complete({"model": "m2"}, "train", "later", {"documents": "d1"})
    assert ledger.conflict({"scores": "s1", "model": "m2"}) == ("model", "scores", "model")


def test_the_order_of_inputs_does_not_matter_to_the_verdict(ledger: Ledger) -> None:
    ledger.complete({"documents": "d2"}, "clean", "later", {"corpus": "c1"})
    inputs = {"documents": "d2", "model": "m1", "scores": "s1"}
    for order in (list(inputs), list(reversed(inputs))):
        found = ledger.conflict({name: inputs[name] for name in order})
        assert found is not None
        assert found[2] == "documents"


def test_a_dataset_fits_others_of_its_history_alone(ledger: Ledger) -> None:
    assert ledger.fits("scores", "s1", {"documents": "d1"})
    assert not ledger.fits("scores", "changed", {"documents": "d1"})
    ledger.complete({"documents": "d2"}, "clean", "later", {"corpus": "c1"})
    assert not ledger.fits("scores", "s1", {"documents": "d2"})


def test_an_unfinished_dataset_fits_nothing(ledger: Ledger) -> None:
    ledger.begin(["scores"], "score", "later")
    assert not ledger.fits("scores", "s1", {})


def test_a_write_that_is_cut_off_leaves_the_ledger_of_before(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(path: Path, text: str) -> None:
        path.write_bytes(text.encode()[:20])
        raise OSError("disk full")

    before = Ledger.open(ledger.path)
    monkeypatch.setattr(type(ledger.path), "write_text", cut_off)
    with pytest.raises(OSError, match="disk full"):
        ledger.begin(["scores"], "score", "later")
    assert Ledger.open(ledger.path) == before


DAMAGES = [b"", b"{", b"\x00\xff", b"[1]", b"3", b'{"a": 1}', b'{"a": {}}', b'{"a": {"inputs": 1}}']
WRONG_TYPES = [{"digest": 3}, {"ancestors": ["b"]}, {"inputs": None}, {"node": None}, {"place": 5}, {"unheard": 1}]


@pytest.mark.parametrize("content", DAMAGES)
def test_a_file_that_is_no_ledger_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lineage.json"
    path.write_bytes(content)
    with pytest.raises(LineageError) as caught:
        Ledger.open(path)
    assert str(caught.value).startswith(f"{path} is not a readable ledger (")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", WRONG_TYPES, ids=str)
def test_a_record_with_a_field_of_another_type_is_refused(ledger: Ledger, wrong: dict[str, object]) -> None:
    rows = json.loads(ledger.path.read_text())
    ledger.path.write_text(json.dumps({**rows, "scores": rows["scores"] | wrong}))
    with pytest.raises(LineageError, match="is not a readable ledger"):
        Ledger.open(ledger.path)


def test_a_folder_in_the_place_of_the_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LineageError, match="is not a readable ledger"):
        Ledger.open(tmp_path)


def test_a_mixture_names_the_places_of_both(ledger: Ledger, tmp_path: Path) -> None:
    places = {"scores": "07/scores.parquet", "model": f"{tmp_path}/model"}
    ledger.place_of = lambda name: places.get(name, "")
    ledger.complete({"scores": "s1"}, "score", RUN, {"model": "m1"})
    with pytest.raises(LineageError) as caught:
        ledger.refuse_mixture("plot", {"scores": "s1", "model": "m2"})
    assert f"model ({tmp_path}/model, yours) and scores (07/scores.parquet, by score in run {RUN})" in str(caught.value)


def test_a_ledger_of_an_older_version_opens(ledger: Ledger) -> None:
    rows = json.loads(ledger.path.read_text())
    fields = {"digest", "node", "run", "inputs", "ancestors", "place"}
    rows = {name: {key: value for key, value in row.items() if key in fields} for name, row in rows.items()}
    ledger.path.write_text(json.dumps(rows))
    assert Ledger.open(ledger.path).records["scores"].parameters == {}
    assert Ledger.open(ledger.path).records["scores"].accepted == {}


def test_unknown_content_is_known_to_be_so_by_all_that_rests_on_it(ledger: Ledger) -> None:
    ledger.complete({"table": UNKNOWN}, "store", RUN, {"documents": "d1"})
    ledger.complete({"map": "m"}, "draw", RUN, {"table": UNKNOWN, "model": "m1"})
    ledger.complete({"page": "p"}, "write", RUN, {"map": "m"})
    found = {name: record.unknown for name, record in Ledger.open(ledger.path).records.items()}
    assert {name for name, unknown in found.items() if unknown} == {"map", "page"}
    assert found["map"] == found["page"] == ("table",)


def test_unknown_content_is_no_mixture_by_itself_and_its_ancestors_may_be(ledger: Ledger) -> None:
    ledger.complete({"table": UNKNOWN}, "store", RUN, {"documents": "d1"})
    ledger.refuse_mixture("draw", {"table": UNKNOWN, "scores": "s1"})
    ledger.complete({"table": UNKNOWN}, "store", "later", {"documents": "d2"})
    with pytest.raises(LineageError, match="different versions of documents"):
        ledger.refuse_mixture("draw", {"table": UNKNOWN, "scores": "s1"})


def test_accepted_code_is_that_of_a_dataset_and_of_everything_behind_it(ledger: Ledger) -> None:
    codes = {"c1": "c2", "c3": "c2"}
    ledger.complete({"store": "g1", "log": "l1"}, "collect", RUN, {"model": "m1"}, {"store": codes, "model": {}})
    ledger.complete({"map": "m"}, "draw", RUN, {"store": "g1", "log": "l1"})
    ledger.complete({"page": "p"}, "write", RUN, {"map": "m"}, {"map": {"c5": "c6"}})
    found = {name: record.accepted for name, record in Ledger.open(ledger.path).records.items() if record.accepted}
    assert found == {"store": {"store": codes}, "map": {"store": codes}, "page": {"store": codes, "map": {"c5": "c6"}}}
    ledger.complete({"store": "g2"}, "collect", "later", {"model": "m1"})
    ledger.complete({"map": "m"}, "draw", "later", {"store": "g2"})
    assert Ledger.open(ledger.path).records["map"].accepted == {}
