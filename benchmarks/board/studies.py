"""Runs of the project's pipelines on a world: a model for each seed, and scores of each variant of each method.

Every step is kept below the folder of the world and not repeated. A step made under other settings is refused.
"""

from __future__ import annotations

import copy
import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from board.measures import own_ranks
from social_provenance.errors import ProvenanceError
from social_provenance.fingerprint import digest_of, digest_of_code
from social_provenance.gradients.methods.registry import find_methods

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from board.worlds import Truth, World

PROJECT = Path(__file__).resolve().parents[2]
GOLD, PLAIN = "gold", "none"
"""Kind of query and normalizer of gradients that names of folders and rows leave out."""

UNDAMPED = ("gradient_cosine",)
"""Methods of the gradient store without a preconditioner."""

JOINT = ("trak",)
"""Methods that need one matrix over all modules, which only the smallest projection allows."""

UNROLLING, MAGIC, RERANKING = "unrolling", "magic", "rerank"
ENSEMBLES = {"trackstar_ensemble": "trackstar", "influence_ensemble": "influence", "trak_ensemble": "trak"}
"""Method -> what it averages over checkpoints."""

ALONG = (UNROLLING, MAGIC, *ENSEMBLES, RERANKING)
"""Methods that are put together from a whole training, or from other methods, in ``along``."""

WALKED = ("corpus_gradients", "query_gradients", "composed_gradients")
"""What the walk leaves; parts that are there already are kept."""
COMPARISONS = {"store": "compare_gradients", "texts": "compare_texts", "model": "compare_with_model"}
REPLICATES = 100
"""Of the bootstrap; its intervals are not read here."""

NULLS = ["shuffled_answers"]
"""One, because the maps of nulls are not read here."""

TOPICS, RANKS, COSTS, MADE = "topics.parquet", "ranks.parquet", "costs.json", "settings.json"


@dataclass(frozen=True)
class Variant:
    """Methods that are scored together, under one projection, damping and kind of query.

    Attributes:
        projection: ``gradients.projection_dim``.
        damping: ``scoring.damping``.
        methods: Names in the registry.
        query: ``attribution.query``.
        normalizer: ``gradients.normalizer``.
    """

    projection: int
    damping: float
    methods: tuple[str, ...]
    query: str = GOLD
    normalizer: str = PLAIN

    @property
    def name(self) -> str:
        """Name of its folder; other methods have another, so that a further method refuses nothing."""
        query = "" if self.query == GOLD else f"-query-{self.query}"
        methods = digest_of(sorted(self.methods))[:8]
        return f"projection-{self.projection}-damping-{self.damping:g}{query}{self._divided}-{methods}"

    def label(self, method: str) -> str:
        """Return the name of a method in tables, with the settings on which it depends."""
        if find_methods()[method].needs == "texts":
            return method
        projection = f" projection={self.projection}" if find_methods()[method].needs == "store" else ""
        query = "" if self.query == GOLD else f" query={self.query}"
        return (
            method
            + projection
            + ("" if method in UNDAMPED else f" damping={self.damping:g}")
            + query
            + self._divided.replace("-", " ")
        )

    @property
    def walk(self) -> str:
        """Name of the walk that its scores are made from."""
        query = "" if self.query == GOLD else f"-{self.query}"
        return f"walk-{self.projection}{query}{self._divided}"

    @property
    def _divided(self) -> str:
        return "" if self.normalizer == PLAIN else f"-{self.normalizer}"


