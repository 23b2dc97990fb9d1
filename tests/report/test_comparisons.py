"""What the report says of methods and of a published map, and what where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.report import comparisons

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def evaluation() -> Evaluation:
    places: list[tuple[str, Any]] = [("quiz", "social"), ("heat", "stem")]
    rows = [Benchmark(name=name, domain=side, level="reasoning", task="t.yaml") for name, side in places]
    return Evaluation(benchmarks=rows)


def pair(benchmark: str, method: str, other: str, rho: float, topics: float = 0.5) -> dict[str, Any]:
    return {
        "benchmark": benchmark,
        "method": method,
        "other": other,
        "bin_rank_correlation": rho,
        "topic_rank_correlation": topics,
        "shared_top_bins": 0.25,
    }


def text(page: str) -> str:
    return " ".join(page.split())


def test_the_method_is_found_on_either_side_of_a_pair(evaluation: Evaluation) -> None:
    table = pd.DataFrame(
        [
            pair("quiz", "trackstar", "influence", 0.875),
            pair("quiz", "influence", "bm25", 0.25),
            pair("quiz", "influence", "length", -0.5),
            pair("quiz", "trackstar", "length", 0.0),
        ]
    )
    page = text(comparisons.write_agreement(table, evaluation, "influence"))
    assert '<tr><td>trackstar</td><td></td><td class="n">+0.88 (+0.50)</td><td class="n">–</td></tr>' in page
    assert '<tr><td>length</td><td>baseline</td><td class="n">−0.50 (+0.50)</td>' in page
    assert 'closest baseline: rho²</td><td></td><td class="n">length: 25.0%</td>' in page
    assert page.index("<td>trackstar</td>") < page.index("<td>bm25</td>")


def test_without_a_correlation_no_baseline_is_nearest(evaluation: Evaluation) -> None:
    page = comparisons.write_agreement(
        pd.DataFrame([pair("quiz", "influence", "length", np.nan, np.nan)]), evaluation, "influence"
    )
    assert "closest baseline" not in page
    assert "– (–)" in page


def test_one_method_alone_is_said(evaluation: Evaluation) -> None:
    none = pd.DataFrame([pair("quiz", "influence", "length", 0.5)]).iloc[:0]
    assert "nothing to compare it with" in comparisons.write_agreement(none, evaluation, "influence")


@pytest.fixture
def topics() -> pd.DataFrame:
    rows = [
        ("published", "literature", 0.58, -0.09, "customer_support", 16.0),
        ("published", "games", 0.1, -0.2, "faq", 7.0),
        ("published", "health", 0.5, 0.4, "faq", 3.0),
        ("published", "religion", 0.5, np.nan, None, np.nan),
        ("influence", "politics", 0.5, -0.5, "faq", 9.0),
    ]
    table = pd.DataFrame(rows, columns=["source", "topic", "z", "without_extreme", "extreme_format", "extreme_value"])
    return table.assign(benchmark="quiz", median=-0.01)


@pytest.fixture
def signatures() -> pd.DataFrame:
    row = {"source": "published", "benchmark": "quiz", "topic": "literature", "format": "customer_support", "z": 16.0}
    table = pd.DataFrame([row, {**row, "z": 1.25}]).assign(rank=[1, comparisons.SHOWN + 1], z_others=-5.0)
    return table.assign(topic_z=0.58, topic_z_without=-0.09)


@pytest.fixture
def similarity() -> pd.DataFrame:
    rows = [("published", "quiz", "heat", 0.25), ("influence", "heat", "quiz", 0.75)]
    table = pd.DataFrame(rows, columns=["source", "benchmark", "other", "bin_correlation"])
    extreme = {"extreme_topic": ["literature", None], "extreme_format": ["customer_support", None]}
    return table.assign(topic_correlation=0.5, without_extreme=0.375, **extreme)


@pytest.fixture
def agreement() -> pd.DataFrame:
    rows = [("quiz", "influence", 0.125), ("quiz", "length", 0.999)]
    table = pd.DataFrame(rows, columns=["benchmark", "method", "bin_correlation"])
    return table.assign(bin_rank_correlation=0.5, topic_correlation=np.nan, n_bins=552)


@pytest.fixture
def contrasts() -> pd.DataFrame:
    values = {"published": [0.9, 0.1, -0.2, -0.8], "influence": [0.45, 0.05, -0.1, -0.4]}
    names = ["literature", "games", "health", "software"]
    rows = [
        {"source": source, "topic": topic, "difference": value}
        for source, own in values.items()
        for topic, value in zip(names, own, strict=True)
    ]
    return pd.DataFrame(rows).assign(kind="reasoning", without_extreme=0.125, extreme_format="customer_support")


@pytest.fixture
def section(
    contrasts: pd.DataFrame, signatures: pd.DataFrame, similarity: pd.DataFrame, agreement: pd.DataFrame
) -> Callable[..., str]:
    """Return a function that gives the section on the published map for a table of topics."""

    def show(topics: pd.DataFrame) -> str:
        return text(comparisons.write_reference(topics, contrasts, signatures, similarity, agreement, "influence"))

    return show


def test_topics_that_one_bin_carries_stand_with_that_bin(topics: pd.DataFrame, section: Callable[..., str]) -> None:
    page = section(topics)
    assert "2 of 4 change sign without it" in page
    row = '<td>Literature</td><td class="n">+0.58</td><td class="n">−0.09</td><td class="n">−0.01</td>'
    assert f'{row}<td>Customer Support</td><td class="n">+16.00</td>' in page
    assert page.index("<td>Literature</td>") < page.index("<td>Games</td>")


def test_contrasts_stand_with_their_spread_and_top_topics(topics: pd.DataFrame, section: Callable[..., str]) -> None:
    page = section(topics)
    spread = "the standard deviation over topics of the published contrasts is 0.71, of this study’s 0.35"
    assert f"{spread}; over topics they correlate at +1.00" in page
    assert '<td>Software</td><td class="n">−0.80</td><td class="n">+0.12</td><td>Customer Support</td>' in page


def test_what_is_not_at_the_top_is_left_to_the_tables(topics: pd.DataFrame, section: Callable[..., str]) -> None:
    page = section(topics)
    assert "Politics" not in page
    assert "+1.25" not in page  # a signature bin of a lower rank


def test_the_studys_own_map_stands_beside_the_published_one(topics: pd.DataFrame, section: Callable[..., str]) -> None:
    page = section(topics)
    own = '<td>quiz</td><td class="n">+0.12</td><td class="n">+0.50</td><td class="n">–</td><td class="n">552</td>'
    assert own in page
    assert "<td>length</td>" not in page
    pair = '<td>quiz, heat</td><td class="n">+0.25 (+0.50)</td><td class="n">+0.38</td>'
    assert f'{pair}<td>Literature, Customer Support</td><td class="n">+0.75 (+0.50)</td>' in page


def test_without_a_reference_the_section_says_how_to_give_one(topics: pd.DataFrame) -> None:
    none = topics.iloc[:0]
    page = comparisons.write_reference(none, none, none, none, none, "influence")
    assert "--params reference=DIR" in page
    assert 'id="reference"' in page
