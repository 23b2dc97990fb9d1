"""Hashed n-grams: counted as a plain counter counts them, each document for itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.labelling import ngrams
from social_provenance.labelling.ngrams import BITS, GROUPS, Hasher

if TYPE_CHECKING:
    import pytest

TEXTS = ["The cat sat.\nThe cat ran!", "", "A  cat,\n\n a\tCAT", "\ud800 lone", "Zoë 東京 \U0001f600 cat"]
URLS = ["https://a.org/x", "", "http://b.de", "", "https://c.org"]


def counted(texts: list[str], urls: list[str], hasher: Hasher | None = None) -> list[Counter[int]]:
    hasher = hasher or Hasher(1000)
    found: list[Counter[int]] = []
    for grams in hasher.grams(texts, urls):
        own = [Counter[int]() for _ in range(grams.documents)]
        rows, columns, counts = grams.count(grams.columns, len(GROUPS) << BITS)
        for row, column, count in zip(rows.tolist(), columns.tolist(), counts.tolist(), strict=True):
            own[row][column] += count
        found += own
    return found


def sizes(document: Counter[int], stream: str) -> list[int]:
    """Return how many n-grams a document has in each group of a stream."""
    places = [place for place, group in enumerate(GROUPS) if group.stream == stream]
    return [sum(n for column, n in document.items() if column >> BITS == place) for place in places]


def test_there_are_as_many_ngrams_as_there_are_places_for_them() -> None:
    (document,) = counted(["The cat sat.\nThe cat ran!"], ["https://a.org/x"])
    assert sizes(document, "words") == [6, 6 + 5]
    assert sizes(document, "tokens") == [9 + 8 + 7]  # six words, two marks, a line end
    assert sizes(document, "characters") == [22 + 21]
    assert sizes(document, "url") == [13 + 12 + 11]


def test_equal_ngrams_share_a_column_and_different_ones_do_not() -> None:
    first, second, third = counted(["cat dog", "dog cat", "cat dog"], ["", "", ""])
    assert first == third
    words = {column for column in first if column >> BITS == 0}
    assert words == {column for column in second if column >> BITS == 0}
    assert first != second


def test_case_matters_for_shapes_alone() -> None:
    upper, lower = counted(["The Cat Sat", "the cat sat"], ["", ""])
    shapes = next(place for place, group in enumerate(GROUPS) if group.stream == "shapes")
    assert {c: n for c, n in upper.items() if c >> BITS != shapes} == {
        c: n for c, n in lower.items() if c >> BITS != shapes
    }
    assert upper != lower


def test_a_document_is_counted_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    together = counted(TEXTS, URLS)
    assert together == [counted([text], [url])[0] for text, url in zip(TEXTS, URLS, strict=True)]
    monkeypatch.setattr(ngrams, "SLICE", 2)
    assert counted(TEXTS, URLS) == together


def test_what_was_read_before_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(1000)
    first = counted(TEXTS, URLS, hasher)
    monkeypatch.setattr(ngrams, "VOCABULARY", 1)
    assert counted(TEXTS, URLS, hasher) == first == counted(TEXTS, URLS, hasher)


def test_text_behind_the_cut_does_not_count() -> None:
    short, long = counted(["abc def", "abc def ghi"], ["", ""], Hasher(7))
    assert short == long


def test_spaces_and_blank_lines_do_not_count() -> None:
    assert counted(["a b\nc"], [""]) == counted(["  a \t b \n\n \n c "], [""])


def test_a_document_without_anything_has_nothing() -> None:
    assert counted(["", ""], ["", ""]) == [Counter(), Counter()]


def test_counting_in_another_numbering_leaves_out_what_has_no_number() -> None:
    (grams,) = Hasher(100).grams(["cat cat dog"], [""])
    kept = np.where(grams.columns >> BITS == 0, grams.columns % 7, -1)
    rows, places, counts = grams.count(kept, 7)
    assert set(rows) == {0}
    assert counts.sum() == 3
    assert sorted(counts) == [1, 2]
    assert (np.diff(places) > 0).all()
