"""Methods that compare projected gradients: one store of documents, one of each set of queries."""

from __future__ import annotations

import json
import logging
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from social_provenance.device_memory import compute_device
from social_provenance.gradients.methods.base import Benchmark, Corpus, Needs, ProductMethod, Variant
from social_provenance.gradients.methods.outliers import Winsoriser, fit_winsoriser
from social_provenance.gradients.methods.preconditioner import Preconditioner, SecondMoment, mix, second_moment
from social_provenance.gradients.methods.score_files import AUDIT, SUMMARY
from social_provenance.gradients.query_set import ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    import torch

    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.walk.store import GradientStore

    QueryStores = Mapping[str, Mapping[str, GradientStore]]

logger = logging.getLogger(__name__)

TINY = 1e-20
"""Smallest norm that a gradient is divided by, so that a zero gradient has cosine 0."""
MOSTLY = 0.5
"""Share of damped directions above which a benchmark is warned of."""


class StoreMethod(ProductMethod):
    """A method on projected gradients, which says how they are transformed before they are multiplied."""

    needs: ClassVar[Needs] = "store"

    @abstractmethod
    def transform(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        """Return the features of gradients, rows x dimensions.

        Args:
            gradients: Outliers shortened, fp32, rows x dimensions, on the device of comparisons.
            preconditioner: That of the queries that documents are compared with.
        """

    def transform_queries(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        """Return the directions of single queries; by default they are transformed as documents are."""
        return self.transform(gradients, preconditioner)

    def aim(self, queries: Gradients, preconditioner: Preconditioner) -> torch.Tensor:
        return self._mean_directions(queries, lambda rows: self.transform_queries(rows, preconditioner))

    def aim_evenly(self, queries: Gradients, preconditioner: Preconditioner) -> torch.Tensor:
        return self._mean_directions(queries, lambda rows: unit_rows(self.transform_queries(rows, preconditioner)))

    def _mean_directions(self, queries: Gradients, transform: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """Return the mean over the queries of each block, blocks x dimensions."""
        import torch

        sizes = torch.from_numpy(queries.block_sizes)
        sums = torch.zeros(len(sizes), queries.store.width)
        for rows, gradients in queries.chunks():
            blocks = torch.tensor(rows["block"].to_numpy())
            sums.index_add_(0, blocks, transform(gradients).cpu())  # a GPU would add in any order
        return (sums / sizes[:, None]).to(compute_device())

    def describe(self, documents: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        return self.transform(documents, preconditioner)

    def multiply(self, features: torch.Tensor, directions: torch.Tensor) -> np.ndarray:
        return np.asarray((features @ directions.T).cpu().numpy())


@dataclass(frozen=True)
class Gradients:
    """A store whose outliers are shortened, read in chunks.

    Attributes:
        store: Projected gradients of documents, or of one set of queries.
        settings: Bound on norms, and rows of a chunk.
    """

    store: GradientStore
    settings: ScoringSettings

    @cached_property
    def winsoriser(self) -> Winsoriser:
        """Shortens gradients by the norms of this store."""
        return fit_winsoriser(self.store, self.settings.winsorise)

    @cached_property
    def moment(self) -> SecondMoment:
        """Second moment of each module."""
        return second_moment(self.store, self.winsoriser, self.settings.chunk)

    @cached_property
    def block_sizes(self) -> np.ndarray:
        """Number of queries of each block."""
        return np.bincount(self.store.column("block"))

    def chunks(self) -> Iterator[tuple[pd.DataFrame, torch.Tensor]]:
        """Yield columns of some rows, and their gradients (fp32, rows x dimensions)."""
        for chunk in self.store.chunks(self.settings.chunk):
            yield chunk.rows, self.winsoriser.apply(chunk)


@dataclass(frozen=True)
class GradientCorpus(Corpus):
    """Documents and queries as projected gradients.

    Attributes:
        documents: Gradients of the documents.
        queries: Benchmark -> variant -> gradients of its queries.
        settings: Parameters of the comparison.
    """

    documents: Gradients
    queries: QueryStores
    settings: ScoringSettings

    @classmethod
    def of(cls, store: GradientStore, queries: QueryStores, settings: ScoringSettings) -> GradientCorpus:
        """Return the corpus of a store."""
        return cls(Gradients(store, settings), queries, settings)

    def benchmarks(self, names: Iterable[str]) -> dict[str, Benchmark]:
        benchmarks = {name: self._benchmark(name) for name in names}
        _warn_of_damping(benchmarks, self.settings.damping)
        return benchmarks

    def _benchmark(self, name: str) -> Benchmark:
        return Benchmark(name, {variant: self._variant(store) for variant, store in self.queries[name].items()})

    def _variant(self, store: GradientStore) -> Variant:
        queries = Gradients(store, self.settings)
        # Each variant has its own: that of the items is in-sample for the items alone, and a null would look weaker.
        preconditioner = mix(
            queries.moment,
            self.documents.moment,
            store.modules,
            target_component=self.settings.target_component,
            damping=self.settings.damping,
        )
        return Variant(queries, queries.block_sizes, preconditioner)

    def chunks(self) -> Iterator[tuple[pd.DataFrame, torch.Tensor]]:
        yield from self.documents.chunks()

    def report(self, benchmark: Benchmark, folder: Path) -> None:
        import pandas as pd

        audits = {variant: asked.preconditioner.audit for variant, asked in benchmark.variants.items()}
        named = [audit.assign(variant=variant) for variant, audit in audits.items()]
        pd.concat(named, ignore_index=True).assign(benchmark=benchmark.name).to_parquet(folder / AUDIT)
        items = benchmark.variants[ITEMS]
        summary = {
            "corpus": {
                "documents": self.documents.moment.rows,
                "modules": len(self.documents.store.modules),
                "numbers_a_document": self.documents.store.width,
                "outliers": self.documents.winsoriser.outliers,
            },
            "benchmark": {
                "queries": int(items.sizes.sum()),
                "blocks": len(items.sizes),
                "mixing": items.preconditioner.mixing,
                "effective_rank": float(audits[ITEMS]["effective_rank"].mean()),
                "damped_share": float(audits[ITEMS]["damped_share"].mean()),
            },
        }
        (folder / SUMMARY).write_text(json.dumps(summary))


def unit_rows(rows: torch.Tensor) -> torch.Tensor:
    """Return rows of length 1; a row of zeros stays."""
    norms: torch.Tensor = rows.norm(dim=1, keepdim=True)
    return rows / norms.clamp_min(TINY)


def _warn_of_damping(benchmarks: Mapping[str, Benchmark], damping: float) -> None:
    """Warn where the damping and not the data determines the weights of most directions."""
    shares = {
        name: float(benchmark.variants[ITEMS].preconditioner.audit["damped_share"].mean())
        for name, benchmark in benchmarks.items()
    }
    damped = {name: share for name, share in shares.items() if share > MOSTLY}
    if damped:
        logger.warning(
            "%d%% to %d%% of the eigenvalues are below scoring.damping %s (%s): the preconditioner is close to the "
            "identity",
            *(round(100 * min(damped.values())), round(100 * max(damped.values())), damping, ", ".join(damped)),
        )
