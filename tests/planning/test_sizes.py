"""Counts: twice the documents are twice the tokens, and a run's tokens are those that its own log counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.capabilities.scoring import Scorer
from social_provenance.capabilities.split import items_for
from social_provenance.forgetting.runs.forecast import made_up_plan
from social_provenance.forgetting.runs.run import Bench
from social_provenance.forgetting.runs.study import plan_parts
from social_provenance.planning.sizes import count_run_tokens, count_study, tokens_of

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study

LENGTHS = [10, 20, 90]


def test_twice_the_documents_are_twice_the_tokens(
    survey: dict[str, Any], requests: pd.DataFrame, model: LanguageModel, study: Study
) -> None:
    one = count_study({**survey, "bins": []}, LENGTHS, requests, model, study)
    twice = {**survey, "bins": [], "fit": 2 * survey["fit"]}
    two = count_study(twice, LENGTHS, requests, model, study)
    assert (two.attributed, two.corpus_tokens) == (2 * one.attributed, 2 * one.corpus_tokens)
    assert two.tokens == pytest.approx(2 * one.tokens, abs=1)
    assert one.tokens == round(one.attributed * (10 + 20 + 64) / 3)  # cut to gradients.max_tokens
    assert (one.queries, one.query_tokens, one.sets) == (8, 8 * 4, 4)
    assert (two.runs, two.run_tokens) == (one.runs, one.run_tokens)


def test_the_tokens_of_a_run_are_those_of_its_log(requests: pd.DataFrame, model: LanguageModel, study: Study) -> None:
    """The log of a study adds the ``work`` of its parts; for documents of one length the plan has the same number."""
    asked = items_for(requests, "evaluation")
    plan, documents, bins = made_up_plan([[3] * 12], study.unlearning, 5)
    bench = Bench(model, Scorer(asked, 4), documents, bins, study.unlearning)
    logged = sum(work.tokens for work in plan_parts(plan, bench).work.values())
    assert 5 * count_run_tokens([12], asked, study) == logged


def test_readings_are_among_the_tokens_of_a_run(requests: pd.DataFrame, study: Study) -> None:
    asked = items_for(requests, "evaluation")
    longer = study.unlearning.model_copy(update={"read_every": 2})
    often = count_run_tokens([12], asked, study)
    from dataclasses import replace

    seldom = count_run_tokens([12], asked, replace(study, unlearning=longer))
    read = 3 * 12 + 23 * 12 + 576 * 4
    assert often - seldom == tokens_of(asked) + read
