"""Second moments of gradients, mixed and inverted as in TrackStar.

``R = lambda R_query + (1 - lambda) R_corpus``, an uncentred second moment for each module; a
gradient g becomes ``(R + damping * mean eigenvalue * I) ** (-1/2) g`` (Chang et al., ICLR 2025).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_provenance.device_memory import compute_device
from social_provenance.errors import AttributionError
from social_provenance.gradients.walk.bergson_run import inverse_root, mixing_coefficient
from social_provenance.gradients.walk.store import GradientStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import torch

    from social_provenance.gradients.methods.outliers import Winsoriser


PRECISION = 2.0**-23
"""Machine precision of fp32. An eigenvalue below this share of the largest one is a rounding error."""


@dataclass(frozen=True)
class SecondMoment:
    """Uncentred second moments of projected gradients.

    Attributes:
        matrices: Module -> square fp32 matrix.
        rows: Number of gradients.
    """

    matrices: Mapping[str, torch.Tensor]
    rows: int

    def eigenvalues(self) -> dict[str, torch.Tensor]:
        """Module -> eigenvalues, ascending."""
        import torch

        return {name: torch.linalg.eigvalsh(matrix.double()) for name, matrix in self.matrices.items()}


@dataclass(frozen=True)
class Preconditioner:
    """The inverse root of the mixed second moment of a set of queries and the corpus.

    Attributes:
        roots: Columns of a module -> its inverse root, on the device of comparisons.
        mixing: lambda, the weight of the queries' second moment.
        audit: One row per module: ``module``, ``numbers``, ``effective_rank``, ``condition``,
            ``damped_share``.
    """

    roots: tuple[tuple[slice, torch.Tensor], ...]
    mixing: float
    audit: pd.DataFrame

    def apply(self, gradients: torch.Tensor) -> torch.Tensor:
        """Return preconditioned gradients, rows x dimensions."""
        import torch

        return torch.cat([gradients[:, columns] @ root for columns, root in self.roots], dim=1)


def second_moment(store: GradientStore, winsoriser: Winsoriser, chunk: int) -> SecondMoment:
    """Return the second moments of a store, outliers shortened.

    The stored sums of a shard are used; only a shard with outliers is read and summed again, because
    subtracting their excess would leave its rounding error, which for a long outlier exceeds the sum of
    all other gradients.

    Args:
        store: Projected gradients.
        winsoriser: Shortens outliers.
        chunk: Rows read at a time.
    """
    sums: dict[str, torch.Tensor] = {}
    for name, folder in store.shards.items():
        shard = GradientStore({name: folder})
        untouched = bool((winsoriser.factors(shard.column("norm")) == 1).all())
        for module, total in (shard.sums() if untouched else _sums(shard, winsoriser, chunk)).items():
            sums[module] = sums[module] + total.double() if module in sums else total.double()
    rows = len(store.column("norm"))
    return SecondMoment({name: (total / rows).float() for name, total in sums.items()}, rows)


def _sums(shard: GradientStore, winsoriser: Winsoriser, chunk: int) -> dict[str, torch.Tensor]:
    import torch

    modules, device = shard.modules, compute_device()
    sides = {name: at.stop - at.start for name, at in modules.items()}
    sums = {name: torch.zeros(side, side, dtype=torch.float64, device=device) for name, side in sides.items()}
    for piece in shard.chunks(chunk):
        gradients = winsoriser.apply(piece)
        for name, columns in modules.items():
            block = gradients[:, columns]
            sums[name] += block.T @ block
    return {name: total.cpu() for name, total in sums.items()}


def mix(
    query: SecondMoment, corpus: SecondMoment, modules: Mapping[str, slice], *, target_component: int, damping: float
) -> Preconditioner:
    """Return the preconditioner of one set of queries.

    Args:
        query: Second moments of the queries.
        corpus: Second moments of the corpus.
        modules: Module -> its columns.
        target_component: Component at which the spectra cross.
        damping: In units of the mean eigenvalue of each mixed matrix.

    Raises:
        AttributionError: Naming the module whose mixed matrix is singular.
    """
    import pandas as pd

    weight = mixing_coefficient(query.eigenvalues(), corpus.eigenvalues(), target_component)
    roots, audit, device = [], [], compute_device()  # spectra of small matrices are a matter of the CPU
    for name, columns in modules.items():
        mixed = weight * query.matrices[name] + (1 - weight) * corpus.matrices[name]
        root, described = inverse_root(mixed, damping), describe(mixed, damping)
        if not root.isfinite().all() or described["condition"] * PRECISION > 1:
            raise AttributionError(
                f"the second moment of module {name!r} cannot be inverted: raise scoring.damping, which is {damping}; "
                f"if that does not help, no document has a gradient there"
            )
        roots.append((columns, root.to(device)))
        audit.append({"module": name, **described})
    return Preconditioner(tuple(roots), weight, pd.DataFrame(audit))


def describe(moment: torch.Tensor, damping: float) -> dict[str, float]:
    """Describe the spectrum of a second moment under damping.

    Returns:
        ``numbers``, its number of dimensions; ``effective_rank``, exp of the entropy of its normalised eigenvalues
        (Roy & Vetterli 2007), from 1 to its side; ``condition``, the largest damped eigenvalue by
        the smallest; ``damped_share``, the share of eigenvalues below the damping, which then determines
        the weight of their directions, not the data.
    """
    import torch

    values = torch.linalg.eigvalsh(moment.double()).clamp_min(0)
    extra = damping * values.mean()
    shares = values[values > 0] / values.sum()
    return {
        "numbers": len(values),
        "effective_rank": float(torch.exp(-(shares * shares.log()).sum())),
        "condition": float((values[-1] + extra) / (values[0] + extra)),
        "damped_share": float((values < extra).double().mean()),
    }
