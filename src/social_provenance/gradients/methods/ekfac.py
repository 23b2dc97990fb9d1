"""EKFAC influence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.gradients.methods.bergson_ekfac import score_ekfac
from social_provenance.gradients.methods.model_methods import ModelMethod

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from datasets import Dataset

    from social_provenance.gradients.methods.model_methods import ModelCorpus


class Ekfac(ModelMethod):
    """Inner product under the Kronecker-factored inverse curvature (Grosse et al. 2023, arXiv 2308.03296).

    The score of document m for query q is
    ``grad L(m)^T (F + damping * mean eigenvalue of F * I)^(-1) grad L(q)``, F the Fisher information of
    a document's loss, a block for each linear module, fitted by Bergson.
    """

    name = "ekfac"

    @classmethod
    def check(cls, damping: float) -> None:
        # Most directions of an unprojected module have no gradient at all, so F is singular.
        if damping == 0:
            raise ValueError("damping 0 makes the inverse of ekfac unbounded: raise damping, or leave ekfac out")

    def score(
        self, corpus: ModelCorpus, documents: Dataset, queries: Mapping[str, Dataset], folder: Path
    ) -> Iterator[tuple[str, np.ndarray]]:
        yield from score_ekfac(
            documents, queries, corpus.model, corpus.gradients, damping=corpus.damping, folder=folder
        )
