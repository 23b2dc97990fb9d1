"""The name of a set of queries, which is also the name of its part of a store."""

from __future__ import annotations

from typing import NamedTuple, Self

ITEMS = "items"
"""The variant that is the benchmark itself."""


class QuerySet(NamedTuple):
    """One variant of the queries of a benchmark.

    Attributes:
        benchmark: Name of the benchmark, without a dot.
        variant: :data:`ITEMS`, the name of a null, or a rendering.
    """

    benchmark: str
    variant: str

    @property
    def name(self) -> str:
        """Name of the part: ``<benchmark>.<variant>``."""
        return f"{self.benchmark}.{self.variant}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Return the set that a part is named after."""
        benchmark, _, variant = name.partition(".")
        return cls(benchmark, variant)
