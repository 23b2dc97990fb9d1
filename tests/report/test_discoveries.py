"""The section on chance counts what the tests call, and says so where there is no null."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.report.discoveries import write_discoveries

QUIZ = {"benchmark": "quiz", "method": "influence"}


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation(benchmarks=[Benchmark(name="quiz", domain="social", level="reasoning", task="t.yaml")])


@pytest.fixture
def tests() -> pd.DataFrame:
    rows = [{**QUIZ, "p": 0.001, "q": 0.04, "p_family": 0.06}, {**QUIZ, "p": 0.2, "q": 0.3, "p_family": 1.0}]
    rows += [{**QUIZ, "p": 0.001, "q": 0.05, "p_family": 0.01}, {**QUIZ, "p": None, "q": None, "p_family": None}]
    return pd.DataFrame([*rows, {**rows[0], "method": "bm25"}])


@pytest.fixture
def parts() -> pd.DataFrame:
    shares = {"topic": 0.5, "format": 0.25, "interaction": 0.0, "noise": 0.25}
    return pd.DataFrame([{**QUIZ, "part": part, "share": share} for part, share in shares.items()])


def _cells(page: str, text: str) -> list[str]:
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page) if text in row)
    return re.findall(r'<td class="n">(.*?)</td>', row)


def test_bins_are_counted_for_the_method_alone(
    tests: pd.DataFrame, parts: pd.DataFrame, evaluation: Evaluation
) -> None:
    null = {**QUIZ, "variant": "generic_text"}
    bins = [{**null, "axis": "bin", "q": q, "rank_q": 0.5} for q in (0.01, 0.2, None)]
    topics = [{**null, "axis": "topic", "q": q, "rank_q": 0.01} for q in (0.01, 0.03, 0.2)]
    answers = [
        {**null, "variant": "wrong_answers", "axis": "topic", "q": 1.0, "difference_q": q, "difference_z": z}
        for q, z in ((0.01, 5.0), (0.05, -4.0), (0.04, -3.0), (0.2, 9.0), (None, None))
    ]
    nulls = pd.DataFrame(bins + topics + answers)
    rates = [{**null, "axis": "bin", "judge": judge, "measure": "p"} for judge in ("documents", "other")]
    rates.append({**rates[0], "axis": "topic"})
    calibration = pd.DataFrame(rates).assign(share=[0.31, 0.05, 0.75])
    page = write_discoveries(tests, nulls, calibration, parts, evaluation, "influence")
    assert _cells(page, "testable bins") == ["3"]
    assert _cells(page, "called at q ≤ 0.05 (bootstrap") == ["2"]
    assert _cells(page, "family-wise") == ["1"]
    assert _cells(page, "generic_text: called at q") == ["1"]
    assert _cells(page, "generic_text: called by rank") == ["0"]
    assert _cells(page, "generic_text: topics called at q") == ["2"]
    assert page.count("called by rank") == 1
    assert _cells(page, "wrong_answers: topics that right answers raise") == ["1"]
    assert _cells(page, "wrong_answers: topics that right answers lower") == ["2"]
    assert page.count("right answers raise,") == 1
    assert _cells(page, "<td>generic_text</td>") == ["31.0%"]
    assert _cells(page, "<td>topic</td>") == ["50.0%"]


def test_without_a_null_the_section_says_so(tests: pd.DataFrame, parts: pd.DataFrame, evaluation: Evaluation) -> None:
    nulls = pd.DataFrame(columns=["variant", "benchmark", "method", "axis", "q", "rank_q"])
    calibration = pd.DataFrame(columns=["axis", "variant", "judge", "benchmark", "method", "measure", "share"])
    page = write_discoveries(tests, nulls, calibration, parts, evaluation, "influence")
    assert "No null was scored" in page
