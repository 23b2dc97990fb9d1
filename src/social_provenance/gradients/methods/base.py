"""What an attribution method is: a name, what it needs, and a score for each document and query block.

A method is one class in one module of this package, named as the method is; ``registry`` finds it there.
It derives from the class of its need:

- ``StoreMethod`` (``store_methods``): compares the projected gradients that the store keeps;
- ``TextMethod`` (``text_methods``): uses tokens, lengths, losses and mean hidden states, no gradient;
- ``ModelMethod`` (``model_methods``): runs the model itself, with passes over the corpus of its own.

The first two are products of document features and query directions, computed by the one loop in ``scoring``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from social_provenance.gradients.methods.settings import ScoringSettings

Needs = Literal["store", "model", "texts"]
"""What a method reads: the gradient store, the model, or tokens and what else is known without a gradient."""


class Method(ABC):
    """A way to score documents for a benchmark.

    Attributes:
        name: Name in ``scoring.methods`` and in the column ``method``; also that of its module.
        needs: What it reads.
    """

    name: ClassVar[str]
    needs: ClassVar[Needs]

    @classmethod
    def check(cls, damping: float) -> None:
        """Accept or refuse the parameters that it shares with other methods.

        Args:
            damping: ``scoring.damping``.

        Raises:
            ValueError: If the method is undefined under them.
        """
        del damping

    @classmethod
    def foresee(cls, settings: ScoringSettings, dimensions: int, documents: int) -> None:
        """Accept or refuse what is to be compared, before any gradient is taken.

        Args:
            settings: Parameters of the comparison.
            dimensions: Dimensions of a projected gradient.
            documents: Documents that are attributed to.

        Raises:
            AttributionError: If the method is undefined for them.
        """
        del settings, dimensions, documents


class ProductMethod(Method):
    """A method whose score is a product of document features and query directions.

    An instance is a method that is fitted to a corpus.
    """

    @classmethod
    def fit(cls, corpus: Any) -> Self:
        """Return the method with what it estimates from the whole corpus, by default nothing."""
        del corpus
        return cls()

    @abstractmethod
    def aim(self, queries: Any, preconditioner: Any) -> Any:
        """Return the directions of a set of queries: for each block the mean over its queries.

        Args:
            queries: One variant of a benchmark's queries.
            preconditioner: That of these queries, where the method compares gradients.
        """

    def aim_evenly(self, queries: Any, preconditioner: Any) -> Any | None:
        """Return the directions with each query scaled to norm 1, or None where the method is compared with no null.

        Nulls are compared with items on such directions: a wrong answer surprises the model, its gradient is longer,
        and a mean or a difference of unscaled scores would be that of the longest queries.

        Args:
            queries: One variant of a benchmark's queries.
            preconditioner: That of these queries, where the method compares gradients.
        """
        del queries, preconditioner
        return None

    @abstractmethod
    def describe(self, documents: Any, preconditioner: Any) -> Any:
        """Return the features of a chunk of documents, documents x dimensions."""

    @abstractmethod
    def multiply(self, features: Any, directions: Any) -> np.ndarray:
        """Return documents x blocks: the mean score over the queries of each block."""


@dataclass(frozen=True)
class Variant:
    """One set of a benchmark's queries, as the methods of one need read it.

    Attributes:
        queries: The queries.
        sizes: Number of queries of each block.
        preconditioner: Estimated from these very queries and the corpus; None without gradients. A variant with the
            preconditioner of another would be damped in other directions than its own queries share.
    """

    queries: Any
    sizes: np.ndarray
    preconditioner: Any = None


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: its own items and the nulls that they are compared with.

    Attributes:
        name: Name of the benchmark.
        variants: Name of the variant -> its queries.
    """

    name: str
    variants: Mapping[str, Variant]


class Corpus(ABC):
    """Documents and queries, as the methods of one need read them."""

    @abstractmethod
    def benchmarks(self, names: Iterable[str]) -> dict[str, Benchmark]:
        """Return the benchmarks of these names."""

    @abstractmethod
    def chunks(self) -> Iterator[tuple[pd.DataFrame, Any]]:
        """Yield ``id``, ``loss``, ``norm`` of some documents, and what methods compute features from."""

    def report(self, benchmark: Benchmark, folder: Path) -> None:
        """Write what else is known about the comparison with a benchmark into the folder of its scores."""
        del benchmark, folder
