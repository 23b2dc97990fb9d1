"""Second moments of gradients, mixed and inverted as TrackStar says.

``R = lambda R_query + (1 - lambda) R_corpus``, an uncentred second moment for each module; a
gradient g becomes ``(R + damping * mean eigenvalue * I) ** (-1/2) g`` (Chang et al., ICLR 2025).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_provenance.errors import AttributionError
from social_provenance.gradients.bergson_run import inverse_root, mixing_coefficient

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from social_provenance.gradients.store import GradientStore


@dataclass(frozen=True)
class SecondMoment:
    """Uncentred second moments of projected gradients.

    Attributes:
        matrices: Module -> square fp32 matrix.
        rows: Gradients that they were taken over.
    """

    matrices: Mapping[str, torch.Tensor]
    rows: int

    def eigenvalues(self) -> dict[str, torch.Tensor]:
        """Module -> eigenvalues, ascending."""
        import torch

        return {name: torch.linalg.eigvalsh(matrix.double()) for name, matrix in self.matrices.items()}


@dataclass(frozen=True)
class Preconditioner:
    """The inverse root of a benchmark's mixed second moment.

    Attributes:
        roots: Columns of a module -> its inverse root.
        mixing: lambda, the weight of the queries' second moment.
    """

    roots: tuple[tuple[slice, torch.Tensor], ...]
    mixing: float

    def apply(self, gradients: torch.Tensor) -> torch.Tensor:
        """Return preconditioned gradients, rows x numbers."""
        import torch

        return torch.cat([gradients[:, columns] @ root for columns, root in self.roots], dim=1)


def second_moment(store: GradientStore, chunk: int) -> SecondMoment:
    """Stream a store once and return its second moments.

    Args:
        store: Gradients.
        chunk: Rows read at a time.
    """
    import torch

    modules = store.modules
    sums: dict[str, torch.Tensor] = {}
    rows = 0
    for piece in store.chunks(chunk):
        gradients = torch.from_numpy(piece.gradients)
        rows += len(gradients)
        for name, columns in modules.items():
            block = gradients[:, columns]
            product = block.T @ block
            sums[name] = sums[name] + product if name in sums else product
    return SecondMoment({name: total / rows for name, total in sums.items()}, rows)


def mix(
    query: SecondMoment, corpus: SecondMoment, modules: Mapping[str, slice], *, target_component: int, damping: float
) -> Preconditioner:
    """Return the preconditioner of one benchmark.

    Args:
        query: Second moments of the benchmark's queries.
        corpus: Second moments of the corpus.
        modules: Module -> its columns.
        target_component: Where the spectra are made to cross.
        damping: In units of the mean eigenvalue of each mixed matrix.

    Raises:
        AttributionError: If a mixed matrix is singular and nothing damps it; names the module.
    """
    weight = mixing_coefficient(query.eigenvalues(), corpus.eigenvalues(), target_component)
    roots = []
    for name, columns in modules.items():
        root = inverse_root(weight * query.matrices[name] + (1 - weight) * corpus.matrices[name], damping)
        if not root.isfinite().all():
            raise AttributionError(
                f"the second moment of module {name!r} cannot be inverted: raise scoring.damping, which is {damping}; "
                f"if that does not help, no document has a gradient there"
            )
        roots.append((columns, root))
    return Preconditioner(tuple(roots), weight)
