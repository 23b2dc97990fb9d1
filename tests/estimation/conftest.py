"""Fixtures: scores of a small grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@pytest.fixture
def tables() -> Callable[..., tuple[Any, Any, Any]]:
    """Return a function that turns scores by bin into the tables that ``aggregate`` takes.

    It takes benchmark -> bin -> scores of the bin's documents; every benchmark has the same bins
    and as many documents in each.
    """
    import pandas as pd

    def build(scores: Mapping[str, Mapping[tuple[str, str], Sequence[float]]]) -> tuple[Any, Any, Any]:
        first = next(iter(scores.values()))
        labels = [
            {"doc_id": f"{topic}/{form}/{number}", "topic": topic, "format": form}
            for (topic, form), values in first.items()
            for number in range(len(values))
        ]
        rows = [
            {"doc_id": label["doc_id"], "benchmark": benchmark, "method": "trackstar", "score": float(value)}
            for benchmark, bins in scores.items()
            for label, value in zip(labels, [one for values in bins.values() for one in values], strict=True)
        ]
        prevalence = pd.DataFrame(BINS, columns=["topic", "format"]).assign(share=1 / len(BINS))
        return pd.DataFrame(rows), pd.DataFrame(labels), prevalence

    return build
