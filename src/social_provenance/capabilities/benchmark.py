"""Parameters of the benchmarks, each a cell of the 2 x 2 design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from social_provenance.capabilities.normalisation import Normalise
from social_provenance.errors import repeated
from social_provenance.parameters import Parameters

Domain = Literal["social", "stem"]
Level = Literal["reasoning", "knowledge"]


class Benchmark(Parameters):
    """A benchmark and the lm-eval task definition that renders it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    """Name in tables and figures."""
    domain: Domain
    """Column of the design: ``social`` or ``stem``."""
    level: Level
    """Row of the design: ``reasoning`` or ``knowledge``."""
    task: str
    """A YAML file in the folder of benchmarks, or a stock definition below ``lm_eval/tasks``
    (``siqa/siqa.yaml``); with ``tag``, a folder of stock definitions."""
    tag: str | None = None
    """Use every definition in ``task`` with this tag (``mmlu_stem_tasks``)."""
    file: str | None = None
    """Items in the folder of benchmarks (JSON lines); without one, the task's own data on the hub."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the task definition (``description``, ``doc_to_text``, ...)."""
    cluster: str | None = None
    """Column of the items; items with equal values are statistically dependent."""

    @model_validator(mode="after")
    def _one_source(self) -> Benchmark:
        if self.tag is not None and self.file is not None:
            raise ValueError(
                f"benchmark {self.name!r} has a tag and a file: every definition with the tag would read the same "
                f"items; name one definition, or leave the file out"
            )
        return self


class Evaluation(Parameters):
    """The benchmarks of a study and how they are scored."""

    benchmarks: Annotated[Sequence[Benchmark], Field(min_length=1)]
    """A list, not a mapping: an environment's benchmarks replace those of base."""
    batch_size: PositiveInt = 64
    """Choices per batch; fixed, because it changes the last digits of results."""
    limit: PositiveInt | None = None
    """Largest number of items per task, evenly spaced; null: all."""
    max_unusable_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a task's items that may be unusable (two choices with the same tokens, an
    empty prompt, too long for the model); they are left out and logged. At 0 the first one ends the run."""
    normalise: Normalise = "auto"
    """Unit by which the log-probability of an answer is divided, wherever outcomes are measured: ``token``, ``byte``
    (as lm-eval's ``acc_bytes``), ``none``; ``auto``: none if all answers of the study have the same number of tokens,
    else ``token``."""
    allow_code: bool = False
    """Whether a task definition in the folder of benchmarks may run code: Python functions (``!function``), metrics of
    the hub, prompts of other files. lm-eval's own definitions always may."""
    split_items: bool = True
    """True: half of the clusters of items are attribution queries, the other half are held out to measure
    unlearning. False: every item does both."""
    split_seed: int = 0
    """Seed of that split."""

    @model_validator(mode="after")
    def _names_differ(self) -> Evaluation:
        if twice := repeated([benchmark.name for benchmark in self.benchmarks]):
            raise ValueError(f"two benchmarks are named {min(twice)!r}: give each its own name")
        return self

    def cell(self, domain: Domain, level: Level) -> list[str]:
        """Return the names of the benchmarks in a cell of the design."""
        return [b.name for b in self.benchmarks if b.domain == domain and b.level == level]
