"""The page on attribution methods has every method of the package."""

from __future__ import annotations

import pytest

from guards.methods import misdocumented_methods
from guards.project import ROOT

PAGE = (ROOT / "docs" / "reference" / "methods.md").read_text(encoding="utf-8")


def test_the_page_has_every_method_with_what_it_needs() -> None:
    assert misdocumented_methods(PAGE) == []


@pytest.mark.parametrize(
    ("row", "changed", "finding"),
    [
        ("| `trak` | store |", "| `trak` | model |", ["method trak needs store, the page says model"]),
        (
            "| `trak` | store |",
            "| `dot` | store |",
            ["method trak is not on the page", "method dot is on the page and not in the package"],
        ),
    ],
)
def test_a_method_that_is_missing_or_described_wrongly_is_found(row: str, changed: str, finding: list[str]) -> None:
    assert row in PAGE
    assert misdocumented_methods(PAGE.replace(row, changed)) == finding
