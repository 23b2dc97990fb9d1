"""Environments: each resolves, and changes roots and sizes, never structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from kedro.io import DataCatalog
from kedro.validation.core import ValidatorSpec, resolve_validator

from guards.project import BASE, load_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from guards.project import Project

FREE = (
    *("path", "filepath", "places", "connection", "fields", "revision", "load_args", "save_args"),
    "storage_options",
)
"""What an environment may change of a catalog entry: where it is and how its files are read."""


def unresolved_entries(project: Project) -> list[str]:
    """Find catalog entries whose dataset or validator cannot be made."""
    catalog = DataCatalog.from_config({name: dict(entry) for name, entry in project.catalog.items()})
    found = []
    for name, entry in project.catalog.items():
        try:
            catalog.get(name)
            if "validator" in entry:
                resolve_validator(ValidatorSpec.from_dataset_config(name, entry["validator"]))
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())}")
    return found


def changed_structure(conf: Path, env: str) -> list[str]:
    """Find what an environment adds to the base configuration or changes in kind."""
    return [*_changed_entries(conf, env), *_new_parameters(conf, env), *_new_settings(conf, env)]


def _changed_entries(conf: Path, env: str) -> Iterator[str]:
    base, own = load_config(conf, BASE, "catalog"), load_config(conf, env, "catalog")
    for name in sorted(set(base) ^ set(own)):
        yield f"{env}: catalog entry {name} is in one of {BASE} and {env} only"
    for name in sorted(set(base) & set(own)):
        before, after = _fixed(base[name]), _fixed(own[name])
        for key in sorted(set(before) | set(after)):
            if before.get(key) != after.get(key):
                yield f"{env}: catalog entry {name} changes {key}"


def _fixed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an environment may not change of an entry, nor of an entry within it."""
    return {key: _fixed(value) if isinstance(value, dict) else value for key, value in entry.items() if key not in FREE}


def _new_parameters(conf: Path, env: str) -> Iterator[str]:
    base, own = load_config(conf, BASE, "parameters"), load_config(conf, env, "parameters")
    for name in _new_keys(base, own):
        yield f"{env}: parameter {name} is not in {BASE}"


def _new_settings(conf: Path, env: str) -> Iterator[str]:
    """Compare the other files; each stands for the whole file of the same name in base."""
    for path in sorted((conf / env).glob("*.yml")):
        if path.name.startswith(("catalog", "parameters")):
            continue
        base = conf / BASE / path.name
        if not base.exists():
            yield f"{env}: {path.name} is not in {BASE}"
            continue
        for name in _new_keys(yaml.safe_load(base.read_text()), yaml.safe_load(path.read_text())):
            yield f"{env}: {path.name} has {name}, which is not in {BASE}"


def _new_keys(base: Mapping[str, Any], own: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in own.items():
        if key not in base:
            yield f"{prefix}{key}"
        elif isinstance(value, dict) and isinstance(base[key], dict):
            yield from _new_keys(base[key], value, f"{prefix}{key}.")
