"""Nodes of the trajectory over checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.artifacts import Parts
from social_provenance.estimation.maps.bin_map import bin_map
from social_provenance.gradients.methods import score_files
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.studies import trajectory
from social_provenance.language_model import LanguageModel


def collect_checkpoint_gradients(
    tokens: Any,
    queries: Any,
    checkpoints: dict[str, LanguageModel],
    model: LanguageModel,
    gradients: GradientSettings,
    distributed: Any,
) -> tuple[Parts, Parts]:
    """Return the gradients of corpus and queries under every checkpoint."""
    trajectory.refuse_other_tokenizers(checkpoints, model, trajectory.sample_sequences(tokens, queries))
    # A type here would be one of a field of `attribution`, which Kedro cannot check beside that of the block.
    processes = Distributed.model_validate(distributed)
    return trajectory.plan_gradients(checkpoints, tokens, queries, gradients, processes)


def score_checkpoints(corpus: dict[str, Path], queries: dict[str, Path], params: ScoringSettings) -> Parts:
    """Return the scores of every document for every benchmark under every checkpoint."""
    return trajectory.plan_trajectory(corpus, queries, params)


def trace_bins(scores: dict[str, Path], tokens: Any) -> Any:
    """Return the bin maps of every checkpoint, in the order of training."""
    import pandas as pd

    labels = tokens.select_columns(["doc_id", "topic", "format"]).to_pandas()
    maps = []
    for order, (checkpoint, parts) in enumerate(trajectory.by_checkpoint(scores).items()):
        for folder in parts.values():
            table = score_files.gather([folder], score_files.SCORES).to_pandas()
            maps.append(bin_map(table, labels).assign(order=order, checkpoint=checkpoint))
    trajectory_maps = pd.concat(maps, ignore_index=True)
    return trajectory_maps[["order", "checkpoint", *trajectory_maps.columns.drop(["order", "checkpoint"])]]
