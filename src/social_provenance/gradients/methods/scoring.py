"""Score every document for every benchmark, by all methods in one read of the store."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Parts
from social_provenance.errors import AttributionError
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.methods.registry import choose
from social_provenance.gradients.methods.score_files import ScoreWriter
from social_provenance.gradients.methods.settings import WITHOUT_EFFECT
from social_provenance.gradients.methods.store_methods import GradientCorpus
from social_provenance.gradients.query_set import ITEMS
from social_provenance.gradients.walk.store import refuse_others
from social_provenance.training.loop import cpu_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from social_provenance.gradients.methods.base import Benchmark, Corpus, ProductMethod
    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.methods.store_methods import QueryStores
    from social_provenance.gradients.methods.text_methods import TextCorpus
    from social_provenance.gradients.walk.store import GradientStore


def plan_scores(store: GradientStore, queries: QueryStores, settings: ScoringSettings) -> Parts:
    """Describe the scores of documents by the methods that compare gradients.

    A positive score means that a gradient step on the document lowers the benchmark's loss. A
    document's score for a benchmark is its mean over the benchmark's queries.

    Args:
        store: Gradients of the documents.
        queries: Benchmark -> variant -> gradients of its queries.
        settings: Methods and their parameters.

    Returns:
        One part for each benchmark; those that are missing are computed in one read of the store. Without such a
        method they hold no score, but the audit of the preconditioners.

    Raises:
        AttributionError: If a store is empty, or queries and corpus do not belong together.
    """
    for benchmark, variants in queries.items():
        if ITEMS not in variants:
            raise AttributionError(
                f"the queries of benchmark {benchmark!r} lack the variant {ITEMS!r}, their own items "
                f"(there are {sorted(variants)}): run the attribution pipeline from build_queries"
            )
        for variant, asked in variants.items():
            refuse_others("the corpus", store.identity, f"the {variant} of {benchmark}", asked.identity)
    identity = {
        benchmark: [
            store.digest,
            settings.model_dump(exclude=set(WITHOUT_EFFECT)),
            {variant: asked.digest for variant, asked in variants.items()},
        ]
        for benchmark, variants in queries.items()
    }
    return _plan(GradientCorpus.of(store, queries, settings), choose(settings.methods, "store"), identity)


def plan_text_scores(corpus: TextCorpus, settings: ScoringSettings) -> Parts:
    """Describe the scores of documents by the methods without a gradient, a part for each benchmark.

    There are no parts where no such method is among ``settings.methods``.
    """
    kinds = choose(settings.methods, "texts")
    if not kinds:
        return Parts({}, lambda _: iter(()))
    identity = {
        benchmark: [corpus.store.digest, corpus.vocab_size, variants[ITEMS].digest]
        for benchmark, variants in corpus.gradients.items()
    }
    return _plan(corpus, kinds, identity)


def _plan(corpus: Corpus, kinds: Sequence[type[ProductMethod]], identity: Mapping[str, Any]) -> Parts:
    names = sorted(kind.name for kind in kinds)
    return Parts(
        {benchmark: digest_of(names, inputs) for benchmark, inputs in identity.items()},
        partial(_write, corpus, kinds),
        # The loop is given the corpus and the methods: their classes say that no other method is part of the code.
        computed_by=dict.fromkeys(identity, (_write, type(corpus), *kinds)),
    )


def _write(corpus: Corpus, kinds: Sequence[type[ProductMethod]], waiting: Mapping[str, Path]) -> Iterator[str]:
    with cpu_threads(1):  # others add in another order: last digits would depend on the machine
        _score(corpus, kinds, waiting)
    yield from waiting


def _score(corpus: Corpus, kinds: Sequence[type[ProductMethod]], waiting: Mapping[str, Path]) -> None:
    methods = [kind.fit(corpus) for kind in kinds]
    benchmarks = corpus.benchmarks(waiting)
    directions = {name: _aim(benchmark, methods) for name, benchmark in benchmarks.items()}
    with ExitStack() as stack:
        writers = {name: stack.enter_context(ScoreWriter(folder, name)) for name, folder in waiting.items()}
        # Memory is bounded by one chunk: its scores are on disk before the next one is read.
        for rows, documents in corpus.chunks() if methods else ():
            for name, benchmark in benchmarks.items():
                for method, (variant, asked) in product(methods, benchmark.variants.items()):
                    features = method.describe(documents, asked.preconditioner)
                    plain, even = directions[name][method.name, variant]
                    if variant == ITEMS:
                        writers[name].write(rows, method.name, method.multiply(features, plain), asked.sizes)
                    if even is not None:
                        blocks = method.multiply(features, even)
                        writers[name].write_compared(rows, method.name, variant, blocks, asked.sizes)
    for name, folder in waiting.items():
        corpus.report(benchmarks[name], folder)


def _aim(benchmark: Benchmark, methods: Sequence[ProductMethod]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Return (method, variant) -> the directions of the items as they are, and with each query scaled to norm 1."""
    return {
        (method.name, variant): (
            method.aim(asked.queries, asked.preconditioner) if variant == ITEMS else None,
            method.aim_evenly(asked.queries, asked.preconditioner),
        )
        for method, (variant, asked) in product(methods, benchmark.variants.items())
    }
