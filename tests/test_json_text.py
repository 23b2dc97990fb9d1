"""The cause of text that is not JSON has its column, whichever parser found it."""

from __future__ import annotations

import json
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_provenance.json_text import distinct, explain_fault, quotes


@pytest.mark.parametrize("word", ["NaN", "-NaN", "Infinity", "-Infinity", "None", "True"])
@pytest.mark.parametrize("before", ['{"a": ', '{"ä": [1, '])
def test_a_word_that_json_does_not_have_is_named_where_it_begins(before: str, word: str) -> None:
    with pytest.raises(orjson.JSONDecodeError) as caught:
        orjson.loads(before + word)
    assert explain_fault(before + word, caught.value) == (
        f"{word} is not JSON, column {len(before) + 1}",
        len(before) + 1,
    )


@pytest.mark.parametrize("text", ['{"a": 1', '{"a" 1}', "[1 2]"])
def test_any_other_fault_is_the_parsers(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    error = caught.value
    assert explain_fault(text, error) == (f"{error.msg}, column {error.pos + 1}", error.pos + 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.sampled_from('a"\\:{é\n')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('ab"\\:')), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_the_quotation_marks_of_a_text_are_those_of_its_value(value: object) -> None:
    for ascii_only in (True, False):
        assert json.dumps(value, ensure_ascii=ascii_only).count('"') == quotes(value)


@given(st.dictionaries(st.text(max_size=3), JSON, min_size=1, max_size=4), st.data())
def test_a_key_that_is_given_twice_adds_quotation_marks_and_is_named(
    fields: dict[str, object], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(fields)))
    text = f"{json.dumps(fields)[:-1]}, {json.dumps(key)}: 1}}"
    assert text.count('"') > quotes({**fields, key: 1})
    with pytest.raises(ValueError, match=re.escape(f"{key!r} is given twice in one object")):
        json.loads(text, object_pairs_hook=distinct)
    assert json.loads(json.dumps(fields), object_pairs_hook=distinct) == fields