def plan_variants(
    methods: Sequence[str],
    dampings: Sequence[float],
    projections: Sequence[int],
    queries: Sequence[str] = (GOLD,),
    normalizers: Sequence[str] = (PLAIN,),
) -> list[Variant]:
    """Return the variants: each method under every setting on which it depends, and no other.

    Methods of ``ALONG`` have no variant.
    Kinds of query and normalizers of gradients other than the first are tried with methods of the store, under the
    first projection and damping.

    Raises:
        ProvenanceError: If there is no such method.
    """
    needs = {}
    for method in methods:
        if method in ALONG:
            continue
        if method not in find_methods():
            known = ", ".join([*find_methods(), *ALONG])
            raise ProvenanceError(f"--methods: {method!r} is no method: choose among {known}")
        needs[method] = find_methods()[method].needs
    variants = []
    for projection in projections:
        for damping in dampings:
            first, first_damping = projection == projections[0], damping == dampings[0]
            kept = {
                "store": lambda name, f=first, d=first_damping: (
                    (d or name not in UNDAMPED) and (f or name not in JOINT)
                ),
                "model": lambda _, f=first: f,
                "texts": lambda _, f=first, d=first_damping: f and d,
            }
            chosen = tuple(name for name, need in needs.items() if kept[need](name))
            if chosen:
                variants.append(Variant(projection, damping, chosen, queries[0], normalizers[0]))
    of_store = tuple(name for name, need in needs.items() if need == "store")
    others = [(query, normalizers[0]) for query in queries[1:]] + [(queries[0], other) for other in normalizers[1:]]
    return variants + [Variant(projections[0], dampings[0], of_store, *other) for other in others if of_store]


