"""What the page on parameters says of a field's range is what its model does, and no number is without one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import pytest
from kedro.pipeline import Node, Pipeline
from pydantic import BaseModel, Field

from guards.docs import ranges_said
from guards.parameters import parameter_models
from guards.project import ROOT, Project
from guards.ranges import boundless_numbers, defaults_out_of_range, documented_fields, misstated_ranges, probes

PAGE = (ROOT / "docs" / "reference" / "parameters.md").read_text(encoding="utf-8")
Positive = Annotated[int, Field(gt=0)]


class Planted(BaseModel):
    items: Positive = 0
    free: int = 3
    share: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    sizes: dict[int, Annotated[float, Field(ge=0)]] = {2: 0.5}
    steps: tuple[Positive, ...] = (1, 2)
    kind: Literal["one", "other"] = "one"
    seed: int = 0


def take(documents: object, params: Planted) -> object:
    return documents, params


def ranges(**cells: str) -> str:
    rows = "".join(f"| `planted.{name}` | | {cell} | – | |\n" for name, cell in cells.items())
    return f"| field | unit | range | base | |\n| --- | --- | --- | --- | --- |\n{rows}"


@pytest.fixture
def planted(project: Project) -> Project:
    node = Node(take, ["documents", "params:planted"], "taken", name="take")
    return replace(project, pipelines={"corpus": Pipeline([node])})


def test_models_accept_what_the_page_says_and_nothing_else(project: Project) -> None:
    assert misstated_ranges(project, PAGE) == []


def test_most_fields_are_tried_from_both_sides(project: Project) -> None:
    said, fields = ranges_said(PAGE), documented_fields(project)
    tried = [probes(said[name], fields[name]) for name in sorted(set(said) & set(fields))]
    assert len(tried) > 100
    assert sum(bool(inside and outside) for inside, outside in tried) > 0.8 * len(tried)


@pytest.mark.parametrize(
    ("cells", "finding"),
    [
        ({"free": "≥ 1"}, "planted.free: accepts 0, the page says ≥ 1"),
        ({"free": ""}, "planted.free: a number, and the page says no range that is understood (nothing)"),
        ({"items": "≥ 2"}, "planted.items: accepts 1, the page says ≥ 2"),
        ({"items": "≥ 0"}, "planted.items: refuses 0, the page says ≥ 0"),
        ({"items": "≥ 1, or null"}, "planted.items: refuses None, the page says ≥ 1, or null"),
        ({"items": "1 to 8"}, "planted.items: accepts 9, the page says 1 to 8"),
        ({"share": "0 to 1, not 1"}, "planted.share: accepts 1, the page says 0 to 1, not 1"),
        ({"share": "> 0"}, "planted.share: accepts 0, the page says > 0"),
        ({"sizes": "0 to 1 for each size"}, "planted.sizes: accepts {2: 1.000001}, the page says 0 to 1 for each size"),
        ({"steps": "each ≥ 2"}, "planted.steps: accepts [1, 2], the page says each ≥ 2"),
        ({"steps": "each ≥ 1, different"}, "planted.steps: accepts [1, 2, 1, 2], the page says each ≥ 1, different"),
        ({"steps": "one or more"}, "planted.steps: accepts [], the page says one or more"),
        ({"kind": "`one`"}, "planted.kind: accepts 'other', the page says `one`"),
        ({"kind": "`one`, `other`, `third`"}, "planted.kind: refuses 'third', the page says `one`, `other`, `third`"),
        ({"seed": "≥ 0"}, "planted.seed: accepts -1, the page says ≥ 0"),
    ],
)
def test_a_range_that_is_another_on_the_page_is_found(planted: Project, cells: dict[str, str], finding: str) -> None:
    assert finding in misstated_ranges(planted, ranges(**cells))


def test_ranges_that_are_as_the_page_says_are_not_found(planted: Project) -> None:
    cells = {"items": "≥ 1", "share": "0 to 1, or null", "sizes": "≥ 0", "steps": "each ≥ 1", "seed": "whole"}
    assert misstated_ranges(planted, ranges(**cells, kind="`one`, `other`")) == []


def test_every_number_has_a_bound_and_every_default_is_within_it(project: Project) -> None:
    assert boundless_numbers(parameter_models(project)) == []
    assert defaults_out_of_range(parameter_models(project)) == []


def test_a_number_without_a_bound_and_a_default_beyond_one_are_found() -> None:
    assert boundless_numbers({Planted}) == ["Planted.free: a number without a lower bound"]
    assert defaults_out_of_range({Planted}) == ["Planted: refuses its own default of ('items',)"]
