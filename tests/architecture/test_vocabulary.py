"""Prose says what it means in the field's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guards.docs import pages
from guards.project import ROOT, SOURCE
from guards.vocabulary import (
    EXCLUDED,
    EXCLUDED_SOURCE,
    WORDINGS,
    Wording,
    bare_decimals,
    dated_source,
    dated_wordings,
)

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


def test_the_source_is_in_the_fields_words() -> None:
    assert dated_source(SOURCE) == []


def test_excluded_source_exists() -> None:
    assert [name for name in EXCLUDED_SOURCE if not (SOURCE / name).exists()] == []


@pytest.mark.parametrize(
    "line",
    [
        '"""Docstring: {}."""',
        "x = 1  # a comment: {}",
        "# {}",
        "raise ValueError('{}')",
        'f"{{x}}: {}, {{y}}"',
        'f("so {}"\n  " and so on")',
    ],
)
@every_wording
def test_a_dated_wording_in_the_source_is_found(tmp_path: Path, wording: Wording, line: str) -> None:
    (tmp_path / "here.py").write_text(f"x = y = 1\n{line.format(wording.example)}\n")
    found = dated_source(tmp_path)
    assert found
    assert any(each.startswith("here.py: ") and each.endswith(f": write {wording.write}") for each in found)


@every_wording
def test_a_dated_wording_over_pieces_of_a_text_is_found(tmp_path: Path, wording: Wording) -> None:
    first, _, rest = wording.example.partition(" ")
    (tmp_path / "here.py").write_text(f'f(\n    "{first} "\n    f"{rest}"\n)\n# {first}\n# {rest}\n')
    assert len(dated_source(tmp_path)) >= 2


def test_templates_are_read_and_code_is_not(tmp_path: Path) -> None:
    (tmp_path / "here.html.j2").write_text("<h2>foremost</h2>")
    (tmp_path / "there.py").write_text('foremost = 1\n"""``foremost`` and `anew`."""\n')
    assert dated_source(tmp_path) == ["here.html.j2: 'foremost': write top, leading"]


def test_only_excluded_source_is_left_out(tmp_path: Path) -> None:
    for name in ("a/b.py", "ab.py", "c.py", "d.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# foremost\n")
    assert [line.partition(":")[0] for line in dated_source(tmp_path, excluded=("a", "c.py"))] == ["ab.py", "d.py"]
