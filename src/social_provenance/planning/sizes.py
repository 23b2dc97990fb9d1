"""Counts of what a study processes: documents, tokens, queries, runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.scoring import Scorer
from social_provenance.capabilities.split import items_for
from social_provenance.forgetting.runs.forecast import count_runs, made_up_plan
from social_provenance.forgetting.runs.run import Bench
from social_provenance.forgetting.runs.study import count_work
from social_provenance.forgetting.runs.trainable import checkpoint_bytes
from social_provenance.gradients.walk.coverage import inspect
from social_provenance.interventions.tail_patch import take_items
from social_provenance.language_model import max_tokens
from social_provenance.planning.corpus import expected_documents
from social_provenance.regions.grid import BINS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study


@dataclass(frozen=True)
class Sizes:
    """Counts of a study before it starts.

    Attributes:
        records: Records of the corpus.
        documents: Accepted ones; duplicates are not removed, so this is an upper bound.
        chars: Characters of the documents.
        records_bytes: Bytes of the records on disk.
        unlabelled: Documents that a classifier labels.
        working_set: Documents that are drawn.
        attributed: Those of them that are attributed.
        tokens: Tokens of the attributed documents, each cut to the budget of the walk.
        corpus_tokens: Tokens of all documents.
        choices: Choices of all items.
        attribution_choices: Those of the items that are queries.
        patched_choices: Those of the items that tail-patches are measured on.
        evaluation_tokens: Tokens of the choices of held-out items.
        queries: Queries, those of nulls among them.
        query_tokens: Their tokens.
        sets: Sets of queries: a benchmark or a null of one.
        benchmarks: Benchmarks.
        parameters: Weights of the model, with embeddings.
        dimensions: Dimensions of a projected gradient.
        hidden: Hidden size of the model.
        regions: Regions of the tail-patch.
        runs: Unlearning runs.
        run_tokens: Tokens that a run processes, as its own log counts them.
        checkpoint_bytes: Bytes of a run's checkpoint.
    """

    records: int
    documents: int
    chars: int
    records_bytes: int
    unlabelled: int
    working_set: int
    attributed: int
    tokens: int
    corpus_tokens: int
    choices: int
    attribution_choices: int
    patched_choices: int
    evaluation_tokens: int
    queries: int
    query_tokens: int
    sets: int
    benchmarks: int
    parameters: int
    dimensions: int
    hidden: int
    regions: int
    runs: int
    run_tokens: int
    checkpoint_bytes: int


def count_study(
    survey: Mapping[str, Any], lengths: Sequence[int], requests: pd.DataFrame, model: LanguageModel, study: Study
) -> Sizes:
    """Count what a study will process; no weight of the model is read.

    Args:
        survey: Result of :func:`social_provenance.planning.corpus.try_corpus`.
        lengths: Tokens of the documents of a sample, all of them.
        requests: Choices of all items, and what they are for (``use``).
        model: The model.
        study: Parameters.
    """
    config = model.config()
    coverage = inspect(config, study.gradients.moe_experts)
    budget = min(study.gradients.max_tokens, max_tokens(config))
    cut = [min(length, budget) for length in lengths]
    fit = int(survey["fit"])
    drawn = expected_documents(survey["bins"], fit, study.per_bin)
    per_bin = study.attributed_per_bin
    attributed = drawn if per_bin is None else min(drawn, expected_documents(survey["bins"], fit, per_bin))
    asked, held = (items_for(requests, use) for use in ("attribution", "evaluation"))
    gold = asked[asked["is_gold"]]
    variants = 1 + len(study.nulls)
    benchmarks = int(requests["benchmark"].nunique())
    return Sizes(
        records=int(survey["records"]),
        documents=fit,
        chars=int(survey["chars"]),
        records_bytes=int(survey["records_bytes"]),
        unlabelled=fit if not study.labelling.keep_given else fit - int(survey["labelled"]),
        working_set=drawn,
        attributed=attributed,
        tokens=round(attributed * sum(cut) / len(cut)),
        corpus_tokens=round(fit * sum(lengths) / len(lengths)),
        choices=len(requests),
        attribution_choices=len(asked),
        patched_choices=len(take_items(requests, study.tail_patch.items)),
        evaluation_tokens=tokens_of(held),
        queries=len(gold) * variants,
        query_tokens=tokens_of(gold) * variants,
        sets=benchmarks * variants,
        benchmarks=benchmarks,
        parameters=coverage.parameters,
        dimensions=coverage.dimensions(study.gradients.projection_dim),
        hidden=int(config.hidden_size),
        regions=len(TOPICS) if study.tail_patch.level == "topic" else len(BINS),
        runs=count_runs(study.unlearning, benchmarks),
        run_tokens=count_run_tokens(cut, held, study),
        checkpoint_bytes=checkpoint_bytes(config, study.unlearning.lora),
    )


def count_run_tokens(lengths: Sequence[int], requests: pd.DataFrame, study: Study) -> int:
    """Return the tokens of an unlearning run, counted by the code that counts them when the runs are planned.

    Args:
        lengths: Tokens of the documents of a sample.
        requests: Choices of the items that are evaluated.
        study: Parameters.
    """
    settings = study.unlearning
    plan, documents, bins = made_up_plan([range(length) for length in lengths], settings, 1)
    bench = Bench(None, Scorer(requests, study.evaluation.batch_size), documents, bins, settings)  # type: ignore[arg-type]
    return count_work(plan.to_dict("records")[0], bench, 0).tokens


def tokens_of(requests: pd.DataFrame) -> int:
    """Return the tokens of choices, of prompts and answers."""
    return int(sum(map(len, requests["prompt_ids"])) + sum(map(len, requests["completion_ids"])))
