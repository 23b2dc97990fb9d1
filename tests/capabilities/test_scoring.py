"""The log-probability of a choice is that of its own tokens after its prompt, in whatever batch it is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from social_provenance.capabilities.scoring import completion_losses_of
from social_provenance.training.head import completion_losses

if TYPE_CHECKING:
    from collections.abc import Callable

CHOICES = [([5, 6, 7, 8], 1), ([5, 6, 7, 9], 1), ([5, 6, 7, 9], 2), ([10, 11], 1), ([12, 13, 14, 15, 16, 17], 3)]
"""Three that share all tokens but the last, two of them as answers of different lengths."""


def _exact(model: Any) -> list[float]:
    found = []
    for tokens, count in CHOICES:
        logprobs = model(input_ids=torch.tensor([tokens])).logits[0].double().log_softmax(-1)
        found.append(
            -sum(float(logprobs[place - 1, tokens[place]]) for place in range(len(tokens) - count, len(tokens)))
        )
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_a_completion_has_the_loss_of_its_tokens_after_its_prompt(tiny_model: Any, size: int) -> None:
    with torch.no_grad():
        found = completion_losses_of(tiny_model.eval(), CHOICES, size)
        np.testing.assert_allclose(found, _exact(tiny_model), rtol=1e-5)


def test_choices_that_differ_in_their_last_token_are_computed_once(
    tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[list[list[int]]] = []

    def watch(model: Any, batch: Any, completions: Any) -> Any:
        rows.append(batch.input_ids.tolist())
        return completion_losses(model, batch, completions)

    monkeypatch.setattr("social_provenance.capabilities.scoring.completion_losses", watch)
    with torch.no_grad():
        completion_losses_of(tiny_model.eval(), CHOICES, 2)
    assert rows == [[[12, 13, 14, 15, 16], [5, 6, 7, 0, 0]], [[10]]]


def test_the_head_is_given_the_tokens_of_answers_alone_in_chunks(
    tiny_model: Any, make_scored: Callable[..., Any]
) -> None:
    assert make_scored(tiny_model, at_once=1) == [1] * 8
    assert make_scored(tiny_model, at_once=10**9) == [8]


@pytest.fixture
def make_scored() -> Callable[..., list[int]]:
    """Return a function that scores the choices in one batch and notes how many tokens the head is given at a time."""
    from social_provenance.training.batches import pad

    def score(model: Any, at_once: int) -> list[int]:
        given: list[int] = []
        model.lm_head.register_forward_hook(lambda _module, inputs, _output: given.append(inputs[0].shape[-2]))
        completions = [(row, tokens[-count:]) for row, (tokens, count) in enumerate(CHOICES)]
        with torch.no_grad():
            completion_losses(model.eval(), pad([tokens[:-1] for tokens, _ in CHOICES]), completions, at_once)
        return given

    return score
