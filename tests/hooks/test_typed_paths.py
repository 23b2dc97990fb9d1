"""Paths of the command line are what was typed."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.framework.cli.utils import _split_params

from social_provenance.errors import SettingsError
from social_provenance.hooks.typed_paths import restore_paths


@pytest.mark.parametrize(
    "path", ["2024", "007", "1e3", "0x1f", "true", "[a]", "{a}", "1_000", "data/7", "run[1]", "3.10"]
)
@pytest.mark.parametrize("form", ["--params {}", "--params={}"])
def test_a_path_is_what_was_typed(path: str, form: str) -> None:
    text = f"x=1,corpus={path},y.z=2"
    given = _split_params(None, None, text)
    restore_paths(given, ("root", "corpus"), ["run", *form.format(text).split(" ")])
    assert given == {"x": 1, "corpus": path, "y": {"z": 2}}


def test_a_number_that_was_not_typed_is_its_text() -> None:
    given: dict[str, Any] = {"corpus": 2024, "root": "a", "model": None, "seed": 3}
    restore_paths(given, ("root", "corpus", "model"), ["run"])
    assert given == {"corpus": "2024", "root": "a", "model": None, "seed": 3}


@pytest.mark.parametrize("root", ["run{1}", "a}b", "{name}"])
def test_braces_in_the_root_are_refused(root: str) -> None:
    with pytest.raises(SettingsError, match=r"has braces.*: rename the folder"):
        restore_paths({"root": root}, ("root",), [])


@pytest.mark.parametrize("value", [1.5, True, ["a"], {"a": 1}])
def test_what_is_no_path_is_refused(value: Any) -> None:
    with pytest.raises(SettingsError, match=r"corpus .* is not a path: give it as text"):
        restore_paths({"corpus": value}, ("corpus",), [])
