"""Nodes of the unlearning pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.annotations import LazyTable
from social_provenance.artifacts import Parts
from social_provenance.capabilities.scoring import Scorer
from social_provenance.capabilities.split import items_for
from social_provenance.device_memory import empty_model, memory_of_gpu
from social_provenance.errors import UnlearningError
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.forgetting.design import plan
from social_provenance.forgetting.effects import across_topics, algorithms, dose_response
from social_provenance.forgetting.effects import tables as effect_tables
from social_provenance.forgetting.effects.changes import RunTables
from social_provenance.forgetting.runs import gather, memory, study
from social_provenance.forgetting.runs.run import Bench
from social_provenance.forgetting.runs.trainable import check_targets
from social_provenance.forgetting.settings import Unlearning
from social_provenance.forgetting.vocabulary import IDS
from social_provenance.language_model import LanguageModel
from social_provenance.language_model import max_tokens as context_length
from social_provenance.training.documents import DocumentTokens

BYTES_OF_SIGN, ADDED = 4, 16
"""Upper bounds on the bytes of a character, of which none is more than a token, and on tokens that are added."""


def foresee_unlearning(working_set: LazyTable, per_bin: int | None, params: Unlearning) -> None:
    """Refuse topics that are too small to forget documents of, as soon as there is a working set."""
    sample = working_set if per_bin is None else working_set.filter(working_set.bin_rank < per_bin)
    counted = sample.group_by("topic").aggregate(documents=sample.count()).execute()
    plan.refuse_small_topics(dict(zip(counted["topic"], map(int, counted["documents"]), strict=True)), params)


def foresee_runs(working_set: LazyTable, model: LanguageModel, max_tokens: int, params: Unlearning) -> None:
    """Refuse runs that the GPU cannot hold, and adapters of no module, as soon as there are documents and a model."""
    config = model.config()
    if params.lora is not None:
        check_targets(empty_model(config), params.lora)
    room = memory_of_gpu()
    if room is not None:
        longest = BYTES_OF_SIGN * int(working_set.text.length().max().execute()) + ADDED
        memory.refuse_large(config, params, min(max_tokens, context_length(config), longest), room)


def plan_unlearning(scores: Any, topics: Any, tokens: Any, method: str, params: Unlearning) -> tuple[Any, Any]:
    """Return every run of the study, and the balance of its random sets."""
    documents = tokens.select_columns(["doc_id", "topic", "format", "length"]).to_pandas()
    documents["length"] = documents["length"].clip(upper=params.max_tokens)  # sets are matched on what is trained on
    of_method = scores.filter(scores.method == method).to_pandas()
    contrasts = plan.choose_contrasts(of_method, topics[topics["method"] == method], documents, params)
    lengths = documents.set_index("doc_id")["length"]
    return plan.list_runs(contrasts, lengths, params), plan.balance_sets(contrasts)


def forget_documents(
    runs: Any, tokens: Any, model: LanguageModel, requests: Any, batch_size: int, params: Unlearning
) -> Parts:
    """Return a description of the planned runs; the catalog trains and evaluates them when it saves it."""
    wanted = {doc_id for name in IDS for ids in runs[name] for doc_id in ids}
    documents = DocumentTokens(tokens, wanted)
    found = tokens.select_columns(["topic", "format"]).select(documents.places)  # not `filter`, which writes a file
    bins = dict(zip(documents, zip(found["topic"], found["format"], strict=True), strict=True))
    bench = Bench(model, Scorer(items_for(requests, "evaluation"), batch_size), documents, bins, params)
    return study.plan_parts(runs, bench)


def gather_runs(runs: Any, models: dict[str, Path], max_unfinished_share: float) -> tuple[Any, ...]:
    """Return the status of every run, and its answers, losses and measurements."""
    tables = gather.gather_tables(runs, models, max_unfinished_share)
    return (
        tables.runs,
        tables.answers,
        tables.evaluations,
        tables.trajectory,
        tables.held_out,
        tables.steps,
    )


def measure_effects(
    runs: Any, answers: Any, trajectory: Any, params: Unlearning, bootstrap: Bootstrap
) -> tuple[Any, Any, Any]:
    """Return the effects of every contrast, the change of every set, and equivalence tests."""
    read = RunTables(_made("unlearning_runs", runs), answers, trajectory)
    tables = effect_tables.measure_effects(read, params.effects, bootstrap)
    return tables.effects, tables.sets, tables.equivalence


def trace_doses(runs: Any, answers: Any, trajectory: Any) -> Any:
    """Return the dose-response of each arm."""
    return dose_response.dose_response(RunTables(_made("unlearning_runs", runs), answers, trajectory))


def compare_topics(effects: Any, sets: Any) -> Any:
    """Return the tests over topics, the topic being the unit."""
    return across_topics.across_topics(_made("unlearning_effects", effects), _made("unlearning_sets", sets))


def compare_algorithms(effects: Any, runs: Any, trajectory: Any) -> Any:
    """Return the comparison of algorithms."""
    return algorithms.compare_algorithms(
        _made("unlearning_effects", effects), _made("unlearning_runs", runs), trajectory
    )


def _made(name: str, table: Any) -> Any:
    """Refuse to go on without a table that the report may do without, and this pipeline not."""
    if table is None:
        raise UnlearningError(f"there is no {name}: run the pipeline unlearning from its beginning")
    return table
