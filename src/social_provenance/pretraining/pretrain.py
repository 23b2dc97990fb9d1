"""Pretraining of a small OLMo3-architecture model, until every benchmark is learned."""

from __future__ import annotations

import copy
import logging
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.capabilities.answers import summarise
from social_provenance.capabilities.scoring import Scorer
from social_provenance.errors import PretrainingError
from social_provenance.training.loop import seeded, train

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import pandas as pd
    import torch

    from social_provenance.pretraining.settings import Pretraining

    Batch = tuple[torch.Tensor, torch.Tensor]

logger = logging.getLogger(__name__)

UNTRAINED = -100
"""Label of a token without a loss."""


@dataclass(frozen=True)
class Pretrained:
    """What a pretraining leaves.

    Attributes:
        model: The model.
        log: ``step``, ``loss`` (nats per token, with label smoothing), ``benchmark``, ``accuracy``, ``gold_logprob``,
            ``choice_logprob``.
        checkpoints: ``step-000032`` -> the model after that step, in order; a step beyond the end has none.
        second_moments: Weight -> AdamW's average of its squared gradient at the end.
    """

    model: Any
    log: pd.DataFrame
    checkpoints: dict[str, Any]
    second_moments: dict[str, torch.Tensor]


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
) -> Pretrained:
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
                evaluation = summarise(scorer.score(model))
                progress.see(step, measured["loss"], evaluation)
                bar.set_postfix({row.benchmark: f"{row.accuracy:.2f}" for row in evaluation.itertuples()})
            return step < progress.last_step

        with seeded(settings.seed):
            moments = train(
                model, batches, _language_modelling(model, settings), settings.optimiser, progress.rate, after_step
            )
    log = pd.DataFrame(progress.log)
    _require_learned(log, settings)
    _log_missing(settings.checkpoints, int(log["step"].max()))
    return Pretrained(model, log, progress.kept, moments)


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
