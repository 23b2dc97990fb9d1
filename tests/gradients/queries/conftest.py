"""Requests of two benchmarks, and documents that nothing was attributed to."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.gradients.queries.build import build_queries
from social_provenance.gradients.queries.nulls import NULLS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ANSWERS = (" glad", " cold", " hot", " salt", " the contract")


class QueryTables:
    """What tests of queries do with tables: build them, change their order, look into them."""

    def build(self, requests: pd.DataFrame, held_out: Any = None, nulls: Any = NULLS, **settings: Any) -> pd.DataFrame:
        return build_queries(requests, nulls, held_out, **{"blocks": 6, "seed": 0} | settings)

    def shuffled(self, table: pd.DataFrame, seed: int) -> pd.DataFrame:
        return table.sample(frac=1, random_state=seed)

    def of(self, queries: pd.DataFrame, variant: str, benchmark: str = "siqa") -> pd.DataFrame:
        chosen = (queries["variant"] == variant) & (queries["benchmark"] == benchmark)
        return queries[chosen].set_index("item")

    def answers(self, table: pd.DataFrame, column: str = "answer_ids") -> Counter[tuple[int, ...]]:
        return Counter(map(tuple, table[column]))


@pytest.fixture(scope="session")
def tables() -> QueryTables:
    return QueryTables()


@pytest.fixture(scope="session")
def make_requests(tiny_tokenizer: Any) -> Callable[..., pd.DataFrame]:
    """Return a function that makes the requests of two benchmarks: items of three choices, clusters of many sizes."""

    def make(items: int = 60, clusters: int = 17, seed: int = 0, answers: Sequence[str] = ANSWERS) -> pd.DataFrame:
        rng = random.Random(seed)
        rows = []
        for benchmark in ("siqa", "arc"):
            for number in range(items):
                prompt = " ".join(rng.choices(("Anna thanked Ben.", "The judge saw", "Carl cooled the plate."), k=3))
                prompt = prompt[: rng.randrange(10, len(prompt))].rstrip()
                cluster = f"key-{min(rng.randrange(clusters), rng.randrange(clusters))}"
                gold, options = rng.randrange(3), rng.sample(answers, 3)
                for choice, text in enumerate(options):
                    before = tiny_tokenizer.encode(prompt)
                    ids = before, tiny_tokenizer.encode(prompt + text)[len(before) :]
                    rows.append(
                        (benchmark, f"{benchmark}/{number}", cluster, choice, choice == gold, prompt, text, *ids)
                    )
        names = "benchmark item cluster choice is_gold prompt completion prompt_ids completion_ids".split()
        return pd.DataFrame(rows, columns=names)

    return make


@pytest.fixture(scope="session")
def requests(make_requests: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_requests()


@pytest.fixture(scope="session")
def held_out() -> list[list[int]]:
    """Return documents of which each token says where it stands: document x 1,000 + place."""
    lengths = random.Random(5).choices(range(30, 200), k=40)
    return [[1000 * number + place for place in range(length)] for number, length in enumerate(lengths)]
