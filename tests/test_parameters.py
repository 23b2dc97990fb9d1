"""A parameter has the type of its field: nothing is converted, and no number is without end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from social_provenance.parameters import Folder, Parameters, Place, SizeKey

Share = Annotated[float, Field(ge=0, le=1)]


class Inner(Parameters):
    steps: int = 1


class Block(Parameters):
    whole: int = 1
    real: float = 1.0
    text: str = ""
    switch: bool = False
    kind: Literal["a", "b"] = "a"
    several: Sequence[int] = (1,)
    names: Sequence[str] = ()
    sizes: dict[SizeKey, Share] = Field(default_factory=dict)
    mapped: Mapping[str, str] = Field(default_factory=dict)
    inner: Inner = Inner()
    maybe: int | None = None
    place: Place = "hf://a/b"
    folder: Folder | None = None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
TYPES: dict[str, tuple[type, ...]] = {
    "whole": (int,),
    "real": (int, float),
    "text": (str,),
    "switch": (bool,),
    "several": (list,),
    "names": (list,),
    "mapped": (dict,),
    "inner": (dict,),
    "maybe": (int, type(None)),
}


@given(field=st.sampled_from(sorted(TYPES)), value=VALUES)
def test_what_is_taken_has_the_type_of_the_field_and_keeps_its_value(field: str, value: Any) -> None:
    try:
        taken = getattr(Block.model_validate({field: value}), field)
    except ValidationError:
        return
    assert isinstance(value, TYPES[field])
    assert isinstance(value, bool) == (field == "switch")
    assert taken == (Inner(**value) if field == "inner" else value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("whole", value) for value in (True, False, "5", 5.0, 1e3, None, [5], {"a": 5}, float("inf"), float("nan"))],
        *[("real", value) for value in (True, "0.5", None, [0.5], float("inf"), -float("inf"), float("nan"))],
        *[("text", value) for value in (5, 0.5, True, None, ["a"], b"a")],
        *[("switch", value) for value in (0, 1, "true", "yes", None)],
        *[("kind", value) for value in ("c", 1, None, ["a"])],
        *[("several", value) for value in (1, "12", [True], ["1"], [1.0], [None], {1: 1})],
        *[("names", value) for value in ("ab", [1], [None], [True])],
        *[("sizes", value) for value in ({2: True}, {2: "0.5"}, {2: float("nan")}, {0: 0.5}, {"a": 0.5}, [0.5])],
        *[("mapped", value) for value in ({"a": 1}, {1: "a"}, {"a": None}, "a")],
        *[("inner", value) for value in (3, None, "a", [], {"steps": True}, {"step": 3})],
        *[("place", value) for value in (2024, None, "~nobody-of-this-name/x")],
        *[("folder", value) for value in (2024, True, "~nobody-of-this-name/x")],
        *[("maybe", value) for value in (True, "5", "null", 5.0)],
    ],
)
def test_nothing_is_converted(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=rf"^1 validation error for Block\n{field}"):
        Block.model_validate({field: value})


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("real", 2, 2.0),
        ("sizes", {"2": 1, 3: 0.5}, {2: 1.0, 3: 0.5}),
        ("several", [1, 2], [1, 2]),
        ("inner", {"steps": 3}, Inner(steps=3)),
        ("maybe", None, None),
        ("place", "~/x", str(Path.home() / "x")),
        ("place", "hf://a/b@c", "hf://a/b@c"),
        ("folder", "~/x", Path.home() / "x"),
        ("folder", "x/~", Path("x/~")),
    ],
)
def test_what_means_the_same_is_taken(field: str, value: Any, taken: Any) -> None:
    assert getattr(Block.model_validate({field: value}), field) == taken


def test_a_block_is_closed_and_frozen() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Block.model_validate({"unknown": 1})
    with pytest.raises(ValidationError, match="frozen"):
        Block().whole = 2  # type: ignore[misc]
