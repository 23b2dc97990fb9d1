"""Log-probabilities of choices under a model, equal to those of lm-eval (a test compares them).

Only the tokens of answers are given to the model's head, in chunks, so that the logits of a batch are never in memory
at once. lm-eval keeps those of all tokens, in the precision of the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.capabilities.answers import answers
from social_provenance.training.batches import take
from social_provenance.training.head import completion_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from social_provenance.training.batches import Tokens


class Scorer:
    """Scorer of models on requests that were tokenised once."""

    def __init__(self, requests: pd.DataFrame, batch_size: int) -> None:
        """Take requests.

        Args:
            requests: Of :func:`~social_provenance.capabilities.harness.build_requests`.
            batch_size: Choices of a batch.
        """
        self.requests = requests
        self.batch_size = batch_size
        both = zip(requests["prompt_ids"], requests["completion_ids"], strict=True)
        self._choices = [([*map(int, before), *map(int, after)], len(after)) for before, after in both]

    @property
    def normalisation(self) -> str:
        """Unit of the log-probabilities: ``none``, ``token`` or ``byte``, the same for all requests of a study."""
        return str(self.requests["normalisation"].iloc[0])

    def score(self, model: Any) -> pd.DataFrame:
        """Return the model's answer to each item; the model's training mode is restored.

        Returns:
            One row per item, as :func:`~social_provenance.capabilities.answers.answers` reduces them.
        """
        import torch

        training = model.training
        model.eval()
        with torch.no_grad():
            logprobs = -completion_losses_of(model, self._choices, self.batch_size)
        model.train(training)
        return answers(self.requests.assign(logprob=logprobs))


def completion_losses_of(model: Any, choices: Sequence[tuple[Tokens, int]], size: int) -> np.ndarray:
    """Return the loss of each completion after its prompt, nats, shape (choices,).

    Choices that differ in their last token alone are one sequence, and the longest sequences are first.

    Args:
        model: Causal model.
        choices: Tokens of prompt and completion, and how many of them are the completion.
        size: Sequences of a batch.
    """
    sharing: dict[tuple[int, ...], list[int]] = {}
    for place, (tokens, _) in enumerate(choices):
        sharing.setdefault(tuple(tokens[:-1]), []).append(place)
    sequences = sorted(sharing, key=lambda tokens: (-len(tokens), tokens))
    found = np.empty(len(choices))
    for start in range(0, len(sequences), size):
        rows = range(start, min(start + size, len(sequences)))
        asked = [(row, place) for row in rows for place in sharing[sequences[row]]]
        completions = [(row - start, choices[place][0][-choices[place][1] :]) for row, place in asked]
        losses = completion_losses(model, take(sequences, rows, model.device), completions)
        found[[place for _, place in asked]] = losses.double().cpu().numpy()
    return found
