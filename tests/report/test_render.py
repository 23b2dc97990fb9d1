"""Everything that comes from data is escaped; a missing value is an error, a missing number a dash."""

from __future__ import annotations

import jinja2
import plotly.graph_objects as go
import pytest

from social_provenance.report import render

EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


def test_text_is_escaped() -> None:
    codes = {EVIL: {EVIL: EVIL}}
    rows = [{"dataset": EVIL, "digest": "d", "node": EVIL, "inputs": [EVIL], "unknown": [EVIL], "accepted": codes}]
    page = render.render("lineage", rows=rows, unknown=[EVIL], accepted=codes)
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;") == 11


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="rows"):
        render.render("lineage", unknown=[], accepted={})


def test_a_figure_cannot_end_its_script() -> None:
    markup = str(render.figure_html(go.Figure(go.Scatter(x=[EVIL], y=[1], text=[EVIL])), "f"))
    assert markup.count("</script>") == 1
    assert "<img" not in markup
    assert 'id="f"' in markup


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.234, "+1.23"), (-0.5, "−0.50"), (0.0, "+0.00"), (-0.001, "+0.00"), (None, "–"), (float("nan"), "–")],
)
def test_signed_numbers(value: float | None, shown: str) -> None:
    assert render.signed(value) == shown


def test_numbers_without_sign() -> None:
    assert render.plain(0.12345) == "0.12"
    assert render.plain(0.12345, 4) == "0.1235"
    assert render.plain(float("nan")) == "–"


def test_a_small_probability_is_not_shown_as_nought() -> None:
    assert render.probability(0.0004) == "< 0.001"
    assert render.probability(0.0006) == "0.001"
    assert render.probability(0.00002, 4) == "< 0.0001"
    assert render.probability(None) == render.probability(float("nan")) == "–"


def test_intervals_percents_and_numbers() -> None:
    assert render.interval(-1.0, 2.5, 1) == "[−1.0, +2.5]"
    assert render.interval(float("nan"), 1.0) == "–"
    assert render.percent(0.1234) == "12.3%"
    assert render.percent(None) == "–"
    assert render.number(1234567) == "1,234,567"
    assert render.number(float("nan")) == "–"


def test_the_page_brings_its_own_plotly() -> None:
    assert len(render.plotly_script()) > 1_000_000
