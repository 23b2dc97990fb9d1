"""Pretraining of a small OLMo3-architecture model, until every benchmark is learned."""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from social_provenance.capabilities.answers import summarise
from social_provenance.capabilities.harness import Scorer
from social_provenance.errors import PretrainingError
from social_provenance.parameters import Parameters
from social_provenance.training.loop import Optimiser, seeded, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    import torch

    Batch = tuple[torch.Tensor, torch.Tensor]

logger = logging.getLogger(__name__)

Share = Annotated[float, Field(ge=0, le=1)]

UNTRAINED = -100
"""Label of a token without a loss."""


class Architecture(Parameters):
    """Shape of an OLMo3 model; the defaults give 0.7 M parameters with 1,280 tokens."""

    hidden_size: PositiveInt = 128
    """Dimensions of the residual stream; a multiple of ``heads``."""
    layers: PositiveInt = 2
    """Transformer blocks."""
    heads: PositiveInt = 4
    """Attention heads per block, with as many key-value heads."""
    intermediate_size: PositiveInt = 256
    """Dimensions of a block's feed-forward layer."""
    max_tokens: PositiveInt = 8192
    """Longest sequence, in tokens."""
    initial_std: PositiveFloat = 0.088
    """Standard deviation of the initial weights; about 1 / sqrt(hidden_size). The 0.02 of large models makes a
    small one stay on a plateau for a time that differs between benchmarks
    (docs/decisions/0005)."""


class Pretraining(Parameters):
    """Parameters of the pretraining of a small model."""

    seed: int = 0
    """Seed of the weights and of the order of the documents."""
    vocab_size: Annotated[int, Field(gt=256)] = 1280
    """Vocabulary of the byte-level BPE, tokens, including the 256 bytes."""
    architecture: Architecture = Architecture()
    """Shape of the model."""
    optimiser: Optimiser = Optimiser(learning_rate=4e-3)
    """Optimiser."""
    label_smoothing: Share = 0.1
    """Share of the target distribution spread evenly over the vocabulary. It keeps the model from saturating,
    and a saturated model hides its provenance (docs/decisions/0005)."""
    sequence_tokens: PositiveInt = 64
    """Tokens per training sequence."""
    batch_sequences: PositiveInt = 16
    """Sequences per step."""
    max_steps: PositiveInt = 1600
    """Upper bound on optimiser steps."""
    warmup_steps: NonNegativeInt = 40
    """Steps of linear warm-up of the learning rate."""
    decay_steps: PositiveInt = 100
    """Steps of linear decay to zero, from when every benchmark has been learned, or at the end."""
    evaluate_every: PositiveInt = 32
    """Steps between evaluations of the benchmarks."""
    learned_accuracy: Share | None = 0.9
    """Accuracy that every benchmark has to reach at some evaluation before the learning rate decays; null: train for
    ``max_steps``. At a constant learning rate accuracies vary from step to step, so a benchmark that has reached it
    may be below it again, until the decay raises all of them."""
    required_accuracy: Share = 0.85
    """Accuracy of any benchmark below which the run ends with an error, unless ``learned_accuracy`` is null."""
    leave_out_sources: Sequence[str] = ()
    """Sources whose documents are not trained on."""
    checkpoints: Sequence[PositiveInt] = ()
    """Steps after which a checkpoint is kept, for the pipeline ``trajectory``."""

    @model_validator(mode="after")
    def _decay_fits(self) -> Pretraining:
        if self.decay_steps > self.max_steps:
            raise ValueError(f"decay_steps ({self.decay_steps}) exceeds max_steps ({self.max_steps}): lower it")
        return self


