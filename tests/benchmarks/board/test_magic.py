"""The derivative by the weight of a document is the change of the outcome where the model is retrained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from board.magic import ALL, DECAY, Steps, score_magic

if TYPE_CHECKING:
    from board.replay import Replay

STEP = 1e-3


def retrain(replay: Replay, of_documents: np.ndarray) -> np.ndarray:
    """Train with weights of documents, by PyTorch's own AdamW in double precision; return the loss of each item."""
    settings, weights = replay.settings.optimiser, torch.from_numpy(of_documents)
    model = replay.new_model().double().train()
    options: dict[str, Any] = {"weight_decay": settings.weight_decay, "betas": (0.9, settings.beta2)}
    optimiser = torch.optim.AdamW(model.parameters(), **options)
    for step, (tokens, owners) in enumerate(replay.batches(), start=1):
        optimiser.zero_grad()
        logits = model(tokens).logits[:, :-1].flatten(0, 1)
        losses = cross_entropy(logits, tokens[:, 1:].flatten(), label_smoothing=0.1, reduction="none")
        (losses * weights[owners[:, 1:].flatten()]).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.param_groups[0]["lr"] = replay.rate(step)
        optimiser.step()
    found = []
    for item in replay.items.itertuples():
        tokens = torch.tensor([[*item.prompt_ids, *item.answer_ids]])
        logits = model(tokens).logits[0, len(item.prompt_ids) - 1 : -1]
        found.append(float(cross_entropy(logits, tokens[0, len(item.prompt_ids) :], reduction="sum").detach()))
    return np.array(found)


def test_a_topic_of_another_weight_changes_the_outcome_as_predicted(replay: Replay) -> None:
    scores = np.stack(list(score_magic(replay, ALL).values()), axis=1)
    topics = [np.array([topic == own for own in replay.topics], float) for topic in sorted(set(replay.topics))]
    predicted = np.stack([own @ scores for own in topics])
    change = np.stack([retrain(replay, 1 - STEP * own) - retrain(replay, 1 + STEP * own) for own in topics])
    change /= 2 * STEP
    assert np.abs(change).max() > 0.5  # else there is nothing to predict
    # Where a gradient is as small as AdamW's epsilon, training is not smooth, so no difference is exact.
    assert predicted == pytest.approx(change, abs=0.02 * float(np.abs(change).max()))


def test_the_decay_alone_is_the_last_steps_of_the_whole(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []
    inner = Steps.backward

    def backward(steps: Steps, moment: Any, end: int, cotangents: Any) -> Any:
        walked.append((moment.step, end))
        return inner(steps, moment, end, cotangents)

    monkeypatch.setattr(Steps, "backward", backward)
    scores = score_magic(replay, DECAY)
    assert walked == [(6, 8), (4, 6)]
    late = {owner for _, owners in list(replay.batches())[4:] for owner in owners[:, 1:].flatten().tolist()}
    early = sorted(set(range(len(replay.tokens))) - late)
    assert early
    assert not any(own[early].any() for own in scores.values())
    assert all(own[sorted(late)].all() for own in scores.values())
