"""Texts: normalised once and for all, and known by what they say."""

from __future__ import annotations

import hashlib

import pytest

from social_provenance.documents.text import content_hash, normalise

NORMAL = {
    "a\r\nb\rc\nd": "a\nb\nc\nd",
    "  \n a b \t\n\n": "a b",
    "a \t\nb": "a\nb",
    "a\n\n\n\n\nb": "a\n\nb",
    "a\r\n \r\n\t\r\nb": "a\n\nb",
    "a\x00b\x07c\x7f": "abc",
    "tab\tstays": "tab\tstays",
    "one\u2028line\u2029and\x85more\u00a0here": "one\u2028line\u2029and\x85more\u00a0here",
    "  indent\n  stays": "indent\n  stays",
}


@pytest.mark.parametrize("text", NORMAL)
def test_normalised_text_is_known(text: str) -> None:
    assert normalise(text) == NORMAL[text]


@pytest.mark.parametrize("text", NORMAL)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise(NORMAL[text]) == NORMAL[text]


def test_content_hash_is_sha256_without_regard_to_case_and_spacing() -> None:
    expected = hashlib.sha256(b"the cat sat").hexdigest()
    assert content_hash("The  CAT\n\tsat") == expected
    assert content_hash("The cats at") != expected
