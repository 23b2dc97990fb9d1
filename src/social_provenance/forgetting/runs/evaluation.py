"""Evaluation of a model during unlearning: losses on the forget, retain and held-out documents, and every benchmark."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.training.batches import read_losses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from social_provenance.capabilities.scoring import Scorer
    from social_provenance.training.batches import Tokens


@dataclass(frozen=True)
class Sets:
    """The documents of a run, as token ids.

    Attributes:
        forget: Documents to forget.
        retain: Documents to retain.
        held_out: Held-out documents, cut to their evaluated tokens.
        sample: Documents of the forget and of the retain set that are evaluated; None: all.
        seed: Seed of these samples.
    """

    forget: Sequence[Tokens]
    retain: Sequence[Tokens]
    held_out: Sequence[Tokens]
    sample: int | None = None
    seed: int = 0

    @cached_property
    def read(self) -> tuple[Sequence[Tokens], ...]:
        """Documents that are evaluated: forget, retain and held-out ones."""
        return self._drawn(self.forget), self._drawn(self.retain), self.held_out

    def _drawn(self, documents: Sequence[Tokens]) -> Sequence[Tokens]:
        if self.sample is None or self.sample >= len(documents):
            return documents
        places = random.Random(f"read {self.seed}").sample(range(len(documents)), self.sample)
        return [documents[place] for place in sorted(places)]


@dataclass(frozen=True)
class Snapshot:
    """Losses and answers of a model at one step.

    Attributes:
        forget_loss: Loss of the forget set, nats per token.
        retain_loss: Loss of the retain set, nats per token.
        held_out: Loss of each held-out document, nats per token, shape (documents,).
        answers: Answer to each item, of :meth:`social_provenance.capabilities.scoring.Scorer.score`.
        forget_loss_se: Standard error of the loss of the forget set, where a sample of it is read; else 0.
        retain_loss_se: Standard error of that of the retain set.
    """

    forget_loss: float
    retain_loss: float
    held_out: np.ndarray
    answers: pd.DataFrame
    forget_loss_se: float = 0.0
    retain_loss_se: float = 0.0

    def non_finite(self) -> str | None:
        """Return the name of a value that is not finite; None if all are."""
        losses = {"forget_loss": self.forget_loss, "retain_loss": self.retain_loss}
        means = {"held-out loss": float(self.held_out.mean()) if len(self.held_out) else 0.0}
        means["log-probability of the answers"] = float(self.answers["gold_logprob"].to_numpy().mean())
        return next((name for name, value in {**losses, **means}.items() if not math.isfinite(value)), None)


class Evaluator:
    """Evaluates models; the untouched model is evaluated once per set of documents for all runs of a process."""

    def __init__(self, scorer: Scorer, size: int, tokens: int | None = None) -> None:
        """Keep what every evaluation needs.

        Args:
            scorer: Scores the items of the benchmarks.
            size: Batch size of losses, documents.
            tokens: Upper bound on the tokens of such a batch, padding included; None: no bound.
        """
        self._scorer, self._size, self._tokens = scorer, size, tokens
        self._losses: dict[int, np.ndarray] = {}
        self._answers: pd.DataFrame | None = None

    def evaluate(self, model: Any, sets: Sets) -> Snapshot:
        """Return the losses of a run's documents and the answers to all items."""
        losses = [self._read(model, documents) for documents in sets.read]
        return _snapshot(sets, losses, self._scorer.score(model))

    def evaluate_untouched(self, model: Any, sets: Sets) -> Snapshot:
        """Return the same of the untouched model."""
        keys = [hash(tuple(map(tuple, documents))) for documents in sets.read]
        for key, documents in zip(keys, sets.read, strict=True):
            if key not in self._losses:
                self._losses[key] = self._read(model, documents)
        if self._answers is None:
            self._answers = self._scorer.score(model)
        return _snapshot(sets, [self._losses[key] for key in keys], self._answers)

    def _read(self, model: Any, documents: Sequence[Tokens]) -> np.ndarray:
        return read_losses(model, documents, self._size, self._tokens)


def tabulate(readings: Mapping[int, Snapshot], bins: Sequence[tuple[str, str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tabulate the evaluations of a run.

    Args:
        readings: Step -> snapshot; includes step 0.
        bins: Topic and format of each held-out document.

    Returns:
        One row per step: ``step``, ``forget_loss`` and ``retain_loss`` with their standard errors (``_se``),
        ``heldout_loss`` (nats per token, mean over bins) and ``heldout_rise`` (largest rise of a bin since step 0);
        null without held-out documents. And one row per step and bin: ``step``, ``topic``, ``format``, ``loss``.
    """
    import pandas as pd

    tables = {step: heldout_of_bins(reading, bins) for step, reading in readings.items()}
    rows = [
        {
            "step": step,
            "forget_loss": reading.forget_loss,
            "retain_loss": reading.retain_loss,
            "forget_loss_se": reading.forget_loss_se,
            "retain_loss_se": reading.retain_loss_se,
            "heldout_loss": tables[step].mean(),
            "heldout_rise": (tables[step] - tables[0]).max(),
        }
        for step, reading in readings.items()
    ]
    held = [table.rename("loss").reset_index().assign(step=step) for step, table in tables.items()]
    return pd.DataFrame(rows), pd.concat(held, ignore_index=True)[["step", "topic", "format", "loss"]]


def heldout_of_bins(reading: Snapshot, bins: Sequence[tuple[str, str]]) -> pd.Series[float]:
    """Return the mean held-out loss of each bin, nats per token."""
    import pandas as pd

    index = pd.MultiIndex.from_tuples(list(bins), names=["topic", "format"]) if bins else _no_bins()
    own: pd.Series[float] = pd.Series(reading.held_out, index=index, dtype=float)
    return own.groupby(level=["topic", "format"]).mean()


def _no_bins() -> pd.MultiIndex:
    import pandas as pd

    return pd.MultiIndex.from_arrays([[], []], names=["topic", "format"])


def _snapshot(sets: Sets, losses: Sequence[np.ndarray], answers: pd.DataFrame) -> Snapshot:
    forget, retain, held_out = losses
    return Snapshot(
        _mean(forget),
        _mean(retain),
        held_out[:, 0] / held_out[:, 1].clip(1),
        answers,
        _standard_error(forget, len(sets.forget)),
        _standard_error(retain, len(sets.retain)),
    )


def _mean(losses: np.ndarray) -> float:
    return float(losses[:, 0].sum() / losses[:, 1].sum())


def _standard_error(losses: np.ndarray, size: int) -> float:
    """Return that of a loss per token, a ratio of two sums, over a sample without replacement (Cochran 1977, ch. 6).

    Args:
        losses: Loss and number of predicted tokens of each document of the sample, shape (documents, 2).
        size: Documents of the whole set; 0 is returned if all are in the sample, NaN for a sample of one.
    """
    count = len(losses)
    if count == size:
        return 0.0
    residuals = losses[:, 0] - _mean(losses) * losses[:, 1]
    variance = float(np.square(residuals).sum()) / (count - 1) if count > 1 else math.nan
    return math.sqrt((1 - count / size) * variance / count) / float(losses[:, 1].mean())
