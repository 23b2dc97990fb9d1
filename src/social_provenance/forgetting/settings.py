"""Parameters of an unlearning study: what is forgotten, how runs train, when they are evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from social_provenance.forgetting.effect_settings import EffectSettings
from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.forgetting.objectives.registry import Algorithm
from social_provenance.forgetting.vocabulary import Variable
from social_provenance.parameters import Parameters
from social_provenance.training.loop import Optimiser


class Lora(Parameters):
    """Low-rank adapters (Hu et al. 2021) instead of all weights."""

    rank: PositiveInt = 8
    """Rank of an adapter."""
    alpha: PositiveInt = 16
    """Scale of an adapter: its output is multiplied by ``alpha / rank``."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Dropout probability on the input of an adapter, in training."""
    targets: Annotated[Sequence[str], Field(min_length=1)] = ("q_proj", "k_proj", "v_proj", "o_proj")
    """Modules with an adapter, by the last part of their name."""


class Matching(Parameters):
    """Matching of random sets to the targeted one."""

    variables: Annotated[Sequence[Variable], Field(min_length=1)] = ("length", "grad_norm")
    """Variables that are matched, the length among them; the balance of all is reported. A variable that follows from
    what a document teaches, as its loss does, makes random sets as influential as the targeted one
    (docs/decisions/0023)."""
    neighbours: PositiveInt = 10
    """Nearest neighbours of a targeted document, by the matched variables, among which its random counterpart is
    drawn."""
    tolerance: PositiveFloat = 0.1
    """Upper bound on the standardised difference of means, which exchanges of documents aim at."""
    token_tolerance: PositiveFloat = 0.02
    """Upper bound on the relative difference in tokens, which exchanges aim at."""

    @model_validator(mode="after")
    def _length_is_matched(self) -> Matching:
        if "length" not in self.variables or len(set(self.variables)) < len(self.variables):
            raise ValueError(
                f"variables {list(self.variables)} must name length, and each variable once, as sets with more "
                f"tokens do more damage: fix the list"
            )
        return self


class HeldOut(Parameters):
    """Documents of every bin that no run of a contrast forgets or retains; they measure collateral damage."""

    per_bin: PositiveInt = 1
    """Upper bound on documents per bin."""
    max_tokens: PositiveInt | None = 32
    """Tokens of a document that are evaluated, from its start; null: all."""


class Unlearning(Parameters):
    """Parameters of an unlearning study: documents to forget, algorithms, dose, evaluations.

    All runs of a contrast have the same algorithm, steps, learning rate, number of documents, about the
    same number of tokens, and the same retained documents; no run is stopped by a benchmark.
    """

    algorithms: Annotated[Sequence[Algorithm], Field(min_length=1)] = (NGDiff(),)
    """Unlearning algorithms with their hyperparameters, each of ``forgetting/objectives``."""
    topics: PositiveInt = 1
    """Topics tested per benchmark, those with the largest z."""
    order_seeds: Annotated[Sequence[int], Field(min_length=1)] = (0, 1)
    """Seeds of the order of documents: one run of the targeted set per seed; random sets take them in turn."""
    random_sets: PositiveInt = 5
    """Random sets per topic that the targeted set is compared with; the smallest p is 1 / (sets + 1)."""
    global_sets: NonNegativeInt = 1
    """Random sets of the whole corpus that the most influential documents of all topics are compared with; 0: no
    global arms."""
    forget_documents: Annotated[int, Field(ge=2)] = 24
    """Documents per set; two or more, because a single one has no variance to standardise differences by."""
    retain_per_topic: PositiveInt = 8
    """Retained documents per topic other than that of the sets, spread over its formats."""
    matching: Matching = Matching()
    """Matching of random sets."""
    held_out: HeldOut = HeldOut()
    """Held-out documents."""
    seed: int = 0
    """Seed of random sets, retained and held-out documents."""
    steps: PositiveInt = 12
    """Optimiser steps per run: the dose."""
    read_every: PositiveInt = 4
    """Steps between evaluations of all losses and benchmarks."""
    batch_documents: PositiveInt = 8
    """Documents per step from each of the forget and retain sets."""
    max_tokens: PositiveInt | None = None
    """Tokens of a document that are forgotten, retained and evaluated, from its start; null: all."""
    tokens_at_once: PositiveInt | None = None
    """Upper bound on the tokens of a pass, padding included. A larger batch is taken in parts that give the same
    gradient; a longer document is a part alone. null: no bound."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the weights that are not trained; adapters are fp32. All weights are trained in fp32 alone, because
    a small step of a bf16 weight is rounded away."""
    checkpointing: bool = False
    """Compute activations again in the backward pass instead of holding them: about a third more time."""
    read_documents: PositiveInt = 32
    """Batch size of the evaluation of losses, documents."""
    read_sample: PositiveInt | None = None
    """Documents of the forget and of the retain set that are evaluated, a seeded sample; null: all."""
    optimiser: Optimiser = Optimiser(learning_rate=3e-4, weight_decay=0.0)
    """Optimiser; its learning rate is constant."""
    lora: Lora | None = None
    """Low-rank adapters; null: all weights are trained."""
    max_held_out_rise: PositiveFloat = 1.0
    """Rise of the held-out loss of any bin, nats per token, above which a run is stopped (status ``stopped``)."""
    max_unfinished_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of runs that may end as ``failed`` or ``stopped``; with more of them the pipeline ends with an error."""
    processes: PositiveInt = 1
    """Processes that train in parallel, each on its own device if there are several."""
    effects: EffectSettings = EffectSettings()
    """Readings and margin of the statistics."""

    @model_validator(mode="after")
    def _name_once(self) -> Unlearning:
        for name, values in (
            ("order_seeds", list(self.order_seeds)),
            ("algorithms", [algorithm.name for algorithm in self.algorithms]),
        ):
            if len(set(values)) < len(values):
                raise ValueError(
                    f"{name} {values} must be unique, as a run counted twice narrows the interval: name each once"
                )
        return self

    @model_validator(mode="after")
    def _precision_fits(self) -> Unlearning:
        if self.precision == "bf16" and self.lora is None:
            raise ValueError(
                "precision bf16 needs adapters (lora), for a small step of a bf16 weight is rounded away: give lora, "
                "or precision fp32"
            )
        return self

    @model_validator(mode="after")
    def _readings_fit(self) -> Unlearning:
        if self.steps % self.read_every:
            raise ValueError(
                f"steps ({self.steps}) must be a multiple of read_every ({self.read_every}), so that the "
                f"last evaluation is at the end: change one of them"
            )
        return self

    @property
    def grid(self) -> range:
        """Steps after which losses and benchmarks are evaluated."""
        return range(self.read_every, self.steps + 1, self.read_every)
