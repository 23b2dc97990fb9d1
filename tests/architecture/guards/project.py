"""The project as the guards see it: pipelines, and the configuration of one environment."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import CatalogConfigResolver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline import Pipeline

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "social_provenance"
CONF = ROOT / "conf"
BASE = "base"
SUMS = ("provenance", "__default__")
"""Registered pipelines that are made of others."""

PLACES = {
    name: f"somewhere/{name}"
    for name in ("root", "corpus", "benchmarks", "model", "query_model", "reference", "accepted_code")
}
"""Runtime parameters that an environment may insist on."""


@dataclass(frozen=True)
class Project:
    """Pipelines with the configuration of one environment.

    Attributes:
        pipelines: Registered name -> pipeline.
        catalog: Entry, or pattern of names -> its resolved configuration.
        parameters: As the configuration files give them, not validated.
    """

    pipelines: Mapping[str, Pipeline]
    catalog: Mapping[str, dict[str, Any]]
    parameters: Mapping[str, Any]

    def nodes(self) -> list[Any]:
        """Return every node of every registered pipeline, once."""
        return list({node.name: node for pipeline in self.pipelines.values() for node in pipeline.nodes}.values())

    def entry(self, name: str) -> Mapping[str, Any] | None:
        """Return the configuration of a dataset, its own or that of its pattern; None if it would be in memory."""
        return self.catalog.get(name) or self.catalog.get(self.pattern_of(name) or "")

    def pattern_of(self, name: str) -> str | None:
        """Return the pattern that keeps a dataset; None for one with an entry of its own, or with neither."""
        return None if name in self.catalog else self._resolver.match_dataset_pattern(name)

    def parts(self) -> dict[str, Pipeline]:
        """Return the pipelines that are not sums of others."""
        return {name: pipeline for name, pipeline in self.pipelines.items() if name not in SUMS}

    @cached_property
    def _resolver(self) -> CatalogConfigResolver:
        return CatalogConfigResolver(dict(self.catalog))


def load_config(conf: Path, env: str, kind: str, places: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return one kind of configuration (``catalog``, ``parameters``, ...) as a run in ``env`` gets it."""
    given = {**PLACES, **(places or {})}
    files = tuple(
        (path.relative_to(conf).as_posix(), path.read_bytes()) for path in sorted(conf.rglob("*.*")) if path.is_file()
    )
    found: dict[str, Any] = pickle.loads(_loaded(conf, env, kind, tuple(given.items()), files))
    if kind == "parameters":
        return {name: value for name, value in found.items() if name not in PLACES}
    return {name: value for name, value in found.items() if not str(name).startswith("_")}


@cache
def _loaded(
    conf: Path, env: str, kind: str, given: tuple[tuple[str, str], ...], files: tuple[tuple[str, bytes], ...]
) -> bytes:
    """Return configuration as pickled: many guards ask for the same, and each may change what it gets."""
    from social_provenance import settings

    del files  # what was loaded before is not what is there now if they differ
    loader = settings.CONFIG_LOADER_CLASS(str(conf), env=env, runtime_params=dict(given), **settings.CONFIG_LOADER_ARGS)
    return pickle.dumps(loader[kind])


def read_project(conf: Path = CONF, env: str = BASE, pipelines: Mapping[str, Pipeline] | None = None) -> Project:
    """Return the project in an environment; other pipelines than the registered ones may be given."""
    from social_provenance.pipeline_registry import register_pipelines

    return Project(
        register_pipelines() if pipelines is None else pipelines,
        load_config(conf, env, "catalog"),
        load_config(conf, env, "parameters"),
    )


def environments(conf: Path = CONF) -> list[str]:
    """Return the environments: folders of ``conf`` that hold configuration."""
    return sorted(folder.name for folder in conf.iterdir() if folder.is_dir() and any(folder.rglob("*.yml")))


def is_parameter(name: str) -> bool:
    """Return whether a node's input is a parameter."""
    return name == "parameters" or name.startswith("params:")
