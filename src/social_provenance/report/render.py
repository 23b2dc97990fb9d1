"""Rendering of templates to HTML. Values from data are escaped; figures are embedded with their script."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from social_provenance.annotations import Figure, Table
from social_provenance.regions.grid import FORMAT_NAMES, TOPIC_NAMES

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

NONE = "–"
"""Shown in place of a missing value."""


def render(template: str, **values: Any) -> str:
    """Render a template with values.

    Args:
        template: Its name, without the ending.
        values: What it shows; a value that the template asks for and that is not given is an error.
    """
    page: str = _environment().get_template(f"{template}.html.j2").render(**values)
    return page


def rows_of(table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table as mappings, for templates."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def figure_html(figure: Figure, name: str) -> Markup:
    """Return a figure as HTML that relies on the page's single copy of Plotly's script."""
    import plotly.io
    from markupsafe import Markup

    config = {"displayModeBar": False, "responsive": True}
    # Plotly writes data as JSON with <, > and / escaped, so it cannot end its script element.
    return Markup(plotly.io.to_html(figure, full_html=False, include_plotlyjs=False, div_id=name, config=config))


def plotly_script() -> Markup:
    """Return Plotly's script for embedding, so that the report works without a network."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def signed(value: float | None, digits: int = 2) -> str:
    """Format a number with its sign."""
    if value is None or _missing(value):
        return NONE
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def plain(value: float | None, digits: int = 2) -> str:
    """Format a number without a plus sign."""
    return NONE if value is None or _missing(value) else f"{value:.{digits}f}"


def probability(value: float | None, digits: int = 3) -> str:
    """Format a probability; one that would round to zero, as a bound ("< 0.001")."""
    least = 10.0**-digits
    return f"< {least:.{digits}f}" if value is not None and 0 <= value < least / 2 else plain(value, digits)


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """Format the bounds of an interval."""
    return NONE if _missing(low) or _missing(high) else f"[{signed(low, digits)}, {signed(high, digits)}]"


def percent(value: float | None) -> str:
    """Format a share, 0 to 1, in percent."""
    return NONE if value is None or _missing(value) else f"{100 * value:.1f}%"


def number(value: float | None) -> str:
    """Format an integer with thousands separators."""
    return NONE if value is None or _missing(value) else f"{round(value):,}"


def _missing(value: float | None) -> bool:
    return value is None or value != value  # noqa: PLR0124 (NaN)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("social_provenance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "signed": signed,
        "plain": plain,
        "probability": probability,
        "percent": percent,
        "number": number,
        "topic": TOPIC_NAMES.__getitem__,
        "format_name": FORMAT_NAMES.__getitem__,
    }
    environment.globals["interval"] = interval
    return environment
