"""Ensembles over checkpoints: the mean of what each checkpoint gives, the last being the model itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from board.ensemble import _score, score_ensemble
from board.unrolling import save_checkpoint
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import GradientSettings
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from pathlib import Path

    from board.replay import Replay

SETTINGS = (
    GradientSettings(projection_dim=4, max_tokens=64, token_batch=64),
    ScoringSettings(methods=["trackstar"], default_method="trackstar", damping=0.1, target_component=2),
)


@pytest.mark.filterwarnings("ignore")  # Bergson and its libraries
def test_an_ensemble_is_the_mean_over_its_checkpoints(replay: Replay, tmp_path: Path) -> None:
    queries = replay.items.assign(variant="items")
    moments = replay.record([4, 8])
    each = []
    for step in (4, 8):
        place = tmp_path / str(step)
        model = LanguageModel.at(str(save_checkpoint(replay, moments[step], place / "model")))
        each.append(_score(replay, queries, SETTINGS, model, place))
    assert each[0].to_numpy() != pytest.approx(each[1].to_numpy())
    found = score_ensemble(replay, queries, SETTINGS, 2, tmp_path)
    assert set(found) == {"social", "stem"}
    for name, scores in found.items():
        expected = sum(own[name] for own in each) / 2
        assert scores == pytest.approx(expected[replay.doc_ids].to_numpy())
    assert list(tmp_path.glob("ensemble-*")) == []
