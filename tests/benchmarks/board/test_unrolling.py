"""Unrolling: where the learning rate vanishes it is the product of gradients; equal documents have equal scores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from board.unrolling import ADAM, SGD, Unrolling, _run, even_steps, rates, save_checkpoint, score_unrolling
from social_provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from board.replay import Replay

FAINT = 1e-12


def gradient(model: Any, tokens: Sequence[int], start: int) -> torch.Tensor:
    """Return the gradient, by the linear layers of the body, of the summed loss of the tokens from ``start``."""
    row = torch.tensor([list(tokens)])
    logits = model(row).logits[0, start - 1 : -1]
    linear = [own.weight for own in model.model.modules() if isinstance(own, torch.nn.Linear)]
    loss = cross_entropy(logits, row[0, start:], reduction="sum")
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, linear)])


@pytest.mark.filterwarnings("ignore")  # Bergson and its libraries
def test_where_the_rate_vanishes_a_score_is_the_product_of_gradients(replay: Replay, tmp_path: Path) -> None:
    moment = replay.record([8])[8]
    checkpoint = save_checkpoint(replay, moment, tmp_path / "step_8")
    optimiser = replay.settings.optimiser.model_copy(update={"learning_rate": FAINT})
    faint = replace(replay, settings=replay.settings.model_copy(update={"optimiser": optimiser}))
    found = _run(faint, Unrolling(1, 1, SGD), [checkpoint], tmp_path)
    model = replay.new_model()
    model.load_state_dict(moment.params)
    documents = torch.stack([gradient(model, ids, 1) for ids in replay.tokens])
    items = torch.stack(
        [gradient(model, [*own.prompt_ids, *own.answer_ids], len(own.prompt_ids)) for own in replay.items.itertuples()]
    )
    ((rate, steps),) = rates(faint, 1)
    assert found / (rate * steps) == pytest.approx((documents @ items.T).numpy(), rel=1e-3, abs=1e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("variant", [ADAM, SGD])
def test_equal_documents_have_equal_scores(replay: Replay, tmp_path: Path, variant: str) -> None:
    scores = score_unrolling(replay, Unrolling(2, 2, variant), tmp_path)
    assert scores.shape == (16, 2)
    assert scores[4:8] == pytest.approx(scores[:4], rel=1e-3)
    assert len({f"{value:.3g}" for value in scores[:4, 0]}) == 4
    assert list(tmp_path.glob("unrolling-*")) == []


def test_segments_have_the_steps_and_the_rates_of_the_training(replay: Replay) -> None:
    assert even_steps(601, 3) == [200, 400, 601]
    tokens = np.mean([len(ids) - 1 for ids in replay.tokens])
    for segments in (1, 2, 3):
        found = rates(replay, segments)
        assert sum(steps for _, steps in found) == 8
        total = sum(replay.rate(step) for step in range(1, 9))
        assert sum(rate * steps for rate, steps in found) * tokens == pytest.approx(total)


def test_checkpoints_that_cannot_be_dealt_to_segments_are_refused() -> None:
    with pytest.raises(ProvenanceError, match="--checkpoints: 4 cannot be dealt to 3 segments: give a multiple"):
        Unrolling(4, 3)
