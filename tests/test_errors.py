"""Errors: one line that hints at what was meant and quotes no more than fits."""

from __future__ import annotations

import inspect

import pytest

from social_provenance import errors
from social_provenance.errors import ProvenanceError, did_you_mean, excerpt, repeated

KNOWN = ("games", "health", "software", "software_development")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("gmaes", "; did you mean 'games'?"),
        ("software_developer", "; did you mean 'software_development'?"),
        ("softwares", "; did you mean 'software'?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_the_nearest_known_value_is_hinted_at_if_it_is_near(value: str, hint: str) -> None:
    assert did_you_mean(value, KNOWN) == hint


def test_no_hint_where_nothing_is_known() -> None:
    assert did_you_mean("games", ()) == ""


def test_names_given_more_than_once_are_named_once_in_their_order() -> None:
    assert repeated(["b", "c", "a", "b", "a", "b"]) == ["b", "a"]
    assert repeated(["b", "a"]) == []


@pytest.mark.parametrize("limit", [5, 20, 60])
def test_an_excerpt_is_one_line_within_the_limit(limit: int) -> None:
    for value in ("a", "x" * 200, "line\nline\r\n" * 20, {"key": "v" * 90}, None):
        quoted = excerpt(value, limit)
        assert len(quoted) <= limit
        assert len(quoted.splitlines()) == 1
        assert quoted == repr(value) or (quoted.endswith("…") and repr(value).startswith(quoted[:-1]))


def test_every_error_of_the_project_can_be_caught_as_one() -> None:
    own = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
    assert len(own) > 5
    assert [kind for kind in own if not issubclass(kind, ProvenanceError)] == []
