"""Values: what has a plain meaning is read, what is empty is missing, and anything else is named."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from social_provenance.documents.values import (
    Unreadable,
    finder,
    read_chance,
    read_confidence,
    read_label,
    read_single,
    read_text,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
KEYS = st.text(st.sampled_from("abc"), min_size=1, max_size=2)


@given(VALUES)
def test_any_value_is_read_or_named(value: Any) -> None:
    for read, kind in ((read_text, str), (read_single, str), (read_label, str), (read_confidence, float)):
        try:
            found = read(value)
        except Unreadable:
            continue
        assert found is None or (type(found) is kind and found != "")
        assert kind is str or found is None or 0 <= found <= 1


@given(VALUES)
@example({"": 0, "0": 0})
def test_a_value_is_missing_only_if_it_is_empty(value: Any) -> None:
    def empty(one: Any) -> bool:
        if isinstance(one, dict):
            return all(chance is None for label, chance in one.items() if label)
        if isinstance(one, list):
            return not one or (len(one) == 1 and empty(one[0]))
        # A text of JSON stands for what it says.
        return one in (None, "", b"") or (isinstance(one, str) and one.lstrip()[:1] in ("{", "["))

    for read in (read_single, read_label, read_confidence):
        try:
            found = read(value)
        except Unreadable:
            continue
        assert found is not None or empty(value)


@given(st.lists(KEYS, min_size=2, max_size=4), st.data())
def test_a_place_leads_to_its_value_however_the_row_is_nested(steps: list[str], data: Any) -> None:
    row: Any = "found"
    for step in reversed(steps[1:]):
        inner = {step: row}
        row = data.draw(st.sampled_from([inner, [inner], json.dumps(inner)]))
    row = {steps[0]: row}
    assert finder(".".join(steps))(row) == "found"
    assert finder(".".join(steps))({".".join(steps): "found"}) == "found"


@given(VALUES, st.lists(KEYS, min_size=1, max_size=3))
def test_a_place_leads_somewhere_or_nowhere_in_any_row(value: Any, steps: list[str]) -> None:
    for row in ({steps[0]: value}, {"a": {"b": value}}, {}):
        with contextlib.suppress(Unreadable):
            finder(".".join(steps))(row)


@pytest.mark.parametrize(("value", "chance"), [("Games", None), ({"Games": 0.5}, 0.5), ('{"Games": 0.5}', 0.5)])
def test_a_probability_is_that_of_probabilities_alone(value: Any, chance: float | None) -> None:
    assert read_chance(value) == chance


@pytest.mark.parametrize("text", ["0_1", "1_0e-1", "\u0661", "\uff10.5", "0x1", "0,5", "50%", "1/2"])
def test_a_number_as_text_is_written_in_one_way(text: str) -> None:
    with pytest.raises(Unreadable):
        read_confidence(text)


@pytest.mark.parametrize("text", ["0.5", " 0.5 ", ".5", "5e-1", "+0.50", "5.E-1"])
def test_a_plain_number_as_text_is_a_number(text: str) -> None:
    assert read_confidence(text) == 0.5


def test_a_mapping_that_was_encoded_twice_is_read_and_one_of_several_is_a_problem() -> None:
    find = finder("metadata.url")
    inner = {"url": "http://a.org"}
    for metadata in (json.dumps(inner), json.dumps(json.dumps(inner)), json.dumps([json.dumps(inner)])):
        assert find({"metadata": metadata}) == "http://a.org"
    assert find({"metadata": "no mapping"}) is None
    with pytest.raises(Unreadable):
        find({"metadata": [inner, {"url": "http://b.org"}]})
