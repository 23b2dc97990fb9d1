"""Items of ``--params``: each is read as it was typed, or refused in one line that quotes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.framework.project import configure_project

from social_provenance.errors import SettingsError
from social_provenance.hooks.typed_params import read_items
from social_provenance.hooks.typed_paths import PLACES

WORDS = st.text("ab.=:,[]{}'\" #&*!|>%@`~$-1e\n\t", max_size=12)


@pytest.fixture(scope="module", autouse=True)  # half a second: it looks at the file of every module
def _project() -> None:
    configure_project("social_provenance")


@given(WORDS)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        read = read_items(text)
    except SettingsError as error:
        (line,) = str(error).splitlines()
        assert line.startswith("--params")
        return
    assert len(read) <= text.count(",") + 1
    assert text.count("=") >= len(read)


@pytest.mark.parametrize(
    "value", ["2024", "1e3", "007", "0x1f", "true", "[a]", "{a}", "a #b", "'a'", "a: b", "*x", "a=b"]
)
@pytest.mark.parametrize("name", PLACES)
def test_a_place_is_the_text_that_was_typed(name: str, value: str) -> None:
    assert read_items(f"x.y=1,{name}={value},x.z=2") == {"x": {"y": 1, "z": 2}, name: value}


def test_null_is_no_place() -> None:
    assert read_items("query_model=null") == {"query_model": None}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a=1", {"a": 1}),
        (" a = 1 , b = x ", {"a": 1, "b": "x"}),
        ("a.b=1e-3,a.c=true,a.d=null", {"a": {"b": 1e-3, "c": True, "d": None}}),
        ("a.b='5'", {"a": {"b": "5"}}),
        ("a.b=[1]", {"a": {"b": [1]}}),
        ("a.b=''", {"a": {"b": ""}}),
        ("accepted_code=,query_model=", {"accepted_code": "", "query_model": ""}),
        ("a.b='x # y'", {"a": {"b": "x # y"}}),
        ("a.b=x#y", {"a": {"b": "x#y"}}),
        ("a.b=x=y", {"a": {"b": "x=y"}}),
        ("published.benchmarks.my file=quiz", {"published": {"benchmarks": {"my file": "quiz"}}}),
    ],
)
def test_values_are_read_as_kedro_reads_them(text: str, read: dict[str, Any]) -> None:
    assert read_items(text) == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("root", "--params: 'root' has no '=': write NAME=VALUE"),
        ("root:x", "--params: 'root:x' has no '='; did you mean 'root=x'?"),
        ("a=1,a.b: 2", "--params: 'a.b: 2' has no '='; did you mean 'a.b=2'?"),
        ("=x", "--params: '=x' has no name before its '=': write NAME=VALUE"),
        ("a=[1,2]", "--params: '2]' has no '=': write NAME=VALUE, with a comma between two; a value with commas"),
        ("root==x", "--params: 'root==x' has more than one '=': write NAME=VALUE"),
        ("root=a,root=b", "--params: 'root' and 'root' are both given, and one counts: leave one out"),
        ("a=1,a.b=2", "--params: 'a' and 'a.b' are both given"),
        ("a.b.c=1,a.b=2", "--params: 'a.b.c' and 'a.b' are both given"),
        ("a..b=1", "--params: 'a..b' is not the name of a parameter: write BLOCK.FIELD=VALUE"),
        (".a=1", "--params: '.a' is not the name"),
        ("a.=1", "--params: 'a.' is not the name"),
        ("a[b]=1", "--params: 'a[b]' is not the name"),
        ("root.x=1", "--params: root is a place and has no field 'root.x': write root=VALUE"),
        ("a.b=", "--params: 'a.b=' has no value: give one, or write a.b=null"),
        ("root=", "--params root is empty: give a path"),
        ("a.b=2 # x", "--params: 'a.b=2 # x' has a sign of YAML (#, &, !): write a.b='VALUE' for text"),
        ("a.b=&x 2", "--params: 'a.b=&x 2' has a sign of YAML"),
        ("a.b=!!int 2", "--params: 'a.b=!!int 2' has a sign of YAML"),
        ("a.b=x\ny", r"--params: 'a.b=x\ny' has a control character: leave it out"),
        ("a.b=[1", "--params: the value of a.b, '[1', cannot be read ("),
        ("a.b='x", '--params: the value of a.b, "\'x", cannot be read ('),
        ("a.b=${x}", "--params a.b: '${x}' refers to another value"),
        (
            "root=/x/y corpus=/z",
            "--params: root '/x/y corpus=/z' contains 'corpus', which is a parameter itself: write",
        ),
        ("root=/x;miniature.seed=1", "contains 'miniature.seed', which is a parameter itself: write a comma"),
        ("miniature.seed=1 root=/x", "contains 'root', which is a parameter itself: write a comma"),
    ],
)
def test_what_is_no_item_is_refused_with_the_fix(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_items(text)
    assert said in str(caught.value)


def test_a_folder_with_a_sign_of_equality_is_a_place() -> None:
    assert read_items("corpus=/data/my year=2024/lang=en") == {"corpus": "/data/my year=2024/lang=en"}


def test_another_option_is_named_and_has_no_places() -> None:
    assert read_items("root=1", "--runner-params") == {"root": 1}
    with pytest.raises(SettingsError, match=r"^--runner-params: 'x' has no '='"):
        read_items("x", "--runner-params")
