"""MinHash signatures of texts and the bands that bring alike ones together.

The signature of a text keeps the smallest hashes of its word n-grams; the share of places in which
two signatures agree estimates the Jaccard similarity of the n-gram sets (Broder 1997). A band is a
run of places; texts that agree in a whole band are candidates (locality-sensitive hashing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.documents.settings import NearDuplicates

SEED = 1
FOUND = 0.99
"""Chance at least that two texts of just the threshold's similarity share a band."""


def band_rows(threshold: float, permutations: int) -> int:
    """Return the places of a band: as many as leave pairs at the threshold the chance :data:`FOUND`.

    With ``b`` bands of ``r`` places a pair of similarity ``s`` shares one with chance
    ``1 - (1 - s**r) ** b``.
    """
    fitting = [r for r in range(1, permutations + 1) if 1 - (1 - threshold**r) ** (permutations // r) >= FOUND]
    return max(fitting, default=1)


def shingles(text: str, size: int) -> list[str]:
    """Return the word n-grams of a text, without regard to case; a shorter text is one."""
    words = text.lower().split()
    if len(words) <= size:
        return [" ".join(words)]
    return list(map(" ".join, zip(*(words[start:] for start in range(size)), strict=False)))


def sign(texts: Sequence[str], settings: NearDuplicates) -> np.ndarray:
    """Return signatures, texts x permutations, unsigned 32-bit."""
    from rensa import RMinHash

    tokens = [shingles(text, settings.shingle_words) for text in texts]
    matrix = RMinHash.digest_matrix_from_token_sets(tokens, settings.permutations, SEED)
    return np.asarray(matrix.to_rows(), dtype=np.uint32).reshape(len(texts), settings.permutations)


def bands(signatures: np.ndarray, rows: int) -> np.ndarray:
    """Return a hash of each band, texts x bands, signed 64-bit; the same places give the same hash."""
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
