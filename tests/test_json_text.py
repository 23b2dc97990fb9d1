"""The cause of text that is not JSON has its column, whichever parser found it."""

from __future__ import annotations

import json

import orjson
import pytest

from social_provenance.json_text import explain_fault


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
