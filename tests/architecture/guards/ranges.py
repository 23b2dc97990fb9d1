"""Ranges of parameters: what the page on parameters says a field may be is what its model accepts, and no more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel, ValidationError

from guards.docs import ranges_said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guards.project import Project

NUMBER = r"-?\d+(?:\.\d+)?"
SMALL = 1e-6
"""How far beyond a bound a fraction is tried; a whole number is tried at the next one."""
FAR = 10**9
ANY_NUMBER = {"seed", "split_seed", "order_seeds", "seeds", "delta"}
"""Numbers that may be anything: seeds, and the margin that SimNPO takes off a log-ratio."""
REQUIRED: dict[str, dict[str, Any]] = {
    "Optimiser": {"learning_rate": 1e-3},
    "Benchmark": {"name": "quiz", "domain": "social", "level": "reasoning", "task": "quiz.yaml"},
    "Evaluation": {
        "benchmarks": [{"name": "quiz", "domain": "social", "level": "reasoning", "task": "quiz.yaml"}],
    },
}
"""Values of the fields that have no default."""


@dataclass(frozen=True)
class Field:
    """A field of a parameter model, and how a single value of it is given."""

    model: type[BaseModel]
    name: str

    @property
    def annotation(self) -> Any:
        """What the field may be, without ``None``."""
        annotation = self.model.model_fields[self.name].annotation
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _plain(kinds[0] if type(None) in get_args(annotation) else annotation)

    @property
    def kind(self) -> Any:
        """The type of a single value: that of a list's members, or of a mapping's values."""
        inner = [kind for kind in get_args(self.annotation) if kind is not ...]
        return _plain(inner[-1]) if self.wrapped else self.annotation

    @property
    def wrapped(self) -> bool:
        """Whether values come in a list or a mapping."""
        return get_origin(self.annotation) in (Sequence, tuple, list, dict, Mapping)

    def put(self, value: Any) -> Any:
        """Return a value of the field that has ``value`` in it."""
        if not self.wrapped or value is None:
            return value
        if get_origin(self.annotation) in (dict, Mapping):
            return {2: value}
        return [value, value + 1] if self.kind is int else [value]

    def accepts(self, value: Any) -> bool:
        """Say whether the model takes a value; one that only contradicts other fields is taken."""
        try:
            self.model.model_validate({**REQUIRED.get(self.model.__name__, {}), self.name: value})
        except ValidationError as error:
            return not any(one["loc"][:1] == (self.name,) for one in error.errors())
        return True

    def refuses(self, value: Any) -> bool:
        """Say whether the model, or a rule between its fields, refuses a value."""
        try:
            self.model.model_validate({**REQUIRED.get(self.model.__name__, {}), self.name: value})
        except ValidationError:
            return True
        return False


def misstated_ranges(project: Project, page: str) -> list[str]:
    """Find fields that accept what the page's column ``range`` leaves out, or refuse what it names."""
    found, fields = [], documented_fields(project)
    for name, cell in ranges_said(page).items():
        if name not in fields:
            continue  # named by another check
        field = fields[name]
        inside, outside = probes(cell, field)
        found += [f"{name}: refuses {value!r}, the page says {cell}" for value in inside if not field.accepts(value)]
        found += [f"{name}: accepts {value!r}, the page says {cell}" for value in outside if not field.refuses(value)]
        if field.kind in (int, float) and not outside:
            found.append(f"{name}: a number, and the page says no range that is understood ({cell or 'nothing'})")
    return found


def boundless_numbers(models: set[type[BaseModel]]) -> list[str]:
    """Find numbers that may be as small as one likes and are no seeds."""
    found = []
    for model in sorted(models, key=lambda model: model.__name__):
        for name in model.model_fields:
            field = Field(model, name)
            if field.kind in (int, float) and name not in ANY_NUMBER and not field.refuses(field.put(-FAR)):
                found.append(f"{model.__name__}.{name}: a number without a lower bound")
    return found


