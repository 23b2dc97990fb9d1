"""Nodes of the query audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.annotations import Table
from social_provenance.artifacts import Parts
from social_provenance.estimation.comparison.agreement import compare_pairs
from social_provenance.estimation.maps.bin_map import bin_map
from social_provenance.gradients.methods import score_files
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.queries import build as queries
from social_provenance.gradients.queries import renderings
from social_provenance.gradients.query_set import ITEMS, QuerySet
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.studies.audit import plan_audit
from social_provenance.gradients.walk.collect import plan_queries
from social_provenance.gradients.walk.store import GradientStore
from social_provenance.language_model import LanguageModel, max_tokens


def render_variants(requests: Table, asked: Table, model: LanguageModel, gradients: GradientSettings) -> Table:
    """Return the attributed items of each benchmark as multiple choice, as cloze and as answers alone."""
    budget = min(gradients.max_tokens, max_tokens(model.config()))
    keys = ["benchmark", "item"]
    items = asked.loc[asked["variant"] == ITEMS, [*keys, "block"]]
    rendered = renderings.render(requests.merge(items[keys], on=keys), model.tokenizer(), budget)
    return queries.take_blocks(rendered, items)


def collect_audit_gradients(table: Any, model: LanguageModel, gradients: GradientSettings, distributed: Any) -> Parts:
    """Return the query gradients of each benchmark and rendering, a part of the store each."""
    # A type here would be one of a field of `attribution`, which Kedro cannot check beside that of the block.
    processes = Distributed.model_validate(distributed)
    return plan_queries(queries.query_sets(table), model, gradients, processes)


def compare_renderings(corpus: dict[str, Path], gradients: dict[str, Path], params: ScoringSettings) -> Parts:
    """Return the scores of every document for every rendering, each as a benchmark of its own."""
    return plan_audit(GradientStore(corpus), gradients, params)


def compare_maps(scores: dict[str, Path], working_set: Any) -> Any:
    """Return how far the bin maps of any two renderings of a benchmark agree."""
    import pandas as pd

    labels = working_set.select("doc_id", "topic", "format").to_pandas()
    maps = []
    for name, folder in scores.items():
        queries = QuerySet.parse(name)
        table = score_files.gather([folder], score_files.SCORES).to_pandas()
        maps.append(bin_map(table, labels).assign(benchmark=queries.benchmark, rendering=queries.variant))
    return compare_pairs(pd.concat(maps, ignore_index=True), "rendering", ["benchmark", "method"])
