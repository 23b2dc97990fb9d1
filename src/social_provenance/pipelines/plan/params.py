"""Parameters of the plan pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from social_provenance.parameters import Parameters

STUDY = ("corpus", "taxonomy", "attribution", "aggregation", "unlearning", "reporting")
"""The pipelines that any corpus needs."""


class Plan(Parameters):
    """Parameters of the forecast before an expensive run."""

    pipelines: Annotated[Sequence[str], Field(min_length=1)] = STUDY
    """Pipelines that the study will run, none that is made of others."""
    shards: PositiveInt = 2
    """Number of shards to read, evenly spaced."""
    texts: PositiveInt = 500
    """Number of documents on which the tokenizer and the model are tried."""
    gpu_gigabytes: PositiveFloat | None = None
    """Memory of the GPU that the study is planned for, 10^9 bytes; null: that of this machine, if it has one."""
    gpu_teraflops: PositiveFloat | None = None
    """Rate of matrix products of that GPU, 10^12 operations per second; null: measured, if it is of this machine."""
    pretraining_steps: PositiveInt | None = None
    """Optimiser steps that pretraining is expected to take, where it may end before its last; null: all."""
    processes: PositiveInt = 2
    """Number of processes that read shards: the threads of the connection."""
