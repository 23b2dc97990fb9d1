"""The page on errors is what the source says, and every message in it says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guards.errors import COMMAND, PAGE, error_classes, faulty_messages, page, read_package, rows
from guards.messages import Messages
from guards.project import ROOT, SOURCE
from guards.words import shown
from social_provenance import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ERRORS = '''
class ProvenanceError(Exception):
    """Base."""


class CorpusError(ProvenanceError):
    """A corpus cannot be used."""


def did_you_mean(value, known) -> str:
    return f"; did you mean {known[0]!r}?" if known else ""
'''

MODULE = """
from social_provenance.errors import CorpusError, did_you_mean

SUFFIXES = ("jsonl", "parquet")
KINDS = {"a": "is not text", "b": "is not a number"}


"""


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that makes a package of errors and one module, and returns its folder."""

    def make(text: str) -> Path:
        (tmp_path / "errors.py").write_text(ERRORS, encoding="utf-8")
        (tmp_path / "shards.py").write_text(MODULE + text, encoding="utf-8")
        return tmp_path

    return make


def said(folder: Path) -> list[str]:
    return [shown(row.message) for row in rows(Messages(folder))]


def test_the_page_is_what_the_source_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"write it again: {COMMAND}"


def test_every_message_is_read_and_says_what_to_do() -> None:
    assert faulty_messages() == []


def test_every_error_has_a_section() -> None:
    known = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert set(error_classes(read_package(SOURCE)[0])) == known
    headings = {line.strip("#` ") for line in page().splitlines() if line.startswith("## `")}
    assert headings == known - {"ProvenanceError"}


def test_messages_of_several_sections_are_on_the_page() -> None:
    text = " ".join(page().split())
    for piece in (
        "a number between 0 and 1",
        "starts with a byte-order mark",
        "would mix runs",
        "is full",
        "no column",
    ):
        assert piece in text


def test_the_command_that_writes_it_is_documented() -> None:
    assert COMMAND in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert COMMAND in page()


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param(
            "def f(path):\n    raise CorpusError(f'there is no {path}: give one')",
            ["there is no PATH: give one"],
            id="f-string",
        ),
        pytest.param(
            "def f(rows, line):\n    raise CorpusError('row ' + f'{line} of {len(rows)} is {rows[0]!r}' + ': fix it')",
            ["row N of M is 'ROW': fix it"],
            id="joined",
        ),
        pytest.param(
            "def f(odd, path):\n    fix = 'run again' if odd else 'give up'\n"
            "    raise CorpusError(f'{path} is odd: {fix}')",
            ["PATH is odd: run again", "PATH is odd: give up"],
            id="local variable",
        ),
        pytest.param(
            "def f(name, known):\n    raise CorpusError(f'no {name!r}{did_you_mean(name, known)}: fix it')",
            ["no 'NAME'[; did you mean 'NAME'?]: fix it"],
            id="function of another module",
        ),
        pytest.param(
            "def f(path):\n    raise _lost(path, 'prompt')\n\n\ndef g(path):\n    raise _lost(path, 'choice')\n\n\n"
            "def _lost(path, what) -> CorpusError:\n    return CorpusError(f'{path} has no {what}: add it')",
            ["PATH has no prompt: add it", "PATH has no choice: add it"],
            id="function that returns the error",
        ),
        pytest.param(
            "def f(rows):\n    problems = [CorpusError(f'{row} is empty: fill it') for row in rows]\n    if problems:\n"
            "        raise problems[0]",
            ["N is empty: fill it"],
            id="collected and then raised",
        ),
        pytest.param(
            "def f(key, path):\n    raise CorpusError(f'{path} {KINDS[key]}: give {\", \".join(SUFFIXES)}')",
            ["PATH is not text: give jsonl, parquet", "PATH is not a number: give jsonl, parquet"],
            id="constants",
        ),
        pytest.param(
            "class A:\n    def f(self):\n        self.first = ('is gone', 1)\n\n"
            "    def g(self):\n        what, _ = self.first\n"
            "        raise CorpusError(f'{self.path} {what}: restore it')",
            ["PATH is gone: restore it"],
            id="attribute",
        ),
        pytest.param(
            "def f(path):\n    try:\n        g()\n    except CorpusError as error:\n"
            "        raise CorpusError(f'{path}: {error}') from error\n\n\n"
            "def g():\n    raise CorpusError('nothing: run it')",
            ["nothing: run it"],
            id="put behind its place",
        ),
    ],
)
def test_messages_are_read_however_they_are_built(
    package: Callable[[str], Path], text: str, messages: list[str]
) -> None:
    folder = package(text)
    assert said(folder) == messages
    assert [finding for finding in faulty_messages(folder) if "no cure" not in finding] == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("raise CorpusError('the shard is empty')", "has no cure"),
        ("raise CorpusError(f'{hint}: {fix}')", "has no text of its own"),
        ("raise CorpusError('it is empty: fill it.')", "ends in a full stop"),
        ("raise CorpusError('it is empty:\\n fill it')", "is more than one line"),
        ("raise CorpusError('it is  empty: fill it')", "has spaces too many"),
        ("raise CorpusError('it is empty: fill it', 3)", "is made of other things than one text"),
        ("raise CorpusError", "CorpusError is never raised"),
        ("raise failure('it is empty')", "what failure() returns is raised"),
        ("known = {'empty': CorpusError}", "is passed on as a value"),
        ("raise CorpusError(f'no shard{did_you_mean(name, known)}')", "has no cure"),
    ],
)
def test_a_message_that_breaks_a_law_is_found(package: Callable[[str], Path], text: str, finding: str) -> None:
    folder = package(f"def f(hint, fix, name, known):\n    {text}\n")
    assert [one for one in faulty_messages(folder) if finding in one]


def test_a_message_that_changes_makes_the_page_stale(copy: Path, append: Callable[[Path, str], None]) -> None:
    source = copy / "src" / "social_provenance"
    append(source / "documents" / "shards.py", "\n\ndef f(path):\n    raise CorpusError(f'{path} is new: fix it')\n")
    (added,) = set(page(source).splitlines()) - set(page().splitlines())
    assert added == "| PATH is new | fix it | `documents.shards` |"