def defaults_out_of_range(models: set[type[BaseModel]]) -> list[str]:
    """Find defaults that their own model would refuse: Pydantic does not look at them."""
    found = []
    for model in sorted(models, key=lambda model: model.__name__):
        given = REQUIRED.get(model.__name__, {})
        values = model.model_construct(**given).model_dump(warnings=False) | given
        try:
            model.model_validate(values)
        except ValidationError as error:
            found.append(f"{model.__name__}: refuses its own default of {error.errors()[0]['loc']}")
    return found


def documented_fields(project: Project) -> dict[str, Field]:
    """Return the fields of all parameter blocks as ``block.field``; ``[]`` steps into the members of a list."""
    blocks = TypeExtractor(dict(project.pipelines)).extract_types_from_pipelines()
    return {name: field for block, kind in blocks.items() for name, field in _fields(kind, block)}


def probes(cell: str, field: Field) -> tuple[list[Any], list[Any]]:
    """Return values that a range says a field accepts, and values that it says the field refuses.

    Args:
        cell: A range as the page gives it: ``≥ 1``, ``> 0, or null``, ``0 to 1, not 0``, ``2 to 8``,
            ```a`, `b```, ``whole``, ``true or false``, ``two or more``, ``distinct``. A bound may be another
            field in backticks, which then stands for its default.
        field: Whose range.
    """
    inside: list[Any] = [None] if "null" in cell else []
    outside: list[Any] = []
    for low, high in _bounds(cell, field):
        for bound, open_, step in ((*low, -1), (*high, 1)):
            if bound is not None:
                near = 1 if field.kind is int else SMALL
                (outside if open_ else inside).append(field.put(bound))
                outside.append(field.put(bound + step * near))
                if open_:
                    inside.append(field.put(bound - step * near))
    known, words = get_args(field.kind), re.findall(r"`(\w+)`", cell)
    if get_origin(field.kind) is Literal and len(known) > 1 and not set(words) & set(field.model.model_fields):
        inside += [field.put(word) for word in words]
        outside += [field.put(word) for word in ("no_such_word", *known) if word not in words]
    if cell == "whole":
        inside, outside = [-1, 0, 10**6], [0.5, "first"]
    if field.kind is bool:
        inside, outside = [True, False], ["perhaps", 2]
    return inside, outside + _too_few(cell, field)


def _bounds(cell: str, field: Field) -> Iterator[tuple[tuple[Any, bool], tuple[Any, bool]]]:
    """Yield the bounds in a range: (bound or None, whether it is left out) below and above."""
    if field.kind not in (int, float):
        return
    bound = rf"({NUMBER}|`\w+`)"
    if found := re.match(rf"{bound} to {bound}", cell):
        ends = [_value(end, field) for end in found.groups()]
        low, high = ((end, "neither" in cell or f"not {end}" in cell) for end in ends)
        yield low, high
    elif found := re.match(rf"(?:each )?(≥|>|above) {bound}", cell):
        yield (_value(found[2], field), found[1] != "≥"), (None, False)


def _value(bound: str, field: Field) -> Any:
    if bound.startswith("`"):
        return field.model.model_fields[bound.strip("`")].default
    return float(bound) if "." in bound else int(bound)


def _too_few(cell: str, field: Field) -> list[Any]:
    """Return lists that a range rules out by their length, or by what they repeat."""
    outside: list[Any] = [[]] if "or more" in cell or "names of" in cell else []
    if "two or more" in cell:
        outside.append([0])
    if any(word in cell for word in ("different", "distinct", "each once")):
        default = field.model.model_fields[field.name].default
        outside.append([*(default or ["games"])] * 2)
    return outside


def _fields(kind: Any, prefix: str) -> Iterator[tuple[str, Field]]:
    model = _model(kind)
    if model is None:
        return
    for name, field in model.model_fields.items():
        yield f"{prefix}.{name}", Field(model, name)
        listed = "[]" if get_origin(field.annotation) is Sequence else ""
        yield from _fields(field.annotation, f"{prefix}.{name}{listed}")


def _model(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for argument in get_args(kind) if (found := _model(argument))), None)


def _plain(kind: Any) -> Any:
    """Return a type without what ``Annotated`` adds to it."""
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
