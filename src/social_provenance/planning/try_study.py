"""Everything that a model's shape, its tokenizer and the benchmarks say of a study: counts, trials, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.harness import build_requests
from social_provenance.capabilities.split import split_items
from social_provenance.encoding import Encoder
from social_provenance.errors import BenchmarkError
from social_provenance.planning.clock import Clock
from social_provenance.planning.refusals import checks_of_items, list_refusals
from social_provenance.planning.sizes import count_study
from social_provenance.planning.trials import Sample, try_small_model
from social_provenance.pretraining.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study

SMALL = 50_000_000
"""Weights of the largest model that is tried: a larger one takes more than a second for what shows its pace."""
LOST = 0.99
"""Share of unusable items up to which items are counted where more are unusable than a run would accept."""


def try_study(
    survey: Mapping[str, Any], model: LanguageModel, benchmarks: Path, study: Study, stages: Sequence[str]
) -> dict[str, Any]:
    """Count a study and try its stages.

    Args:
        survey: Result of :func:`social_provenance.planning.corpus.try_corpus`.
        model: The model, or one of its shape; weights are read where it is small enough to be tried.
        benchmarks: Folder of benchmark files.
        study: Parameters.
        stages: Names of the stages that will run.

    Returns:
        ``sizes``, the fields of :class:`social_provenance.planning.sizes.Sizes`; ``trials``, empty where the model is
        too large to be tried; ``lengths``, tokens of the documents of the sample; ``render_seconds``,
        ``tokenise_seconds`` (of the sample), ``tokenizer_seconds`` and ``tokenizer_chars`` (of learning a tokenizer);
        ``refusals``.
    """
    texts, refusals = survey["texts"], []
    clock = Clock()
    try:
        requests = _requests(model, benchmarks, study, study.evaluation.max_unusable_share)
    except BenchmarkError as error:
        refusals.append(str(error))
        requests = _requests(model, benchmarks, study, LOST)
    render = clock.seconds()
    refusals += list_refusals(checks_of_items(requests, study))
    clock = Clock()
    lengths = [len(ids) for ids in Encoder(model.tokenizer()).documents(texts)]
    tokenise = clock.seconds()
    clock = Clock()
    if "pretrain" in stages:
        train_tokenizer(texts, study.pretraining.vocab_size)
    learned = clock.seconds()
    sizes = count_study(survey, lengths, requests, model, study)
    # What divides gradients takes no time that shows, and a model that is not trained yet has no moments to divide by.
    plain = replace(study, gradients=study.gradients.model_copy(update={"normalizer": "none"}))
    small = sizes.parameters <= SMALL and not study.distributed.fsdp
    return {
        "sizes": vars(sizes),
        "trials": try_small_model(Sample(model, texts, requests), plain, stages) if small else {},
        "lengths": lengths,
        "render_seconds": render,
        "tokenise_seconds": tokenise,
        "tokenizer_seconds": learned,
        "tokenizer_chars": sum(map(len, texts)),
        "refusals": refusals,
    }


def _requests(model: LanguageModel, benchmarks: Path, study: Study, unusable: float) -> pd.DataFrame:
    evaluation = study.evaluation.model_copy(update={"max_unusable_share": unusable})
    requests = build_requests(evaluation, benchmarks, model.tokenizer(), model.config())
    return split_items(requests, split=evaluation.split_items, seed=evaluation.split_seed)
