"""Score every document for every benchmark in one read of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.errors import AttributionError
from social_provenance.gradients.preconditioner import Preconditioner, mix, second_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import torch

    from social_provenance.gradients.settings import ScoringSettings
    from social_provenance.gradients.store import Chunk, GradientStore

TINY = 1e-20


@dataclass(frozen=True)
class Target:
    """A benchmark, ready to be compared with documents.

    Attributes:
        preconditioner: Of this benchmark.
        directions: Method -> mean over the queries of what a document is multiplied with.
    """

    preconditioner: Preconditioner
    directions: Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Scores:
    """What scoring gives.

    Attributes:
        table: ``doc_id``, ``benchmark``, ``method``, ``score``, ``loss`` (nats), ``grad_norm``.
        summary: For each benchmark its queries and its mixing coefficient, for the report.
    """

    table: pd.DataFrame
    summary: dict[str, Any]


def score_documents(corpus: GradientStore, queries: Mapping[str, GradientStore], settings: ScoringSettings) -> Scores:
    """Score documents for benchmarks; a positive score lowers the benchmark's loss (proponent).

    With G the preconditioned gradient, the score of document m for a benchmark is the mean over
    its queries q of ``G(m) . G(q) / (|G(m)| |G(q)|)`` (``trackstar``) or ``G(m) . G(q)``, the
    damped inverse-second-moment inner product (``influence``).

    Raises:
        AttributionError: If a store is empty or its modules are not those of the corpus.
    """
    import pandas as pd

    modules = corpus.modules
    moment = second_moment(corpus, settings.chunk)
    targets, summary = {}, {}
    for benchmark, store in queries.items():
        if store.modules != modules:
            raise AttributionError(
                f"queries of {benchmark} and the corpus have gradients of different modules: "
                f"they come from different models or projections, run the attribution pipeline from its start"
            )
        own = second_moment(store, settings.chunk)
        preconditioner = mix(own, moment, modules, target_component=settings.target_component, damping=settings.damping)
        targets[benchmark] = Target(preconditioner, _directions(store, preconditioner, settings))
        summary[benchmark] = {"queries": own.rows, "mixing": preconditioner.mixing}
    frames = [frame for chunk in corpus.chunks(settings.chunk) for frame in _score_chunk(chunk, targets)]
    numbers = max(columns.stop for columns in modules.values())
    overview = {"documents": moment.rows, "modules": len(modules), "numbers_a_document": numbers}
    return Scores(pd.concat(frames, ignore_index=True), overview | {"benchmarks": summary})


def _directions(
    store: GradientStore, preconditioner: Preconditioner, settings: ScoringSettings
) -> dict[str, torch.Tensor]:
    import torch

    sums: dict[str, torch.Tensor] = {}
    rows = 0
    for chunk in store.chunks(settings.chunk):
        gradients = preconditioner.apply(torch.from_numpy(chunk.gradients))
        rows += len(gradients)
        for method in settings.methods:
            total = (_unit(gradients) if method == "trackstar" else gradients).sum(dim=0)
            sums[method] = sums[method] + total if method in sums else total
    return {method: total / rows for method, total in sums.items()}


def _score_chunk(chunk: Chunk, targets: Mapping[str, Target]) -> list[pd.DataFrame]:
    import pandas as pd
    import torch

    raw = torch.from_numpy(chunk.gradients)
    norms = raw.norm(dim=1).numpy()
    frames = []
    for benchmark, target in targets.items():
        gradients = target.preconditioner.apply(raw)
        for method, direction in target.directions.items():
            compared = _unit(gradients) if method == "trackstar" else gradients
            columns = {
                "doc_id": chunk.ids,
                "benchmark": benchmark,
                "method": method,
                "score": (compared @ direction).double().numpy(),
                "loss": chunk.losses,
                "grad_norm": norms,
            }
            frames.append(pd.DataFrame(columns))
    return frames


def _unit(rows: torch.Tensor) -> torch.Tensor:
    norms: torch.Tensor = rows.norm(dim=1, keepdim=True)
    return rows / norms.clamp_min(TINY)
