"""The training of a study's model, step by step: its documents in their order, and its states on the way.

A study keeps its final model only. Its training is repeated here, by the code that trained it, and must end at the same
weights; so what is computed along the way belongs to the model that is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from board.studies import GOLD, NULLS
from social_provenance.errors import ProvenanceError
from social_provenance.interventions.retraining import _equal_steps
from social_provenance.pretraining import tokenizer as bpe
from social_provenance.pretraining.pretrain import _batches, _Progress, new_model, pretrain
from social_provenance.pretraining.settings import Pretraining

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import torch

    from board.studies import Study

ITEMS = "items"
"""Variant of the queries that asks the benchmark itself."""
BATCH = 64
"""Choices scored at a time, at the only evaluation."""

NOBODY = -1
"""Owner of an end-of-text token in :meth:`Replay.batches`, until it gets that of the token before."""


@dataclass(frozen=True)
class Moment:
    """State of a training after a step; tensors by the names of the model's parameters.

    Attributes:
        step: Steps taken.
        params: Weights.
        first: AdamW's running mean of gradients.
        second: AdamW's running mean of squared gradients.
    """

    step: int
    params: Mapping[str, torch.Tensor]
    first: Mapping[str, torch.Tensor]
    second: Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Replay:
    """A training that is finished, and can be repeated.

    Attributes:
        doc_ids: Documents, in the order of training.
        topics: Topic of each document.
        tokens: Token ids of each document.
        items: The benchmarks' attribution items: ``benchmark``, ``item``, ``block``, ``prompt_ids``, ``answer_ids``.
        tokenizer: Tokenizer, as JSON.
        requests: Tokenised choices of the benchmarks, for the evaluation at the end.
        settings: Its parameters; it takes exactly ``max_steps``.
        model: Folder of the weights at which it ended.
    """

    doc_ids: Sequence[str]
    topics: Sequence[str]
    tokens: Sequence[Sequence[int]]
    items: pd.DataFrame
    tokenizer: str
    requests: pd.DataFrame
    settings: Pretraining
    model: Path

    @classmethod
    def of(cls, study: Study) -> Replay:
        """Return the training of a study whose model is trained."""
        import pandas as pd

        study.run(["attribution"], {"attribution": {"nulls": NULLS, "query": GOLD}}, outputs=["queries"])
        study.run(["counterfactual"], {}, outputs=["retraining_tokens"])
        tables = {
            name: pd.read_parquet(study.root / f"{name}.parquet")
            for name in ("05_model_input/retraining_tokens", "04_feature/queries", "04_feature/benchmark_requests")
        }
        documents, queries, requests = tables.values()
        steps = int(pd.read_parquet(study.root / "06_models/pretraining_log.parquet")["step"].max())
        return cls(
            doc_ids=documents["doc_id"].tolist(),
            topics=documents["topic"].tolist(),
            tokens=[ids.tolist() for ids in documents["input_ids"]],
            items=queries[queries["variant"] == ITEMS].reset_index(drop=True),
            tokenizer=(study.root / "06_models/tokenizer.json").read_text(),
            requests=requests,
            settings=of_steps(Pretraining.model_validate(study.params()["pretraining"]), steps),
            model=study.root / "06_models/language_model",
        )

    @cached_property
    def reader(self) -> Any:
        """The tokenizer, loaded."""
        return bpe.load_tokenizer(self.tokenizer)

    @property
    def steps(self) -> int:
        """Steps of the training."""
        return self.settings.max_steps

    def new_model(self) -> Any:
        """Return the model with its initial weights."""
        return new_model(self.settings, len(self.reader), self.reader.eos_token_id)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 1."""
        return self.settings.optimiser.learning_rate * _Progress(self.settings, self.steps).rate(step)

    def batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield tokens and owners of each step: owners are positions of documents, both (sequences, tokens).

        A document owns its end-of-text token. In the first column, which has no loss, the owner may be missing.
        """
        # The order depends only on the seed and the lengths of documents, so a corpus of owners has the same.
        lengths = [len(ids) for ids in self.tokens]
        whose = [[position] * length for position, length in enumerate(lengths)]
        streams = (
            _batches(documents, end, self.settings, frozenset())
            for documents, end in ((self.tokens, self.reader.eos_token_id), (whose, NOBODY))
        )
        for _, ((tokens, _), (owners, _)) in zip(range(self.steps), zip(*streams, strict=True), strict=False):
            filled = owners.clone()
            filled[:, 1:] = owners[:, 1:].where(owners[:, 1:] != NOBODY, owners[:, :-1])
            yield tokens, filled

    def record(self, steps: Collection[int]) -> dict[int, Moment]:
        """Repeat the training and return its states after some steps; 0 is the start.

        Raises:
            ProvenanceError: If it ends at other weights than the model.
        """
        from torch.optim.optimizer import register_optimizer_step_post_hook

        model, taken = self.new_model(), 0
        names = [name for name, _ in model.named_parameters()]
        kept = {0: Moment(0, *(dict(zip(names, own, strict=True)) for own in _initial(model)))}

        def keep(optimiser: Any, *_: Any) -> None:
            nonlocal taken
            taken += 1
            if taken in steps:
                kept[taken] = Moment(taken, *(dict(zip(names, own, strict=True)) for own in _copies(optimiser)))

        # The training loop makes its own optimiser and hands it to nobody.
        handle = register_optimizer_step_post_hook(keep)
        try:
            trained = pretrain(self.tokens, self.reader, lambda _: self.requests, self.settings, BATCH)
        finally:
            handle.remove()
        self._require_equal(trained.model)
        return {step: kept[step] for step in sorted(steps)}

    def _require_equal(self, trained: Any) -> None:
        from safetensors.torch import load_file

        (file,) = self.model.rglob("model.safetensors")
        stored = load_file(file)
        for name, weights in trained.named_parameters():
            apart = float((weights.detach() - stored[name]).abs().max())
            if apart:
                raise ProvenanceError(
                    f"the training of {self.model}, repeated, ends at other weights ({name} by {apart:.2g}): run it "
                    f"where the model was trained, or train the model again"
                )


def of_steps(settings: Pretraining, steps: int) -> Pretraining:
    """Return the settings under which a training that took ``steps`` takes the same steps, and is evaluated once."""
    return _equal_steps(settings, steps).model_copy(update={"evaluate_every": steps, "checkpoints": ()})


def _initial(model: Any) -> tuple[list[torch.Tensor], ...]:
    import torch

    params = [parameter.detach().clone() for parameter in model.parameters()]
    return params, [torch.zeros_like(own) for own in params], [torch.zeros_like(own) for own in params]


def _copies(optimiser: Any) -> tuple[list[torch.Tensor], ...]:
    params = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    moments = ([optimiser.state[parameter][name].clone() for parameter in params] for name in ("exp_avg", "exp_avg_sq"))
    return [parameter.detach().clone() for parameter in params], *moments