@dataclass
class _Progress:
    """Log and checkpoints of a training so far, and its last step."""

    settings: Pretraining
    last_step: int
    learned: set[str] = field(default_factory=set)
    decaying: bool = False
    log: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)

    def rate(self, step: int) -> float:
        """Return the share of the peak learning rate: warm-up, plateau, linear decay."""
        warm = min(1.0, step / max(1, self.settings.warmup_steps))
        return warm * min(1.0, (self.last_step - step + 1) / self.settings.decay_steps)

    def keep(self, step: int, model: Any) -> None:
        """Keep a copy of the model if a checkpoint is due."""
        if step in self.settings.checkpoints:
            # A copy rather than a new model with the same weights, which would draw random numbers.
            self.kept[f"step-{step:06d}"] = copy.deepcopy(model).eval()

    def see(self, step: int, loss: float, evaluation: pd.DataFrame) -> None:
        """Record an evaluation and, once every benchmark has been learned, set the last step."""
        for row in evaluation.to_dict("records"):
            self.log.append({"step": step, "loss": loss, **{str(name): value for name, value in row.items()}})
        goal = self.settings.learned_accuracy
        if goal is None or self.decaying:
            return
        self.learned |= set(evaluation.loc[evaluation["accuracy"] >= goal, "benchmark"])
        if self.learned == set(evaluation["benchmark"]):
            self.decaying = True
            self.last_step = min(self.last_step, step + self.settings.decay_steps)


def leave_out(documents: Any, sources: Sequence[str]) -> Any:
    """Return the documents of all other sources, and those without a source.

    Raises:
        PretrainingError: If a source has no document.
    """
    for source in sources:
        if not documents.filter(documents.source == source).count().execute():
            raise PretrainingError(
                f"pretraining.leave_out_sources: no document is of the source {source!r}; leave it out of the list"
            )
    return documents.filter(documents.source.isnull() | documents.source.notin(sources)) if sources else documents


def new_model(settings: Pretraining, vocab_size: int, end_of_text: int) -> Any:
    """Return an OLMo3 model with initial weights drawn from the seed."""
    from transformers import Olmo3Config, Olmo3ForCausalLM

    shape = settings.architecture
    config = Olmo3Config(
        vocab_size=vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.max_tokens,
        initializer_range=shape.initial_std,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=end_of_text,
        pad_token_id=end_of_text,
    )
    with seeded(settings.seed):
        return Olmo3ForCausalLM(config)


def pretrain(
    documents: Sequence[Sequence[int]],
    tokenizer: Any,
    requests: Callable[[Any], pd.DataFrame],
    settings: Pretraining,
    batch_size: int,
    left_out: Collection[int] = (),
) -> tuple[Any, pd.DataFrame, dict[str, Any]]:
    """Train a model on documents and evaluate the benchmarks on the way.

    The learning rate warms up, stays constant, and decays linearly to zero over ``decay_steps``: from the step
    by which every benchmark has reached ``learned_accuracy``, or so that it ends at ``max_steps``.

    Documents that are left out keep their positions, so that every step has the same tokens of all others:
    their own tokens are replaced by the end-of-text token and excluded from the loss.

    Args:
        documents: Token ids of each document.
        tokenizer: Tokenizer of the documents.
        requests: Model configuration -> tokenised choices of the benchmarks.
        settings: Architecture, optimisation and when to stop.
        batch_size: Choices scored at a time.
        left_out: Positions of the documents to leave out.

    Returns:
        The model; its log: ``step``, ``loss`` (nats per token, with label smoothing), ``benchmark``, ``accuracy``,
        ``gold_logprob``, ``choice_logprob``; and its checkpoints, ``step-000032`` -> the model
        after that step, in order. A step beyond the end has none.

    Raises:
        PretrainingError: If a benchmark is below ``required_accuracy``, unless ``learned_accuracy`` is null.
    """
    import pandas as pd
    from tqdm import tqdm

    model = new_model(settings, len(tokenizer), tokenizer.eos_token_id)
    scorer = Scorer(requests(model.config), batch_size)
    progress = _Progress(settings, settings.max_steps)
    batches = _batches(documents, tokenizer.eos_token_id, settings, frozenset(left_out))
    with tqdm(total=settings.max_steps, desc="pretraining", unit="step", mininterval=5.0) as bar:

        def after_step(step: int, measured: dict[str, float]) -> bool:
            bar.update()
            progress.keep(step, model)
            if step % settings.evaluate_every == 0 or step >= progress.last_step:
                evaluation = summarise(scorer.score(model, tokenizer))
                progress.see(step, measured["loss"], evaluation)
                bar.set_postfix({row.benchmark: f"{row.accuracy:.2f}" for row in evaluation.itertuples()})
            return step < progress.last_step

        with seeded(settings.seed):
            train(model, batches, _language_modelling(model, settings), settings.optimiser, progress.rate, after_step)
    log = pd.DataFrame(progress.log)
    _require_learned(log, settings)
    _log_missing(settings.checkpoints, int(log["step"].max()))
    return model, log, progress.kept


