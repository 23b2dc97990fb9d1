"""Parameters of the plan pipeline."""

from __future__ import annotations

from pydantic import PositiveFloat, PositiveInt

from social_provenance.parameters import Parameters


class Plan(Parameters):
    """Parameters of the forecast before an expensive run."""

    shards: PositiveInt = 2
    """Number of shards to read, evenly spaced."""
    texts: PositiveInt = 64
    """Number of documents on which the tokenizer and the model are run."""
    gpu_gigabytes: PositiveFloat | None = None
    """Memory of the GPU that the study is planned for, 10^9 bytes; null: that of this machine, if it has one."""
    cleaned_a_second: PositiveInt = 50_000
    """Assumed rate of deduplication and writing, in records per second."""
    labels_a_second: PositiveInt = 1000
    """Assumed rate of labelling, in documents per second."""
    processes: PositiveInt = 2
    """Number of processes that read shards: the threads of the connection."""
