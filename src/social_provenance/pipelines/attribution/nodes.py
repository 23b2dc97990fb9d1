"""Nodes of the attribution pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.annotations import LazyTable, PartFolders, Record, Table
from social_provenance.artifacts import Parts, Stream
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.capabilities.harness import build_requests
from social_provenance.capabilities.scoring import Scorer
from social_provenance.capabilities.split import answered_items, items_for, keep_answers, split_items
from social_provenance.device_memory import memory_of_gpu
from social_provenance.documents.sampling import take_sample
from social_provenance.gradients import composition
from social_provenance.gradients.methods import score_files
from social_provenance.gradients.methods.model_methods import ModelCorpus, plan_model_scores
from social_provenance.gradients.methods.registry import foresee
from social_provenance.gradients.methods.scoring import plan_scores, plan_text_scores
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.methods.text_methods import TextCorpus
from social_provenance.gradients.queries import build as queries
from social_provenance.gradients.queries.choices import choice_sets
from social_provenance.gradients.query_set import ITEMS
from social_provenance.gradients.settings import GradientSettings
from social_provenance.gradients.walk import sequences
from social_provenance.gradients.walk.bergson_trial import refuse_large
from social_provenance.gradients.walk.collect import plan_corpus, plan_queries
from social_provenance.gradients.walk.coverage import inspect
from social_provenance.gradients.walk.query_model import choose_query_model
from social_provenance.gradients.walk.store import GradientStore, query_stores
from social_provenance.language_model import LanguageModel, TrainedModel
from social_provenance.language_model import max_tokens as context_length
from social_provenance.pipelines.attribution.params import Attribution


def foresee_walk(model: LanguageModel, gradients: GradientSettings, params: Attribution) -> None:
    """Refuse a batch of the walk that the GPU cannot hold, as soon as there is a model."""
    if not params.distributed.fsdp:
        refuse_large(model, gradients, memory_of_gpu())


def foresee_scores(
    working_set: LazyTable,
    contract: Record,
    model: LanguageModel,
    gradients: GradientSettings,
    params: Attribution,
    scoring: ScoringSettings,
) -> None:
    """Refuse what a method of ``scoring`` cannot compare, before the walk."""
    sample = take_sample(working_set, params.per_bin, contract["per_bin"])
    dimensions = inspect(model.config(), gradients.moe_experts).dimensions(gradients.projection_dim)
    foresee(scoring, dimensions, int(sample.count().execute()))


def tokenize_documents(
    working_set: LazyTable, contract: Record, model: LanguageModel, max_tokens: int, params: Attribution
) -> Stream:
    """Return the token sequences of the documents that are attributed to; they are made when they are saved."""
    sample = take_sample(working_set, params.per_bin, contract["per_bin"])
    budget = min(max_tokens, context_length(model.config()))
    return sequences.stream_tokens(sample, model.tokenizer(), budget, params.tokenizer_processes)


def collect_corpus_gradients(
    tokens: Any, model: LanguageModel, gradients: GradientSettings, params: Attribution
) -> Parts:
    """Return the shards of the corpus's gradient store; each is computed once, when saved."""
    return plan_corpus(tokens, model, gradients, params.distributed)


def render_benchmarks(
    benchmarks: Path, model: LanguageModel, params: Evaluation, max_tokens: int, attribution: Attribution
) -> Any:
    """Return every choice of every benchmark item as lm-eval scores it, and what the item is for.

    Items that are too long for a query end the run here, not after the walk over the corpus.
    """
    requests = build_requests(params, benchmarks, model.tokenizer(), model.config())
    split = split_items(requests, split=params.split_items, seed=params.split_seed)
    queries.refuse_long_items(items_for(split, "attribution"), max_tokens, attribution.nulls, query=attribution.query)
    return split


def answer_items(
    requests: Table, model: LanguageModel, query_model: LanguageModel | None, batch_size: int, params: Attribution
) -> Table:
    """Return the answers of the queries' model to the attribution items; none where they select no items."""
    asked_model = choose_query_model(model, query_model)
    asked = items_for(requests, "attribution")
    if params.items == "all":
        return keep_answers(None)
    return keep_answers(Scorer(asked, batch_size).score(asked_model.load()))