def _require_learned(log: pd.DataFrame, settings: Pretraining) -> None:
    final = log[log["step"] == log["step"].max()]
    listed = ", ".join(f"{row.benchmark} {row.accuracy:.2f}" for row in final.itertuples())
    logger.info("pretraining ended after %d steps: %s", final["step"].iloc[0], listed)
    if settings.learned_accuracy is not None and final["accuracy"].min() < settings.required_accuracy:
        raise PretrainingError(
            f"after {final['step'].iloc[0]} steps the model answers {listed}; pretraining.required_accuracy is "
            f"{settings.required_accuracy}: raise pretraining.max_steps, or set pretraining.learned_accuracy to null "
            f"where nothing is to be learned"
        )


def _log_missing(checkpoints: Sequence[int], last_step: int) -> None:
    beyond = sorted(step for step in checkpoints if step > last_step)
    if beyond:
        listed = ", ".join(map(str, beyond))
        logger.info("pretraining.checkpoints: no checkpoint at %s, training ended after step %d", listed, last_step)


def _language_modelling(model: Any, settings: Pretraining) -> Callable[[Batch], dict[str, float]]:
    import torch
    from torch.nn import functional

    def set_gradients(batch: Batch) -> dict[str, float]:
        inputs, labels = batch
        logits = model(inputs).logits[:, :-1]
        targets = labels[:, 1:].reshape(-1)
        trained = float((targets != UNTRAINED).float().mean())
        if trained == 0:
            return {"loss": float("nan")}
        loss = functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), targets, label_smoothing=settings.label_smoothing
        )
        torch.autograd.backward(loss * trained)
        return {"loss": float(loss.detach())}

    return set_gradients


def _batches(
    documents: Sequence[Sequence[int]], end_of_text: int, settings: Pretraining, left_out: frozenset[int]
) -> Iterator[Batch]:
    """Yield inputs and labels forever: documents in a new order each epoch, concatenated and cut into sequences."""
    import torch

    size, width = settings.batch_sequences, settings.sequence_tokens
    rng = random.Random(settings.seed)
    tokens = sum(len(document) + 1 for document in documents)
    if tokens < size * width:
        raise PretrainingError(
            f"the corpus has {tokens} tokens, a batch needs {size * width}: give more documents or lower "
            f"pretraining.batch_sequences"
        )
    blank = [[UNTRAINED] * (len(document) + 1) if i in left_out else None for i, document in enumerate(documents)]
    while True:
        order = rng.sample(range(len(documents)), len(documents))
        stream: np.ndarray = np.concatenate([blank[i] or [*documents[i], end_of_text] for i in order])
        rows = stream[: len(stream) // width * width].reshape(-1, width)
        shuffled = rng.sample(range(len(rows)), len(rows))
        for start in range(0, len(rows) - size + 1, size):
            labels = torch.from_numpy(rows[shuffled[start : start + size]]).long()
            yield labels.where(labels != UNTRAINED, end_of_text), labels