@dataclass(frozen=True)
class Study:
    """A world with a model of one seed.

    Attributes:
        world: The world.
        seed: Seed of the model.
        folder: Folder of the world.
    """

    world: World
    seed: int
    folder: Path

    @property
    def own(self) -> Path:
        """Folder of this seed."""
        return self.folder / f"seed-{self.seed}"

    @property
    def root(self) -> Path:
        """Data folder of its Kedro runs."""
        return self.own / "data"

    def params(self) -> dict[str, Any]:
        """Return all parameters of its runs, as plain values; the caller may change them."""
        return copy.deepcopy(self._resolved_params)

    @cached_property
    def _resolved_params(self) -> dict[str, Any]:
        # Kept because a session parses all configuration, and every set of topics that is removed asks for it.
        with self._session({}) as session:
            params = session.load_context().params
        # Blocks that a node annotates are Pydantic models by now.
        return {
            name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
            for name, value in params.items()
        }

    def run(
        self,
        pipelines: Sequence[str],
        settings: Mapping[str, Any],
        nodes: Sequence[str] = (),
        outputs: Sequence[str] = (),
    ) -> float:
        """Run pipelines, or some nodes of them, or what some outputs need, and return the seconds."""
        start = time.perf_counter()
        with self._session(settings) as session:
            session.run(pipeline_names=list(pipelines), node_names=list(nodes), to_outputs=list(outputs))
        return time.perf_counter() - start

    def make(self) -> None:
        """Make the corpus and train the model, once."""
        params = self.params()
        blocks = ("miniature", "documents", "labelling", "working_set", "evaluation", "pretraining")
        settings = {**self.world.identity(), **{name: params[name] for name in blocks if name in params}}
        code = [f"social_provenance.pipelines.{name}.pipeline" for name in self.world.pipelines]
        with step(self.own, {**settings, "code": digest_of_code(*code)}) as waiting:
            if waiting:
                shutil.rmtree(self.root, ignore_errors=True)
                self.run(self.world.pipelines, {})

    def score(self, variant: Variant, truth: Truth) -> Path:
        """Score by a variant, once, and return the folder of its tables."""
        folder = self.own / "scores" / variant.name
        code = digest_of_code("social_provenance.pipelines.attribution.pipeline")
        with step(folder, {"methods": sorted(variant.methods), "code": code}) as waiting:
            if waiting:
                costs = self._compare(variant)
                (folder / COSTS).write_text(json.dumps(costs))
                shutil.copy(self.root / "08_reporting/topic_influence.parquet", folder / TOPICS)
                self._rank_own(truth).to_parquet(folder / RANKS)
        return folder

    def _compare(self, variant: Variant) -> dict[str, float]:
        """Run the attribution and return need -> seconds: those of the walk over the corpus, and of the comparison."""
        gradients = {"projection_dim": variant.projection, "normalizer": variant.normalizer}
        needs = {find_methods()[name].needs for name in variant.methods}
        scoring = {"damping": variant.damping, "methods": list(variant.methods), "default_method": variant.methods[0]}
        settings = {"gradients": gradients, "scoring": scoring, "bootstrap": {"replicates": REPLICATES}}
        settings["attribution"] = {"nulls": NULLS, "query": variant.query}
        record = self.own / f"{variant.walk}.json"
        spent = self.run(["attribution"], settings, outputs=WALKED)
        if not record.exists():
            record.write_text(json.dumps(spent))
        walk = json.loads(record.read_text())
        costs = {}
        for need, node in COMPARISONS.items():
            seconds = self.run(["attribution"], settings, nodes=[node])
            if need in needs:
                costs[need] = walk + seconds
        self.run(["attribution"], settings, nodes=["gather_scores", "describe_comparison"])
        self.run(["aggregation"], settings, outputs=["topic_influence"])
        return costs

    def _rank_own(self, truth: Truth) -> pd.DataFrame:
        """Return ``method``, ``benchmark``, ``rank``, the mean rank of the items' own documents; no row without any."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        if truth.own:
            blocks = pd.read_parquet(self.root / "07_model_output/block_scores.parquet")
            queries = pd.read_parquet(self.root / "04_feature/queries.parquet")
            items = queries[queries["variant"] == "items"]
            for (method, benchmark), scored in blocks.groupby(["method", "benchmark"], sort=False):
                asked = items[items["benchmark"] == benchmark].sort_values("block")
                rank = mean_rank(scored, asked, truth)
                rows.append({"method": method, "benchmark": benchmark, "rank": rank})
        return pd.DataFrame(rows, columns=["method", "benchmark", "rank"])

    @contextmanager
    def _session(self, settings: Mapping[str, Any]) -> Iterator[Any]:
        from kedro.framework import project
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project

        if project.PACKAGE_NAME is None:  # once: it looks at the file of every module that is imported
            bootstrap_project(PROJECT)
        given = {**self.world.params, "pretraining": {"seed": self.seed}, "root": str(self.root), **settings}
        with KedroSession.create(PROJECT, env=self.world.environment, runtime_params=given, save_on_close=False) as own:
            yield own


@contextmanager
def step(folder: Path, settings: Mapping[str, Any]) -> Iterator[bool]:
    """Do a step once: yield whether it is still to be done, and record its settings when it is.

    Raises:
        ProvenanceError: If the folder was made under other settings.
    """
    plain = json.loads(json.dumps(settings, default=str))
    record = folder / MADE
    if record.exists():
        refuse_others(folder, json.loads(record.read_text()), plain)
        yield False
        return
    folder.mkdir(parents=True, exist_ok=True)
    yield True
    record.write_text(json.dumps(plain, indent=1))


def refuse_others(folder: Path, made: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Check that a folder was made under the settings that are asked for.

    Raises:
        ProvenanceError: With the first setting that differs, and both values.
    """
    before, now = dict(_flat(made)), dict(_flat(asked))
    # Code last: a setting says more about what to do.
    for name in sorted({*before, *now}, key=lambda name: (name == "code", name)):
        if before.get(name) != now.get(name):
            raise ProvenanceError(
                f"{folder} was made under other settings: {name} was {before.get(name)!r} and is {now.get(name)!r}; "
                f"give another --folder, or set it back"
            )


def _flat(settings: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    if not isinstance(settings, dict):
        return [(prefix, settings)]
    return [
        pair for name, value in settings.items() for pair in _flat(value, f"{prefix}.{name}" if prefix else str(name))
    ]


def mean_rank(scored: pd.DataFrame, asked: pd.DataFrame, truth: Truth) -> float:
    """Return the mean rank of own documents; NaN where a block has more than one item.

    Args:
        scored: ``doc_id`` and ``blocks``, the document's score for each block of a benchmark.
        asked: Items of the benchmark, in the order of their ``block``.
        truth: Document of each item, and author of each document.
    """
    if asked["block"].duplicated().any():
        return float("nan")
    own = truth.own[str(asked["benchmark"].iloc[0])]
    place = {doc_id: position for position, doc_id in enumerate(scored["doc_id"])}
    positions = [place[own[int(item.rpartition("/")[2])]] for item in asked["item"]]
    authors = [truth.authors[doc_id] for doc_id in scored["doc_id"]]
    return float(own_ranks(np.stack(scored["blocks"].to_list()), authors, positions).mean())
