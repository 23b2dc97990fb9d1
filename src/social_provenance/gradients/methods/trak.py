"""TRAK at one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from social_provenance.device_memory import compute_device
from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.store_methods import StoreMethod

if TYPE_CHECKING:
    import torch

    from social_provenance.gradients.methods.outliers import Winsoriser
    from social_provenance.gradients.methods.preconditioner import Preconditioner
    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.methods.store_methods import GradientCorpus
    from social_provenance.gradients.walk.store import GradientStore


@dataclass(frozen=True)
class Trak(StoreMethod):
    """Inner product under one kernel over all modules (after Park et al., ICML 2023).

    The score of document m for query q is ``g(m)^T K^(-1) g(q)`` with
    ``K = G^T G / n + damping * mean eigenvalue * I``, G the gradients of the n documents. One
    checkpoint stands for Park et al.'s ensemble, and their weights 1 - p are left out.

    Attributes:
        inverse: Inverse kernel, dimensions x dimensions, on the device of comparisons.
    """

    inverse: torch.Tensor

    name = "trak"

    @classmethod
    def foresee(cls, settings: ScoringSettings, dimensions: int, documents: int) -> None:
        refuse_kernel(dimensions, documents, damping=settings.damping, max_joint=settings.max_joint)

    @classmethod
    def fit(cls, corpus: GradientCorpus) -> Self:
        settings = corpus.settings
        inverse = invert_kernel(
            corpus.documents.store,
            corpus.documents.winsoriser,
            damping=settings.damping,
            max_joint=settings.max_joint,
            chunk=settings.chunk,
        )
        return cls(inverse)

    def transform(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        del preconditioner
        return gradients

    def transform_queries(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        # The inverse goes to the queries alone: documents are many.
        del preconditioner
        return gradients @ self.inverse


def refuse_kernel(width: int, documents: int, *, damping: float, max_joint: int) -> None:
    """Refuse a kernel that is too large, or singular because there are fewer documents than dimensions.

    Args:
        width: Dimensions of a projected gradient.
        documents: Documents of the corpus.
        damping: Share of the mean eigenvalue that is added to all.
        max_joint: Upper bound on the dimensions.

    Raises:
        AttributionError: With both numbers and the parameters to change.
    """
    if width > max_joint:
        raise AttributionError(
            f"method trak needs a joint kernel of {width} x {width} dimensions, scoring.max_joint allows {max_joint}: "
            f"leave trak out of scoring.methods, lower gradients.projection_dim, or raise scoring.max_joint"
        )
    # K is then singular, but rounding errors often make it look invertible.
    if documents < width and not damping:
        raise _singular(damping, width)


def invert_kernel(
    store: GradientStore, winsoriser: Winsoriser, *, damping: float, max_joint: int, chunk: int
) -> torch.Tensor:
    """Return ``(G^T G / n + damping * mean eigenvalue * I) ** -1`` over a store, in one read.

    Args:
        store: Gradients of the documents.
        winsoriser: Shortens outliers.
        damping: Share of the mean eigenvalue that is added to all.
        max_joint: Upper bound on the dimensions of a projected gradient.
        chunk: Documents read at a time.

    Raises:
        AttributionError: If a gradient has more than ``max_joint`` dimensions, or the kernel is singular.
    """
    import torch

    width = store.width
    refuse_kernel(width, len(store.column("id")), damping=damping, max_joint=max_joint)
    total, rows = torch.zeros(width, width, device=compute_device()), 0
    for piece in store.chunks(chunk):
        gradients = winsoriser.apply(piece)
        total += gradients.T @ gradients
        rows += len(gradients)
    kernel = total / rows
    kernel.diagonal().add_(damping * kernel.diagonal().mean())
    factor, failed = torch.linalg.cholesky_ex(kernel)
    if failed:
        raise _singular(damping, width)
    return torch.cholesky_inverse(factor)


def _singular(damping: float, width: int) -> AttributionError:
    return AttributionError(
        f"the joint kernel of trak cannot be inverted: raise scoring.damping, which is {damping}, or attribute to "
        f"more documents than its {width} dimensions"
    )
