"""The folder that was typed is the one that is used, or it is refused in one line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_provenance.errors import SettingsError
from social_provenance.hooks.typed_paths import PATHS, restore_paths

HOME = Path.home()


def restored(value: Any, name: str = "root") -> Any:
    given: dict[str, Any] = {name: value}
    restore_paths(given, "--params")
    return given[name]


def refusal(value: Any, name: str = "root") -> str:
    with pytest.raises(SettingsError) as caught:
        restored(value, name)
    return str(caught.value)


@given(st.text(min_size=1))
@pytest.mark.parametrize("name", PATHS)
def test_what_is_taken_is_the_place_that_was_typed(name: str, text: str) -> None:
    try:
        taken = restored(text, name)
    except SettingsError as error:
        (line,) = str(error).splitlines()
        assert line.startswith(f"--params: {name} ")
        return
    assert "\0" not in taken
    if not text.startswith("~") and "://" not in text:
        assert os.path.normpath(taken) == os.path.normpath(text)


@pytest.mark.parametrize(
    "path",
    [
        *[
            "2024",
            "1e3",
            "true",
            "[a]",
            "1_000",
            "run[1]",
            "a #b",
            "p%20q",
            "a b",
            "é",
            "研究\u3000一",
            "a$b",
            "a~",
        ],
        *["/a/b", "/a/b/", "/a/../b", "../a", ".", "./a", "/", "-x", "a;b", "a&b", "*", "?", "a'b", "\\x", "year=2024"],
    ],
)
@pytest.mark.parametrize("name", PATHS)
def test_a_path_is_as_typed(name: str, path: str) -> None:
    assert restored(path, name) == path


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("~", str(HOME)),
        ("~/x", f"{HOME}/x"),
        ("~root", os.path.expanduser("~root")),
        ("a:b", "./a:b"),
        ("run:3/x", "./run:3/x"),
        ("./a:b", "./a:b"),
        (2024, "2024"),
        (Path("/a/b"), "/a/b"),
    ],
)
def test_a_path_is_what_it_means_to_a_shell(path: Any, taken: str) -> None:
    assert restored(path) == taken


@pytest.mark.parametrize("name", ["corpus", "model", "query_model"])
def test_an_address_is_taken_where_it_is_read(name: str) -> None:
    assert restored("hf://a/b@main", name) == "hf://a/b@main"
    assert restored("s3://bucket/*.jsonl", "corpus") == "s3://bucket/*.jsonl"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *[("root", value, "is an address that is not read: give the path") for value in ("s3://b/x", "hdfs://h/x")],
        *[("root", value, "is an address that is not read: give the path") for value in ("file:///a", "memory://x")],
        ("benchmarks", "s3://b/x", "is an address that is not read: give the path"),
        ("reference", "https://h/x", "is an address that is not read: give the path"),
        ("model", "s3://b/x", "give the path of a folder here, or hf://OWNER/NAME"),
        *[
            ("root", value, "has a control character")
            for value in ("a\nb", "a\tb", "a\0b", "a\x1bb", "a\udcffb", "a\x85")
        ],
        ("corpus", "a\nb", "has a control character"),
        *[("root", value, "has braces, which the catalog reads as placeholders: rename") for value in ("{x}", "a}b")],
        *[("root", value, "begins with a quotation mark: leave it out") for value in ("'/a'", '"/a"', "'a")],
        ("root", "~nobody-of-this-name/x", "is the home of no user: write ./~nobody-of-this-name/x for"),
        *[("root", value, "which the shell did not replace: write it outside") for value in ("$HOME/x", "/a/$SCRATCH")],
        ("corpus", "$HOME", "has $HOME, which the shell did not replace"),
        *[("root", value, "is a path of Windows: give the path that it has here") for value in ("C:\\x", "d:\\")],
        *[("corpus", value, "is not a path: give it as text") for value in (1.5, True, ["a"], {"a": 1})],
    ],
)
def test_what_is_no_place_is_refused_with_the_fix(name: str, value: Any, said: str) -> None:
    line = refusal(value, name)
    assert line.startswith(f"--params: {name} ")
    assert said in line


def test_a_folder_that_is_there_has_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "$HOME"
    folder.mkdir()
    assert restored(str(folder)) == str(folder)


def test_what_was_not_given_stays_away() -> None:
    given: dict[str, Any] = {"model": None, "query_model": "", "seed": 3}
    restore_paths(given, "--params")
    assert given == {"model": None, "query_model": "", "seed": 3}
