"""A training that is repeated: its batches and rates, each token with its document, the same weights or an error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from social_provenance.errors import ProvenanceError
from social_provenance.pretraining.pretrain import _batches, _Progress

if TYPE_CHECKING:
    from board.replay import Replay


def test_each_predicted_token_has_the_document_that_a_retraining_would_leave_out(replay: Replay) -> None:
    end = replay.reader.eos_token_id
    whole = [(tokens.clone(), owners) for tokens, owners in replay.batches()]
    assert len(whole) == 8
    for left_out in range(len(replay.tokens)):
        without = _batches(replay.tokens, end, replay.settings, frozenset([left_out]))
        for (tokens, owners), (_, labels) in zip(whole, without, strict=False):
            assert torch.equal((owners == left_out)[:, 1:], (labels == -100)[:, 1:])
            assert torch.equal(tokens[owners != left_out], labels.where(labels != -100, tokens)[owners != left_out])


def test_rates_are_those_of_a_training_that_stopped_when_it_had_learned(replay: Replay) -> None:
    progress = _Progress(replay.settings.model_copy(update={"max_steps": 100}), 100)
    for step in range(1, 9):
        if step == 5:
            progress.last_step = 8
        assert replay.rate(step) == pytest.approx(1e-2 * progress.rate(step), rel=1e-12)


def test_the_states_on_the_way_lead_to_the_model(replay: Replay) -> None:
    moments = replay.record([0, 3, 8])
    assert [moment.step for moment in moments.values()] == [0, 3, 8]
    stored = load_file(replay.model / "model.safetensors")
    assert all(torch.equal(weights, stored[name]) for name, weights in moments[8].params.items())
    first = dict(replay.new_model().named_parameters())
    assert all(torch.equal(weights, first[name]) for name, weights in moments[0].params.items())
    assert not any(second.any() for second in moments[0].second.values())
    assert not torch.equal(moments[3].second["lm_head.weight"], moments[8].second["lm_head.weight"])


def test_a_training_that_ends_elsewhere_is_refused(replay: Replay) -> None:
    other = replace(replay, settings=replay.settings.model_copy(update={"seed": 1}))
    with pytest.raises(ProvenanceError, match="repeated, ends at other weights"):
        other.record([8])
