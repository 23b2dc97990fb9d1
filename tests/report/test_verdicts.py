"""The section has each question with its number and rule, and says which maps are similarity."""

from __future__ import annotations

import pandas as pd

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.interventions.verdicts import QUESTIONS, READINGS, RULES
from social_provenance.report.verdicts import LABELS, TITLES, TRIED_BY, write_verdicts


def _evaluation(*names: str) -> Evaluation:
    return Evaluation(
        benchmarks=[Benchmark(name=name, domain="social", level="reasoning", task="t.yaml") for name in names]
    )


def _table(benchmark: str, reading: str, verdicts: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        {
            "benchmark": benchmark,
            "question": question,
            "verdict": verdict,
            "against": None if verdict == "not tried" else f"rival of {question}",
            "value": None if verdict == "not tried" else 0.25,
            "ci_low": None if verdict == "not tried" else 0.125,
            "ci_high": None if verdict == "not tried" else 0.375,
            "rule": RULES[question],
            "reading": reading,
        }
        for question, verdict in zip(QUESTIONS, verdicts, strict=True)
    ]
    return pd.DataFrame(rows)


def test_every_question_and_reading_has_a_text() -> None:
    assert tuple(TITLES) == tuple(TRIED_BY) == QUESTIONS
    assert tuple(LABELS) == READINGS


def test_a_map_that_fails_is_labelled_and_each_answer_has_its_number() -> None:
    table = pd.concat(
        [
            _table("sums", "undecided", ("yes", "not tried", "not tried", "not tried", "not tried")),
            _table("quiz", "similarity", ("no", "no", "not tried", "not tried", "yes")),
        ]
    )
    page = write_verdicts(table, _evaluation("quiz", "sums"), "influence")
    quiz, sums = page.index("<tr><td>quiz"), page.index("<tr><td>sums")
    assert quiz < page.index("similarity, not provenance") < sums < page.index("undecided")
    assert page.count("+0.250 [+0.125, +0.375]") == 4
    assert page.count("<b>not tried</b></td>") == 6
    assert page.count("rival of beyond_words") == 2
    for rule in RULES.values():
        assert rule in page
    assert [how in page for how in TRIED_BY.values()] == [False, True, True, True, True]
