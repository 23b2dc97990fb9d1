"""Score every document for every benchmark in one read of the store."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.artifacts import Parts
from social_provenance.errors import AttributionError
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.methods.outliers import Winsoriser, measure
from social_provenance.gradients.methods.preconditioner import (
    JointKernel,
    Preconditioner,
    SecondMoment,
    joint_kernel,
    mix,
    second_moment,
)
from social_provenance.gradients.methods.score_files import AUDIT, SUMMARY, ScoreWriter
from social_provenance.gradients.queries.build import ITEMS
from social_provenance.gradients.settings import GRADIENT_METHODS
from social_provenance.gradients.walk.store import refuse_others

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import torch

    from social_provenance.gradients.settings import ScoringSettings
    from social_provenance.gradients.walk.store import Chunk, GradientStore

    QuerySets = Mapping[str, Mapping[str, GradientStore]]

logger = logging.getLogger(__name__)

TINY = 1e-20
MOSTLY = 0.5


@dataclass(frozen=True)
class Corpus:
    """The corpus's side of the comparison, the same for every benchmark.

    Attributes:
        store: Its gradients.
        winsoriser: What shortens outliers.
        moment: Its second moments.
        kernel: Its joint kernel, where a method asks for one.
    """

    store: GradientStore
    winsoriser: Winsoriser
    moment: SecondMoment
    kernel: JointKernel | None


@dataclass(frozen=True)
class Target:
    """A benchmark, ready to be compared with documents.

    Attributes:
        preconditioner: From the benchmark's own items; the other variants of the queries share it.
        directions: (variant, method) -> blocks x numbers: mean over a block's queries of what a
            document is multiplied with.
        sizes: Variant -> queries of each block.
    """

    preconditioner: Preconditioner
    directions: Mapping[tuple[str, str], torch.Tensor]
    sizes: Mapping[str, np.ndarray]


def plan_scores(corpus: GradientStore, queries: QuerySets, settings: ScoringSettings) -> Parts:
    """Describe the scores of documents for benchmarks; a positive score lowers the benchmark's loss.

    With g a gradient, G = R^(-1/2) g the preconditioned one and K the joint kernel, the score of
    document m for a benchmark is the mean over its queries q of ``G(m) . G(q) / (|G(m)| |G(q)|)``
    (``trackstar``), ``G(m) . G(q)`` (``influence``, the damped inverse-second-moment inner product),
    ``g(m) . g(q) / (|g(m)| |g(q)|)`` (``gradient_cosine``) or ``g(m) K^(-1) g(q)`` (``trak``).

    Args:
        corpus: Gradients of the documents.
        queries: Benchmark -> variant -> gradients of its queries.
        settings: Methods and how they compare.

    Returns:
        One part for each benchmark; those that are missing are computed in one read of the store.

    Raises:
        AttributionError: If a store is empty, or queries and corpus do not belong together.
    """
    for benchmark, variants in queries.items():
        if ITEMS not in variants:
            raise AttributionError(
                f"the queries of benchmark {benchmark!r} lack the variant {ITEMS!r}, their own items "
                f"(there are {sorted(variants)}): run the attribution pipeline from build_queries"
            )
        for variant, store in variants.items():
            refuse_others("the corpus", corpus.identity, f"the {variant} of {benchmark}", store.identity)
    compared = settings.model_dump(exclude={"default_method", "chunk"})  # these change no score
    shared = digest_of(corpus.digest, compared)
    inputs = {
        benchmark: digest_of(shared, {variant: store.digest for variant, store in variants.items()})
        for benchmark, variants in queries.items()
    }
    return Parts(inputs, partial(_write, corpus, queries, settings))


def _write(
    store: GradientStore, queries: QuerySets, settings: ScoringSettings, waiting: Mapping[str, Path]
) -> Iterator[str]:
    corpus = _corpus(store, settings)
    targets = {benchmark: _aim(queries[benchmark], corpus, settings) for benchmark in waiting}
    _warn_of_damping(targets, settings.damping)
    with ExitStack() as stack:
        writers = {name: stack.enter_context(ScoreWriter(folder, name)) for name, folder in waiting.items()}
        for piece in store.chunks(settings.chunk):
            for benchmark, target in targets.items():
                _score(piece, corpus, target, writers[benchmark])
    for benchmark, folder in waiting.items():
        target = targets[benchmark]
        target.preconditioner.audit.assign(benchmark=benchmark).to_parquet(folder / AUDIT)
        (folder / SUMMARY).write_text(json.dumps(_summary(corpus, target)))
        yield benchmark


def _corpus(store: GradientStore, settings: ScoringSettings) -> Corpus:
    winsoriser = measure(store, settings.winsorise)
    kernel = None
    if "trak" in settings.methods:
        kernel = joint_kernel(
            store, winsoriser, damping=settings.damping, max_joint=settings.max_joint, chunk=settings.chunk
        )
    return Corpus(store, winsoriser, second_moment(store, winsoriser, settings.chunk), kernel)


def _aim(variants: Mapping[str, GradientStore], corpus: Corpus, settings: ScoringSettings) -> Target:
    items = variants[ITEMS]
    own = second_moment(items, measure(items, settings.winsorise), settings.chunk)
    preconditioner = mix(
        own, corpus.moment, items.modules, target_component=settings.target_component, damping=settings.damping
    )
    methods = [method for method in GRADIENT_METHODS if method in settings.methods]
    directions: dict[tuple[str, str], torch.Tensor] = {}
    sizes = {}
    for variant, store in variants.items():
        sizes[variant] = _block_sizes(store)
        for method in methods:
            directions[variant, method] = _directions(store, method, preconditioner, corpus.kernel, settings)
    return Target(preconditioner, directions, sizes)


def _block_sizes(store: GradientStore) -> np.ndarray:
    return np.bincount(store.column("block"))


def _directions(
    store: GradientStore,
    method: str,
    preconditioner: Preconditioner,
    kernel: JointKernel | None,
    settings: ScoringSettings,
) -> torch.Tensor:
    import torch

    sizes = torch.from_numpy(_block_sizes(store))
    winsoriser = measure(store, settings.winsorise)
    sums = torch.zeros(len(sizes), store.width)
    for piece in store.chunks(settings.chunk):
        raw = winsoriser.apply(piece)
        sent = kernel.apply(raw) if kernel and method == "trak" else _view(method, raw, preconditioner)
        sums.index_add_(0, torch.tensor(piece.rows["block"].to_numpy()), sent)
    return sums / sizes[:, None]


def _view(method: str, raw: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
    """Return gradients as a method compares them."""
    if method in ("trackstar", "influence"):
        raw = preconditioner.apply(raw)
    return _unit(raw) if method in ("trackstar", "gradient_cosine") else raw


def _score(piece: Chunk, corpus: Corpus, target: Target, writer: ScoreWriter) -> None:
    raw = corpus.winsoriser.apply(piece)
    views = {method: _view(method, raw, target.preconditioner) for method in {m for _, m in target.directions}}
    for (variant, method), direction in target.directions.items():
        blocks = (views[method] @ direction.T).numpy()
        writer.write(piece.rows, method, variant, blocks, target.sizes[variant])


def _summary(corpus: Corpus, target: Target) -> dict[str, Any]:
    audit = target.preconditioner.audit
    return {
        "corpus": {
            "documents": corpus.moment.rows,
            "modules": len(corpus.store.modules),
            "numbers_a_document": corpus.store.width,
            "outliers": corpus.winsoriser.outliers,
        },
        "benchmark": {
            "queries": int(target.sizes[ITEMS].sum()),
            "blocks": len(target.sizes[ITEMS]),
            "mixing": target.preconditioner.mixing,
            "effective_rank": float(audit["effective_rank"].mean()),
            "damped_share": float(audit["damped_share"].mean()),
        },
    }


def _warn_of_damping(targets: Mapping[str, Target], damping: float) -> None:
    """Say where the damping and not the data decides how directions weigh."""
    shares = {name: float(target.preconditioner.audit["damped_share"].mean()) for name, target in targets.items()}
    decided = {name: share for name, share in shares.items() if share > MOSTLY}
    if decided:
        logger.warning(
            "scoring.damping %s decides the weight of %d%% to %d%% of the directions (%s): there the preconditioner "
            "does little",
            *(damping, round(100 * min(decided.values())), round(100 * max(decided.values())), ", ".join(decided)),
        )


def _unit(rows: torch.Tensor) -> torch.Tensor:
    norms: torch.Tensor = rows.norm(dim=1, keepdim=True)
    return rows / norms.clamp_min(TINY)
