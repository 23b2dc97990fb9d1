"""A run that makes an ancestor of its inputs from other parameters or data clashes with them, and no other run does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from kedro.pipeline import Node, Pipeline

from social_provenance.hooks.foresight import Foresight
from social_provenance.lineage import Ledger

if TYPE_CHECKING:
    from pathlib import Path


def make(*inputs: Any) -> Any:
    return inputs


MAP = Node(make, ["scores", "params:bootstrap"], "map", name="draw")
TABLE = Node(make, ["map", "params:plan"], "table", name="plan")
CURVE = Node(make, "table", "curve", name="measure")
SECTION = Node(make, "curve", "section", name="a_write")  # Kedro runs it first, by its name
PAGE = Node(make, ["map", "section"], "page", name="join")
VALUES = {"params:bootstrap": "100", "params:plan": "1"}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return the ledger of scores -> map -> table -> curve."""
    book = Ledger(tmp_path / "lineage.json", value_of=VALUES.__getitem__)
    book.complete({"map": "m1"}, "draw", "1", {"scores": "s1", "params:bootstrap": None})
    book.complete({"table": "t1"}, "plan", "1", {"map": "m1", "params:plan": None})
    book.complete({"curve": "c1"}, "measure", "1", {"table": "t1"})
    return book


def foresee(ledger: Ledger, *nodes: Node, scores: str = "s1", **values: str) -> list[Any]:
    now = VALUES | {f"params:{name}": value for name, value in values.items()}
    ledger.value_of = now.__getitem__
    versions = {"scores": scores, "table": "t1", "curve": "c1"}
    return Foresight(Pipeline(nodes).nodes, ledger, lambda name: versions.get(name, "")).clashes()


@pytest.mark.parametrize("change", [{"bootstrap": "60"}, {"scores": "s2"}], ids=str)
def test_other_parameters_or_data_clash_where_a_node_rests_on_both(ledger: Ledger, change: dict[str, str]) -> None:
    (clash,) = foresee(ledger, MAP, SECTION, PAGE, **change)
    assert (clash.name, clash.ancestor, clash.node) == ("curve", "map", "join")
    assert set(clash.stale) == {"curve", "table"}


def test_the_same_parameters_and_data_do_not(ledger: Ledger) -> None:
    assert foresee(ledger, MAP, SECTION, PAGE) == []


def test_a_parameter_that_nothing_in_the_run_reads_does_not(ledger: Ledger) -> None:
    assert foresee(ledger, MAP, SECTION, PAGE, plan="2") == []


def test_what_no_node_joins_does_not(ledger: Ledger) -> None:
    assert foresee(ledger, MAP, SECTION, bootstrap="60") == []


def test_what_the_run_makes_again_itself_does_not(ledger: Ledger) -> None:
    assert foresee(ledger, MAP, TABLE, CURVE, SECTION, PAGE, bootstrap="60") == []


def test_what_was_made_before_parameters_were_recorded_does_not(ledger: Ledger) -> None:
    ledger.records = {name: replace(record, parameters={}) for name, record in ledger.records.items()}
    assert foresee(ledger, MAP, SECTION, PAGE, bootstrap="60") == []


def test_it_is_early_where_a_node_reads_it_before_its_ancestor_is_made(ledger: Ledger) -> None:
    assert [clash.early for clash in foresee(ledger, MAP, SECTION, PAGE, bootstrap="60")] == [True]
    late = Node(make, ["curve", "map"], "page", name="join")
    assert [clash.early for clash in foresee(ledger, MAP, late, bootstrap="60")] == [False]
