"""Selection and weights of n-gram features, fitted on documents and then fixed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.labelling.ngrams import BITS, GROUPS, Grams, Hasher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from social_provenance.labelling.settings import Light


MOST = 1 << 16
"""Count above which occurrences of an n-gram in a document no longer add weight."""


@dataclass(frozen=True)
class Features:
    """Hashed n-grams as columns, weighted by log-frequency and inverse document frequency.

    The columns of each group have unit norm per document, so that long documents do not weigh more.

    Attributes:
        columns: Hashed columns that are kept (see :class:`Grams`), the most frequent first, so that those most
            documents need are adjacent in memory.
        idf: Inverse document frequency of each column.
        hasher: Source of the n-grams.
    """

    columns: np.ndarray
    idf: np.ndarray
    hasher: Hasher

    @cached_property
    def groups(self) -> np.ndarray:
        """Return the group of each column: its index in ``GROUPS``."""
        return self.columns >> BITS

    def rows(self, texts: Sequence[str], urls: Sequence[str]) -> csr_array:
        """Return the features of documents: sparse float32, shape (documents, columns).

        Args:
            texts: Text of each document.
            urls: URL of each document; empty if it has none.
        """
        from scipy.sparse import vstack

        parts = [self._weigh(*self._count(grams), grams.documents) for grams in self.hasher.grams(texts, urls)]
        return vstack(parts, format="csr") if len(parts) != 1 else parts[0]

    def keep(self, rows: np.ndarray, columns: np.ndarray, counts: np.ndarray, documents: int) -> csr_array:
        """Select the kept columns of counted n-grams, as weighted rows."""
        places = self._places[columns]
        known = np.flatnonzero(places >= 0)
        order = known[np.lexsort((places[known], rows[known]))]
        return self._weigh(rows[order].astype(np.int64), places[order], counts[order], documents)

    def _count(self, grams: Grams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return grams.count(self._places[grams.columns], len(self.columns))

    def _weigh(self, rows: np.ndarray, places: np.ndarray, counts: np.ndarray, documents: int) -> csr_array:
        from scipy.sparse import csr_array

        values = _logarithms()[np.minimum(counts, MOST)] * self.idf[places]
        block = rows * len(GROUPS) + self.groups[places]
        lengths = np.sqrt(np.bincount(block, values.astype(np.float64) ** 2, documents * len(GROUPS)))
        values = (values / lengths[block]).astype(np.float32)
        ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=documents))])
        shape = (documents, len(self.columns))
        return csr_array((values, places.astype(np.int32), ends.astype(np.int32)), shape=shape)

    @cached_property
    def _places(self) -> np.ndarray:
        """Return the index of each hashed column among the kept ones; -1 if it is not kept."""
        places = np.full(len(GROUPS) << BITS, -1, dtype=np.int32)
        places[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        return places


def fit_features(texts: Sequence[str], urls: Sequence[str], settings: Light) -> tuple[Features, csr_array]:
    """Fit columns and weights on documents, and return them with the documents' features.

    Args:
        texts: Text of each document.
        urls: URL of each document; empty if it has none.
        settings: Prefix of a document that is read, and number of columns.
    """
    from scipy.sparse import vstack

    hasher = Hasher(settings.max_chars)
    found = []
    seen = np.zeros(len(GROUPS) << BITS, dtype=np.int32)
    for grams in hasher.grams(texts, urls):
        rows, columns, counts = grams.count(grams.columns, len(seen))
        np.add.at(seen, columns, 1)
        found.append((rows.astype(np.int32), columns.astype(np.int32), counts.astype(np.int32), grams.documents))
    chosen = np.concatenate([_chosen(seen, place, settings) for place in range(len(GROUPS))])
    columns = chosen[np.argsort(-seen[chosen], kind="stable")]
    idf = (np.log((1 + len(texts)) / (1 + seen[columns])) + 1).astype(np.float32)
    features = Features(columns.astype(np.int32), idf, hasher)
    return features, vstack([features.keep(*entries) for entries in found], format="csr")


def _chosen(seen: np.ndarray, place: int, settings: Light) -> np.ndarray:
    """Select the most frequent columns of a group that occur in enough documents."""
    own = seen[place << BITS : (place + 1) << BITS]
    fit = np.flatnonzero(own >= settings.min_documents)
    order = np.argsort(-own[fit], kind="stable")[: settings.max_columns]
    chosen: np.ndarray = np.sort(fit[order]) + (place << BITS)
    return chosen


@cache
def _logarithms() -> np.ndarray:
    """Return the weight of each count up to MOST: 1 + its logarithm."""
    weights: np.ndarray = (1 + np.log(np.maximum(np.arange(MOST + 1), 1))).astype(np.float32)
    return weights
