"""Hashed n-grams of texts and URLs as sparse rows.

N-grams come from two streams of a document: its tokens (words, punctuation, line endings) and its characters. They
are hashed in batches with vectorised arithmetic modulo 2^64, so no vocabulary of n-grams is kept and no n-gram exists
as a string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


BITS = 20
"""Each group of n-grams is hashed to 2^BITS columns."""

SLICE = 64
"""Documents hashed per batch: few enough that their keys fit the CPU cache, where sorting is fast."""

STEP, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53
"""Odd multipliers: the golden ratio, and those of MurmurHash3's finaliser (Appleby 2011)."""

TOKEN = re.compile(r"\w+|[^\w\s]|\n")
LINE_END = 1
LONG_WORD = 4
"""Number of letters from which a word has the shape of a long word."""
LINE_TOKENS, OPENING_TOKENS, OPENING_CHARS = 5, 60, 150
VOCABULARY = 1 << 20
"""Tokens above which the cache of hashes is emptied."""


@dataclass(frozen=True)
class Group:
    """One kind of n-gram.

    Attributes:
        stream: Name of its stream (see :meth:`Hasher._streams`).
        sizes: Values of n.
        topic: Weight of the group in similarities for the classifier of topics; 0 excludes it.
        format: The same for the classifier of formats.
    """

    stream: str
    sizes: tuple[int, ...]
    topic: float
    format: float


GROUPS: tuple[Group, ...] = (
    Group("words", (1,), 1.0, 0.5),
    Group("words", (1, 2), 1.0, 0.5),
    Group("characters", (4, 5), 1.0, 0.0),
    Group("opening_characters", (3, 4, 5), 0.3, 0.0),
    Group("url", (3, 4, 5), 0.5, 0.6),
    Group("tokens", (1, 2, 3), 0.0, 1.2),
    Group("shapes", (2, 3, 4), 0.0, 0.3),
    Group("line_starts", (1, 2, 3), 0.0, 0.7),
    Group("opening", (1, 2), 0.0, 0.55),
)
"""Groups and weights, chosen by cross-validation on real pages; ``docs/decisions`` says on which."""


