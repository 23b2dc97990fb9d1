"""What costs are estimated from, and what a cost is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from social_provenance.planning.laws import LAWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from social_provenance.planning.laws import Machine
    from social_provenance.planning.sizes import Sizes
    from social_provenance.planning.study import Study

By = Literal["trial", "law", "unknown"]


@dataclass(frozen=True)
class Cost:
    """What a stage takes.

    Attributes:
        seconds: Seconds of the wall clock; None: unknown.
        by: How they were found.
        host: Peak of the memory of its processes beyond that of the program, bytes.
        disk: Bytes that it leaves in the data folder.
        spill: Bytes that the engine writes beside them for what exceeds its memory.
        documents: Documents that it processes.
        tokens: Tokens that it processes.
    """

    seconds: float | None
    by: By = "law"
    host: int = 0
    disk: int = 0
    spill: int = 0
    documents: int | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Found:
    """Everything that costs are estimated from.

    Attributes:
        study: Parameters.
        sizes: Counts.
        survey: Survey of the corpus, with its trials.
        trials: Measurements of the model's trials; empty where the model is not tried.
        machine: Speed of this machine.
        memory_limit: Bytes of the engine's memory; None: it has no limit.
        processes: Processes that read shards.
        pretraining_steps: Steps that pretraining is expected to take.
        host_peaks: Part of a stage -> peak of memory where the host is the device, documents as long as in the sample.
    """

    study: Study
    sizes: Sizes
    survey: Mapping[str, Any]
    trials: Mapping[str, Any]
    machine: Machine
    memory_limit: int | None
    processes: int
    pretraining_steps: int
    host_peaks: Mapping[str, int]

    def law(self, stage: str) -> float:
        """Return the seconds of what is not tried of a stage."""
        return LAWS[stage].at(self.counts, self.machine)

    @property
    def counts(self) -> dict[str, float]:
        """Return the counts that laws are of."""
        sizes, methods = self.sizes, len(self.study.scoring.methods)
        return {
            "documents": sizes.documents,
            "queries": sizes.queries,
            "cells": sizes.attributed * sizes.benchmarks * methods,
            "replicated": self.study.bootstrap.replicates * sizes.benchmarks * methods,
            "runs": sizes.runs,
            "changes": sizes.runs * self.study.bootstrap.replicates,
        }

    def spilled(self, held: float) -> int:
        """Return what of an operation of the engine exceeds its memory, bytes."""
        return 0 if self.memory_limit is None else max(0, round(held) - self.memory_limit)

    def held(self, needed: float) -> int:
        """Return what of an operation of the engine is in memory, bytes."""
        return round(needed if self.memory_limit is None else min(needed, self.memory_limit))


def plus(*parts: float | None) -> float | None:
    """Return the sum of seconds; None if one of them is unknown."""
    return None if any(part is None for part in parts) else sum(part for part in parts if part is not None)
