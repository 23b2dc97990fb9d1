"""Scores of gradients under several checkpoints of a training, averaged, as TRAK's are (Park et al. 2023)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from board.unrolling import even_steps, save_checkpoint
from social_provenance.datasets import PartsFolder
from social_provenance.gradients.methods.score_files import SCORES, gather
from social_provenance.gradients.settings import Distributed
from social_provenance.gradients.studies.trajectory import plan_gradients, plan_trajectory
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from board.replay import Replay
    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.settings import GradientSettings


def score_ensemble(
    replay: Replay, queries: pd.DataFrame, settings: tuple[GradientSettings, ScoringSettings], count: int, folder: Path
) -> dict[str, np.ndarray]:
    """Return benchmark -> score of each document, the mean over checkpoints.

    Args:
        replay: The training.
        queries: Table ``queries`` of its study.
        settings: Of the gradients and of the one method.
        count: Number of checkpoints, evenly spaced; the last is the model.
        folder: Folder of temporary files: checkpoints, and their gradients one after the other.
    """
    steps = even_steps(replay.steps, count)
    moments = replay.record(steps)
    total: pd.Series | None = None
    for step in steps:
        with TemporaryDirectory(prefix="ensemble-", dir=folder) as temporary:
            place = Path(temporary)
            model = LanguageModel.at(str(save_checkpoint(replay, moments[step], place / "model")))
            found = _score(replay, queries, settings, model, place)
        total = found if total is None else total + found
    assert total is not None
    mean = total / count
    return {str(name): own.droplevel("benchmark")[replay.doc_ids].to_numpy() for name, own in mean.groupby("benchmark")}


def _score(
    replay: Replay,
    queries: pd.DataFrame,
    settings: tuple[GradientSettings, ScoringSettings],
    model: LanguageModel,
    place: Path,
) -> pd.Series:
    """Return the score of each benchmark and document under one checkpoint."""
    from datasets import Dataset

    gradients, scoring = settings
    tokens = Dataset.from_dict(
        {
            "doc_id": list(replay.doc_ids),
            "bin_rank": [0] * len(replay.doc_ids),
            "input_ids": [list(ids) for ids in replay.tokens],
            "length": [len(ids) for ids in replay.tokens],
        }
    )
    plans = plan_gradients({"checkpoint": model}, tokens, queries, gradients, Distributed())
    corpus, asked = (PartsFolder(path=str(place / name)) for name in ("corpus", "queries"))
    for parts, plan in zip((corpus, asked), plans, strict=True):
        parts.save(plan)
    scores = PartsFolder(path=str(place / "scores"))
    scores.save(plan_trajectory(corpus.load(), asked.load(), scoring))
    table = gather(scores.load().values(), SCORES).to_pandas()
    found: pd.Series = table.set_index(["benchmark", "doc_id"])["score"].sort_index()
    return found
