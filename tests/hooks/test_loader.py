"""Runtime parameters are plain values: nothing is resolved, and no empty place becomes a folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.errors import SettingsError
from social_provenance.hooks.errors import show_error
from social_provenance.hooks.loader import FOLDERS, CheckedConfigLoader

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"root": "${oc.env:HOME}/x"}, "root"),
        ({"root": "a${b"}, "root"),
        ({"documents": {"min_chars": "${oc.env:HOME}"}}, "documents.min_chars"),
        ({"evaluation": {"benchmarks": [{"name": "${x}"}]}}, "evaluation.benchmarks.name"),
        ({"${x}": 1}, "${x}"),
    ],
)
def test_what_would_be_resolved_is_refused_with_its_place(given: dict[str, Any], place: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        CheckedConfigLoader(str(tmp_path), runtime_params=given)
    assert str(caught.value).startswith(f"--params {place}: '")
    assert str(caught.value).endswith("give the value itself")


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_place_is_refused(name: str, value: str | None, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"^--params {name} is empty: give a path, or leave {name} out"):
        CheckedConfigLoader(str(tmp_path), runtime_params={name: value})


@pytest.mark.parametrize(
    "given", [None, {}, {"root": "a$b{c}"}, {"query_model": None}, {"accepted_code": ""}, {"seed": 0, "on": False}]
)
def test_plain_values_are_taken(given: dict[str, Any] | None, tmp_path: Path) -> None:
    assert CheckedConfigLoader(str(tmp_path), runtime_params=given).runtime_params == (given or {})


def test_an_error_of_the_configuration_is_one_line_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    with pytest.raises(SettingsError):
        CheckedConfigLoader(str(tmp_path), runtime_params={"root": ""})
    assert sys.excepthook is show_error