@dataclass(frozen=True)
class Grams:
    """Hashed n-grams of some documents, one element per occurrence, unordered.

    Attributes:
        rows: Index of the document, from 0 (uint64), shape (occurrences,).
        columns: Index of the group x 2^BITS + hash (int64), shape (occurrences,).
        documents: Number of documents.
    """

    rows: np.ndarray
    columns: np.ndarray
    documents: int

    def count(self, columns: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows, columns and counts of the distinct pairs, in ascending order.

        Args:
            columns: Column of each n-gram in another numbering; negative ones are dropped.
            width: Number of columns in that numbering.
        """
        known = columns >= 0
        small = self.documents * width < 1 << 32  # sorts twice as fast
        keys = self.rows[known] * np.uint64(width) + columns[known].astype(np.uint64)
        keys = keys.astype(np.uint32) if small else keys
        keys.sort()
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, np.int64)
        counts = np.diff(np.append(starts, len(keys)))
        rows, places = np.divmod(keys[starts].astype(np.int64), width)
        return rows, places, counts


class _Vocabulary(dict[str, int]):
    """Cache from tokens to numbers, with properties computed once per token.

    Attributes:
        hashes: Hash of each lower-cased token (uint64).
        shapes: Hash of each token's shape, which ignores letters (uint64).
        words: Whether each token is a word.
    """

    hashes: np.ndarray
    shapes: np.ndarray
    words: np.ndarray

    def __init__(self) -> None:
        self._grow(1 << 12)

    def limited(self) -> _Vocabulary:
        """Return this vocabulary, emptied if it exceeds its limit."""
        if len(self) > VOCABULARY:
            self.clear()
        return self

    def __missing__(self, token: str) -> int:
        import xxhash

        number = len(self)
        if number == len(self.hashes):
            self._grow(2 * number)
        # Lone surrogates occur in broken pages.
        own = xxhash.xxh3_64_intdigest(token.lower().encode("utf-8", "surrogatepass"))
        is_word = token[0] == "_" or token[0].isalnum()
        self.hashes[number] = LINE_END if token == "\n" else own
        self.shapes[number] = _shape(token) if is_word else self.hashes[number]
        self.words[number] = is_word
        self[token] = number
        return number

    def _grow(self, size: int) -> None:
        known = (self.hashes, self.shapes, self.words) if len(self) else ()
        self.hashes, self.shapes = np.zeros(size, dtype=np.uint64), np.zeros(size, dtype=np.uint64)
        self.words = np.zeros(size, dtype=bool)
        for old, new in zip(known, (self.hashes, self.shapes, self.words), strict=False):
            new[: len(old)] = old


@dataclass
class Hasher:
    """Map from documents to hashed n-grams; a document's n-grams do not depend on its batch.

    Attributes:
        max_chars: Length of the prefix of a text that is read, in characters.
    """

    max_chars: int
    _vocabulary: _Vocabulary = field(default_factory=_Vocabulary, repr=False)

    def grams(self, texts: Sequence[str], urls: Sequence[str]) -> Iterator[Grams]:
        """Yield the n-grams of documents in batches.

        Args:
            texts: Text of each document.
            urls: URL of each document; empty if it has none.
        """
        for start in range(0, len(texts), SLICE):
            yield self._hash(texts[start : start + SLICE], urls[start : start + SLICE])

    def _hash(self, texts: Sequence[str], urls: Sequence[str]) -> Grams:
        streams = self._streams([_tidy(text[: self.max_chars]) for text in texts], urls)
        sequences = {name: _Sequences(units, rows) for name, (units, rows) in streams.items()}
        rows, columns = [], []
        for place, group in enumerate(GROUPS):
            for size in group.sizes:
                hashes, own = sequences[group.stream].of(size)
                rows.append(own)
                columns.append((hashes >> np.uint64(64 - BITS)).astype(np.int64) + (place << BITS))
        return Grams(np.concatenate(rows), np.concatenate(columns), len(texts))

    def _streams(self, texts: Sequence[str], urls: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return each stream as units (uint64) with the row of each unit.

        ``tokens``: words, punctuation and line ends, lower-cased. ``words``: the words among them.
        ``shapes``: shapes of tokens, without letters. ``line_starts``: the first tokens of each line.
        ``opening``: the first tokens. ``characters``, ``opening_characters``, ``url``: code points,
        lower-cased.
        """
        tokens, shapes, is_word, row, place = self._tokens(texts)
        line_end = tokens == np.uint64(LINE_END)
        order = np.arange(len(tokens))
        # A document's first line starts where the document does.
        begins = np.maximum.accumulate(np.where(line_end | (place == 0), order, 0)) if len(order) else order
        starts, opens = order - begins < LINE_TOKENS, place < OPENING_TOKENS
        characters, of, at = _code_points([" ".join(text.split()).lower() for text in texts])
        head = at < OPENING_CHARS
        return {
            "tokens": (tokens, row),
            "words": (tokens[is_word], row[is_word]),
            "shapes": (shapes, row),
            "line_starts": (tokens[starts], row[starts]),
            "opening": (tokens[opens], row[opens]),
            "characters": (characters, of),
            "opening_characters": (characters[head], of[head]),
            "url": _code_points([url.lower() for url in urls])[:2],
        }

    def _tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, ...]:
        """Return for each token: hash, shape, whether it is a word, row, position in the row."""
        found = [TOKEN.findall(text) for text in texts]
        vocabulary = self._vocabulary.limited()
        numbers = np.array([vocabulary[token] for tokens in found for token in tokens], dtype=np.int64)
        row, place = _rows([len(tokens) for tokens in found])
        kinds = vocabulary.hashes[numbers], vocabulary.shapes[numbers], vocabulary.words[numbers]
        return *kinds, row, place


class _Sequences:
    """N-grams of a stream, each n computed from n - 1."""

    def __init__(self, units: np.ndarray, rows: np.ndarray) -> None:
        self._units, self._rows = _mix(units + np.uint64(STEP)), rows
        self._sums = [self._units]

    def of(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return hash and row of each n-gram of a size; none spans two rows."""
        while len(self._sums) < size:
            done = len(self._sums)
            self._sums.append(self._sums[-1][:-1] * np.uint64(STEP) + self._units[done:])
        sums = self._sums[size - 1]
        first = self._rows[: len(sums)]
        inside = first == self._rows[size - 1 :] if size <= len(self._rows) else np.zeros(0, dtype=bool)
        return _mix(sums[inside] + np.uint64(size)), first[inside]


def _mix(values: Any) -> Any:
    """Mix the bits of each value (the finaliser of MurmurHash3)."""
    shift = np.uint64(33)
    values = (values ^ (values >> shift)) * np.uint64(FIRST)
    values = (values ^ (values >> shift)) * np.uint64(SECOND)
    return values ^ (values >> shift)


def _code_points(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each character: code point, row, position in the row."""
    data = "".join(texts).encode("utf-32-le", "surrogatepass")
    return np.frombuffer(data, dtype="<u4").astype(np.uint64), *_rows([len(text) for text in texts])


def _rows(lengths: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each unit of rows with these lengths: row, and position in the row from 0."""
    counts = np.array(lengths, dtype=np.int64)
    rows = np.repeat(np.arange(len(counts), dtype=np.uint64), counts)
    return rows, np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _shape(word: str) -> int:
    if word[0].isdigit():
        return 2
    if len(word) > 1 and word.isupper():
        return 3
    if word[0].isupper():
        return 4
    return 5 if len(word) >= LONG_WORD else 6


def _tidy(text: str) -> str:
    """Drop blank lines; whitespace forms no token."""
    return "\n".join(filter(None, map(str.strip, text.split("\n"))))
