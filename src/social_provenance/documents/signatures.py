"""MinHash signatures of texts, and bands for locality-sensitive hashing.

The signature of a text has the smallest hash of its word n-grams under each permutation; the share of
positions in which two signatures agree estimates the Jaccard similarity of the n-gram sets (Broder 1997). A band is a
run of positions; texts that agree in a complete band are candidate pairs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.documents.settings import NearDuplicates

SEED = 1
_UNSPACED = re.compile(
    "(["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f40-\u0fbc"  # Tibetan
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf"  # Tai Le, New Tai Lue, Tai Tham
    "\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "])"
)
"""Characters of scripts that put no blanks between words."""

FOUND = 0.99
"""Smallest probability that two texts with exactly the threshold's similarity share a band."""


def band_rows(threshold: float, permutations: int) -> int:
    """Return the rows per band: the most for which pairs at the threshold are found with probability :data:`FOUND`.

    With ``b`` bands of ``r`` rows, a pair of similarity ``s`` shares a band with probability
    ``1 - (1 - s**r) ** b``.
    """
    fitting = [r for r in range(1, permutations + 1) if 1 - (1 - threshold**r) ** (permutations // r) >= FOUND]
    return max(fitting, default=1)


def shingles(text: str, size: int) -> list[str]:
    """Return the lower-cased word n-grams of a text; a text shorter than n words is a single one.

    In scripts that put no blanks between words, each character counts as a word.
    """
    words = text.lower().split()
    if _UNSPACED.search(text):
        words = [piece for word in words for piece in _pieces(word)]
    if len(words) <= size:
        return [" ".join(words)]
    return list(map(" ".join, zip(*(words[start:] for start in range(size)), strict=False)))


def _pieces(word: str) -> list[str]:
    """Split a word at the characters of scripts without blanks."""
    return [piece for piece in _UNSPACED.split(word) if piece]


def sign(texts: Sequence[str], settings: NearDuplicates) -> np.ndarray:
    """Return MinHash signatures: uint32, shape (texts, permutations)."""
    from rensa import RMinHash

    tokens = [shingles(text, settings.shingle_words) for text in texts]
    matrix = RMinHash.digest_matrix_from_token_sets(tokens, settings.permutations, SEED)
    return np.asarray(matrix.to_rows(), dtype=np.uint32).reshape(len(texts), settings.permutations)


def bands(signatures: np.ndarray, rows: int) -> np.ndarray:
    """Return the hash of each band: int64, shape (texts, bands)."""
    count = signatures.shape[1] // rows
    generator = np.random.default_rng(SEED)
    factors = generator.integers(1, 1 << 63, size=(count, rows), dtype=np.uint64) | np.uint64(1)
    offsets = generator.integers(0, 1 << 63, size=count, dtype=np.uint64)
    places = signatures[:, : count * rows].reshape(len(signatures), count, rows).astype(np.uint64)
    hashed: np.ndarray = ((places * factors).sum(axis=2, dtype=np.uint64) + offsets).view(np.int64)
    return hashed


def similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the estimated Jaccard similarity of each pair of rows."""
    agreement: np.ndarray = (one == other).mean(axis=1)
    return agreement