def build_queries(
    requests: Table,
    answered: Table,
    documents: LazyTable,
    working_set: LazyTable,
    model: LanguageModel,
    params: Attribution,
) -> Table:
    """Return the queries of each benchmark, and those of its nulls."""
    asked = answered_items(items_for(requests, "attribution"), answered, params.items)
    held_out = None
    if "generic_text" in params.nulls:
        held_out = sequences.held_out(documents, working_set, model.tokenizer(), params.seed)
    drawn = {"blocks": params.blocks, "seed": params.seed}
    return queries.build_queries(asked, params.nulls, held_out, **drawn, query=params.query)


def collect_query_gradients(
    table: Table,
    model: LanguageModel,
    query_model: LanguageModel | None,
    gradients: GradientSettings,
    params: Attribution,
) -> Parts:
    """Return the gradients of the queries' answers, a part of the store for each benchmark and variant."""
    return plan_queries(queries.query_sets(table), model, gradients, params.distributed, query_model)


def collect_choice_gradients(
    table: Table,
    model: LanguageModel,
    query_model: LanguageModel | None,
    gradients: GradientSettings,
    params: Attribution,
) -> Parts:
    """Return the gradients of the queries' wrong choices, a part for each set; none where only gold is asked."""
    sets = choice_sets(table)
    if not sets:
        return Parts({}, lambda _: iter(()))
    return plan_queries(sets, model, gradients, params.distributed, query_model)


def weigh_choices(
    table: Table, answers: PartFolders, wrong: PartFolders, gradients: GradientSettings, params: Attribution
) -> Table:
    """Return how much each choice counts in its query, from the losses that the walk has measured."""
    return composition.weigh_walked(table, answers, wrong, params.query, gradients.loss_reduction)


def compose_queries(answers: PartFolders, wrong: PartFolders, weights: Table) -> Parts:
    """Return the gradients of queries that contrast choices, from those of the choices."""
    return composition.plan_composition(answers, wrong, weights)


def compare_gradients(
    corpus: dict[str, Path], answers: dict[str, Path], composed: PartFolders, params: ScoringSettings
) -> Parts:
    """Return the scores of every document by the methods that compare stored gradients."""
    return plan_scores(GradientStore(corpus), query_stores(composed or answers), params)


def compare_texts(
    tokens: Any,
    corpus: dict[str, Path],
    table: Any,
    gradients: dict[str, Path],
    model: LanguageModel,
    params: ScoringSettings,
) -> Parts:
    """Return the scores of every document by the methods without a gradient, the baselines."""
    store, stores = GradientStore(corpus), query_stores(gradients)
    texts = TextCorpus(tokens, store, table, stores, len(model.tokenizer()), params.chunk)
    return plan_text_scores(texts, params)


def compare_with_model(
    tokens: Any,
    corpus: dict[str, Path],
    table: Any,
    model: LanguageModel,
    gradients: GradientSettings,
    params: ScoringSettings,
) -> Parts:
    """Return the scores of every document by the methods that run the model themselves, where there are any."""
    sets = queries.query_sets(keep_items(table))
    whole = ModelCorpus(tokens, GradientStore(corpus), sets, model, gradients, params.damping)
    return plan_model_scores(whole, params)


def gather_scores(*scores: dict[str, Path]) -> tuple[Any, Any, Any]:
    """Return the scores of documents, their means over query blocks, and the scores of nulls."""
    folders = [folder for parts in scores for folder in parts.values()]
    names = (score_files.SCORES, score_files.BLOCKS, score_files.NULLS)
    return tuple(score_files.gather(folders, name) for name in names)


def describe_comparison(
    scores: dict[str, Path], scoring: ScoringSettings, params: Attribution
) -> tuple[dict[str, Any], Any]:
    """Return what was compared with what, and how the second moments fared under damping."""
    summary, audit = score_files.describe(scores)
    return {**summary, "query": params.query, "items": params.items, "damping": scoring.damping}, audit


def randomise_model(model: LanguageModel, params: Attribution) -> TrainedModel:
    """Return a model of the same architecture with weights as they are before any training."""
    return model.untrained(params.seed)


def keep_items(table: Any) -> Any:
    """Return the queries of the benchmarks themselves."""
    return table[table["variant"] == ITEMS].reset_index(drop=True)


def name_random_scores(scores: dict[str, Path]) -> Any:
    """Return the scores under random weights as those of a null."""
    return score_files.as_null(scores.values(), "random_weights")
