"""A study of tiny parts: the tiny model, four items of two benchmarks, some texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.documents.settings import DocumentSettings
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.forgetting.settings import HeldOut, Unlearning
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.interventions.settings import TailPatch
from social_provenance.labelling.settings import Labelling
from social_provenance.language_model import LanguageModel
from social_provenance.planning.found import Found
from social_provenance.planning.laws import REFERENCE_SECONDS, Machine
from social_provenance.planning.sizes import count_study
from social_provenance.planning.study import Study
from social_provenance.pretraining.settings import Pretraining

if TYPE_CHECKING:
    from pathlib import Path

LINE = {"fixed": 1.0, "per": 0.01}
TRIALS: dict[str, Any] = {
    "pretrain": {"step": 0.1, "score": LINE},
    "walk": {"tokens": LINE, "trial": 0.5, "set": 0.1},
    "compare": {"gradients": LINE, "texts": LINE},
    "tail_patch": {"patch": 0.2},
    "unlearn": {"run": 2.0, "start": 3.0, "trial": 0.5},
}
BENCHMARK = {"domain": "social", "level": "reasoning", "task": "x.yaml"}
SURVEY = {
    **{"records": 100, "fit": 90, "labelled": 60, "chars": 9000, "records_bytes": 5000, "shards": 4, "scale": 2.0},
    **{"seconds": 4.0, "tried": 45, "clean_seconds": 1.0, "trained": 30, "train_seconds": 1.0, "classified": 45},
    **{"label_seconds": 1.0, "bins": [20, 10], "lengths": [10, 20], "tokenise_seconds": 0.1, "render_seconds": 0.5},
    **{"tokenizer_seconds": 0.1, "tokenizer_chars": 1000},
}


@pytest.fixture
def study() -> Study:
    from social_provenance.capabilities.benchmark import Evaluation

    named = [{"name": name, **BENCHMARK} for name in ("one", "two")]
    queries = {"nulls": ["wrong_answers"], "query": "gold", "items": "all", "blocks": 2, "seed": 0}
    return Study(
        documents=DocumentSettings(),
        labelling=Labelling(),
        per_bin=4,
        attributed_per_bin=None,
        queries={**queries, "tokenizer_processes": 1},
        distributed=Distributed(),
        gradients=GradientSettings(projection_dim=4, max_tokens=64, token_batch=64, ranks_per_shard=2),
        scoring=ScoringSettings(methods=["trackstar", "length"], target_component=8),
        evaluation=Evaluation.model_validate({"benchmarks": named, "batch_size": 4}),
        pretraining=Pretraining(max_steps=20, decay_steps=5, vocab_size=300, sequence_tokens=8, batch_sequences=2),
        tail_patch=TailPatch(items=1, batch_documents=2, doses=[1]),
        unlearning=Unlearning(
            forget_documents=3, retain_per_topic=1, held_out=HeldOut(per_bin=1, max_tokens=4), steps=2, read_every=1
        ),
        bootstrap=Bootstrap(replicates=100),
    )


@pytest.fixture
def requests() -> pd.DataFrame:
    """Return two choices of each of four items of two benchmarks, half of them queries."""
    rows: list[dict[str, Any]] = []
    for benchmark in ("one", "two"):
        for item in range(4):
            for choice in range(2):
                row = {"benchmark": benchmark, "item": f"{benchmark}/{item}", "cluster": str(item), "choice": choice}
                row |= {"is_gold": choice == 0, "prompt": "a", "completion": f" {choice}", "prompt_ids": [5, 6, 7]}
                row |= {"completion_ids": [8 + choice], "normalisation": "none", "units": 1}
                rows.append(row | {"use": "attribution" if item % 2 else "evaluation"})
    return pd.DataFrame(rows)


@pytest.fixture
def model(tiny_model_folder: Path) -> LanguageModel:
    return LanguageModel(str(tiny_model_folder))


@pytest.fixture
def survey() -> dict[str, Any]:
    return dict(SURVEY)


@pytest.fixture
def found(survey: dict[str, Any], requests: pd.DataFrame, model: LanguageModel, study: Study) -> Found:
    return Found(
        study=study,
        sizes=count_study(survey, survey["lengths"], requests, model, study),
        survey=survey,
        trials=TRIALS,
        machine=Machine(REFERENCE_SECONDS, 1e11),
        memory_limit=10**9,
        processes=2,
        pretraining_steps=20,
        host_peaks={"walk": 10, "unlearn, read": 20},
    )
