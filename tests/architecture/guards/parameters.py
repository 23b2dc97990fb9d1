"""Parameters: none that no node reads, none that no model checks."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

from guards.trees import parse
from social_provenance.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from guards.project import Project


def dead_parameters(project: Project) -> list[str]:
    """Find parameters that no node reads: whole blocks, or fields of a block that is read by fields only."""
    read = {name.removeprefix("params:") for node in project.nodes() for name in node.inputs if "params:" in name}
    return [f"params:{name}: no node reads it" for name in _unread(project.parameters, read)]


def _unread(parameters: Mapping[str, Any], read: set[str], prefix: str = "") -> Iterator[str]:
    for key, value in parameters.items():
        name = f"{prefix}{key}"
        if name in read:
            continue
        if isinstance(value, dict) and any(other.startswith(f"{name}.") for other in read):
            yield from _unread(value, read, f"{name}.")
        else:
            yield name


def unresolved_annotations(project: Project) -> list[str]:
    """Find nodes whose function has an annotation that is not there at run time, where Kedro reads it."""
    return [
        f"{node.name}: {error}, so Kedro checks no parameter of it"
        for node in project.nodes()
        if (error := _unresolved(node.func))
    ]


def _unresolved(function: Callable[..., Any]) -> str:
    try:
        get_type_hints(function)
    except NameError as error:
        return str(error)
    return ""


def unchecked_blocks(project: Project) -> list[str]:
    """Find parameter blocks that no node takes as a Pydantic model."""
    typed = TypeExtractor(dict(project.pipelines)).extract_types_from_pipelines()
    return [
        f"params:{name}: no node takes it as a Pydantic model, so nothing checks it"
        for name, value in project.parameters.items()
        if isinstance(value, dict) and not _is_model(typed.get(name))
    ]


def refused_parameters(project: Project) -> list[str]:
    """Find parameters that their models do not accept."""
    try:
        ParameterValidator(dict(project.pipelines)).validate_raw_params(dict(project.parameters))
    except ParameterValidationError as error:
        return [str(error)]
    return []


def loose_models(project: Project) -> list[str]:
    """Find parameter models that accept unknown fields, can be changed or convert values, nested ones too."""
    found = []
    for model in sorted(parameter_models(project), key=lambda model: model.__name__):
        if model.model_config.get("extra") != "forbid":
            found.append(f"{model.__name__}: accepts unknown fields")
        if not model.model_config.get("frozen"):
            found.append(f"{model.__name__}: can be changed after it was checked")
        if not issubclass(model, Parameters):
            found.append(f"{model.__name__}: converts values, as it is no Parameters")
    return found


def unused_fields(project: Project, source: Path) -> list[str]:
    """Find fields of parameter models that no code reads by name."""
    names = _names_read(source)
    return [
        f"{model.__name__}.{field}: no code reads it"
        for model in sorted(parameter_models(project), key=lambda model: model.__name__)
        for field in model.model_fields
        if field not in names
    ]


def undocumented_fields(models: set[type[BaseModel]]) -> list[str]:
    """Find fields of parameter models that no sentence explains."""
    found = []
    for model in sorted(models, key=lambda model: model.__name__):
        body = ast.parse(inspect.getsource(model)).body[0].body  # type: ignore[attr-defined]
        for statement, following in zip(body, [*body[1:], None], strict=True):
            if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
                continue
            if not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)):
                found.append(f"{model.__name__}.{statement.target.id}: no sentence below it")
    return found


def parameter_models(project: Project) -> set[type[BaseModel]]:
    """Return the models of the parameters, those of their fields too."""
    waiting = list(TypeExtractor(dict(project.pipelines)).extract_types_from_pipelines().values())
    found: set[type[BaseModel]] = set()
    while waiting:
        kind = waiting.pop()
        if _is_model(kind) and kind not in found:
            found.add(kind)
            waiting += [field.annotation for field in kind.model_fields.values()]
        waiting += [argument for argument in get_args(kind) if argument is not kind]
    return found


def _is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, BaseModel)


def _names_read(source: Path) -> set[str]:
    """Return every name that code reads as an attribute, or takes as an argument from a spread model."""
    names: set[str] = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                names.add(node.attr)
            elif isinstance(node, ast.arg):
                names.add(node.arg)
    return names
