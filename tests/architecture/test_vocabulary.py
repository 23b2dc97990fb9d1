"""Prose says what it means in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guards.docs import pages
from guards.project import ROOT
from guards.vocabulary import EXCLUDED, WORDINGS, Wording, bare_decimals, dated_wordings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

every_wording = pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.example.replace(" ", "-"))


@pytest.fixture
def prose(tmp_path: Path) -> Path:
    """Return a project of a few pages, some of them in the excluded folders."""
    for name in ("README.md", "docs/index.md", "docs/limitations.md", *(f"{folder}/page.md" for folder in EXCLUDED)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# A page\n\nAll documents have topics; 0.83 nats per token.\n")
    return tmp_path


def test_pages_are_in_the_fields_words() -> None:
    assert dated_wordings(ROOT) == []


def test_numbers_have_a_leading_zero() -> None:
    assert bare_decimals(ROOT) == []


@every_wording
def test_a_dated_wording_is_found(prose: Path, append: Callable[[Path, str], None], wording: Wording) -> None:
    append(prose / "docs" / "index.md", f"\nHere {wording.example}.\n")
    found = dated_wordings(prose)
    assert any(line.startswith("docs/index.md: ") and line.endswith(f": write {wording.write}") for line in found)


@every_wording
def test_a_dated_wording_over_a_line_end_is_found(
    prose: Path, append: Callable[[Path, str], None], wording: Wording
) -> None:
    broken = wording.example.capitalize().replace(" ", "\n")
    append(prose / "README.md", f"\n{broken}\n")
    assert any(line.endswith(f": write {wording.write}") for line in dated_wordings(prose))


@every_wording
def test_what_to_write_instead_is_no_finding(
    prose: Path, append: Callable[[Path, str], None], wording: Wording
) -> None:
    append(prose / "docs" / "index.md", f"\nHere: {wording.write}.\n")
    assert dated_wordings(prose) == []


def test_a_wording_in_code_is_no_finding(prose: Path, append: Callable[[Path, str], None]) -> None:
    append(prose / "docs" / "index.md", "\n`foremost .5`\n\n```\nmend anew .5\n```\n")
    assert dated_wordings(prose) == bare_decimals(prose) == []


@pytest.mark.parametrize("text", [".83", "−.06", "+.4", "(.5", "p ≤ .05"])
def test_a_number_without_a_leading_zero_is_found(prose: Path, append: Callable[[Path, str], None], text: str) -> None:
    append(prose / "docs" / "limitations.md", f"\nIt is {text} here, and 0.83, v1.2, 3.11, ./x.5 are fine.\n")
    (found,) = bare_decimals(prose)
    assert found == f"docs/limitations.md: '{text[text.index('.') :]}': write a leading zero"


def test_only_excluded_folders_are_left_out(prose: Path, append: Callable[[Path, str], None]) -> None:
    for page in pages(prose):
        append(page, "\nforemost\n")
    left_out = {f"{folder}/page.md" for folder in EXCLUDED}
    found = {line.partition(":")[0] for line in dated_wordings(prose)}
    assert found == {page.relative_to(prose).as_posix() for page in pages(prose)} - left_out
