"""Random multipliers of a bootstrap: a function of name, replicate and seed.

A cluster has the same multiplier in every bin, for every benchmark and method, and in any order of the
documents. Hence differences are paired by document, a permutation of the input permutes the result, and
nothing has to be kept between chunks.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


LEVELS = 2**16
"""Number of values of a multiplier: 16 bits each, so that one hash of 64 bits gives four."""
GAMMA = 0x9E3779B97F4A7C15
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""Constants of splitmix64 (Steele, Lea and Flood 2014)."""


def hash_names(names: Sequence[str]) -> np.ndarray:
    """Return a 64-bit hash of each name, the same on every machine, as uint64."""
    from pandas.util import hash_array

    return hash_array(np.asarray(names, dtype=object), categorize=False)


def derive_hashes(hashes: np.ndarray, seed: int, count: int) -> np.ndarray:
    """Return ``count`` further hashes of each hash: the finaliser of splitmix64 at seeded offsets.

    Args:
        hashes: Hashes of names, uint64, shape (names,).
        seed: Any whole number; another seed gives other hashes.
        count: Number of further hashes of each name.

    Returns:
        Hashes, uint64, shape (names, count).
    """
    offsets = _finalise(np.array([seed % 2**64], dtype=np.uint64))
    keys = _finalise(offsets + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA))
    return _finalise(hashes[:, None] + keys[None, :])


def multipliers(hashes: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """Return the multiplier of the deviation of each cluster in each replicate.

    Multipliers are independent with mean 0, variance 1 and third moment 1, so that sums of multiplied
    deviations have the variance and the skewness of the sample: Gamma(4, 1/2) - 2, as proposed by Liu (1988,
    Annals of Statistics 16, 1696-1708).

    Args:
        hashes: Hashes of the clusters, uint64, shape (clusters,).
        replicates: Number of replicates.
        seed: Seed of the multipliers.

    Returns:
        Multipliers, float32, shape (clusters, replicates).
    """
    words = derive_hashes(hashes, seed, -(-replicates // 4)).astype("<u8", copy=False)
    return np.take(_quantiles(), words.view("<u2"))[:, :replicates]


@lru_cache(maxsize=1)
def _quantiles() -> np.ndarray:
    """Return equally likely values of the multiplier; mean 0 and variance 1 hold exactly over them."""
    from scipy.special import gammaincinv

    values = gammaincinv(4, (np.arange(LEVELS) + 0.5) / LEVELS) / 2
    table: np.ndarray = ((values - values.mean()) / values.std()).astype(np.float32)
    table.setflags(write=False)
    return table


def _finalise(words: np.ndarray) -> np.ndarray:
    for shift, factor in ((30, FIRST), (27, SECOND)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(31)
    return words
