"""Parameters of the taxonomy pipeline."""

from __future__ import annotations

from pydantic import NonNegativeInt, PositiveInt

from social_provenance.parameters import Parameters


class WorkingSet(Parameters):
    """Parameters of the stratified sample to which influence is attributed."""

    per_bin: PositiveInt = 10_000
    """Largest number of documents per bin (of 576)."""
    seed: int = 42
    """Seed of the order within a bin; a smaller sample with the same seed is a subset."""
    min_documents: NonNegativeInt = 0
    """Smallest allowed number of documents of the sample."""
