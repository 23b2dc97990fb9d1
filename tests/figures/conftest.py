"""A study's tables, made up: every bin of four benchmarks, some of them empty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.regions.grid import BINS, TOPICS

CELLS = [
    ("sr", "social", "reasoning"),
    ("tr", "stem", "reasoning"),
    ("sk", "social", "knowledge"),
    ("tk", "stem", "knowledge"),
]


@pytest.fixture
def evaluation() -> Evaluation:
    benchmarks = [Benchmark(name=name, domain=domain, level=level, task="t.yaml") for name, domain, level in CELLS]
    return Evaluation(benchmarks=benchmarks)


@pytest.fixture
def bins() -> pd.DataFrame:
    """Return ``bin_influence`` whose z is the place of the bin, the first bin empty."""
    rows: list[dict[str, Any]] = []
    for name, _, _ in CELLS:
        for place, (topic, form) in enumerate(BINS):
            z = np.nan if place == 0 else float(place)
            rows.append(
                {
                    "benchmark": name,
                    "method": "trackstar",
                    "topic": topic,
                    "format": form,
                    "n_documents": 0 if place == 0 else 3,
                    "z": z,
                    "ci_low": z - 1,
                    "ci_high": z + 2,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture
def contrasts() -> pd.DataFrame:
    """Return ``contrasts`` of topics: reasoning rises along the topics, knowledge falls."""
    rows = [
        {
            "kind": kind,
            "method": "trackstar",
            "axis": "topic",
            "topic": topic,
            "difference": sign * place,
            "ci_low": sign * place - 0.5,
            "ci_high": sign * place + 0.25,
        }
        for kind, sign in (("reasoning", 1.0), ("knowledge", -1.0))
        for place, topic in enumerate(TOPICS)
    ]
    return pd.DataFrame(rows)
