"""Names on the command line that select pipelines, nodes and datasets: each must exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.errors import SettingsError, among, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kedro.pipeline import Pipeline

PIPELINES = ("pipelines", "pipeline")


def refuse_unknown(chosen: Mapping[str, Any]) -> None:
    """Check the options of a Kedro command that select what is run or shown.

    Kedro finds a name that nothing has only after others, reports it without the option, and for some options not at
    all.

    Args:
        chosen: Option, as Kedro's functions name it -> names.

    Raises:
        SettingsError: With the first name that nothing has, its option, and the closest one.
    """
    from kedro.framework.project import pipelines

    every = dict(pipelines)
    asked = []
    for key in PIPELINES:
        for name in _names(chosen.get(key)):
            if name not in every:
                raise SettingsError(f"--{key}: there is no pipeline {name!r}{among(name, every)}")
            asked.append(name)
    asked = asked or ["__default__"]
    for key, (option, what, names_of) in SELECTORS.items():
        known = {name for own in asked for name in names_of(every[own])}
        for name in _names(chosen.get(key)):
            if name not in known:
                elsewhere = [own for own in every if name in names_of(every[own])]
                home = min(elsewhere, key=lambda own: len(every[own].nodes), default=None)
                cure = _cure(name, known, asked[0], home)
                raise SettingsError(f"{option}: there is no {what} {name!r} in pipeline {', '.join(asked)}{cure}")


def _cure(name: str, known: set[str], asked: str, home: str | None) -> str:
    if home is not None:
        return f": run --pipelines {home}, which has it"
    see = f"; see `kedro registry describe {asked}`" if known else "; leave the option out"
    return did_you_mean(name, known) or see


def _names(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _nodes(pipeline: Pipeline) -> set[str]:
    return {node.name for node in pipeline.nodes}


def _datasets(pipeline: Pipeline) -> set[str]:
    return {part for name in pipeline.datasets() for part in (name, name.partition("@")[0])}


def _tags(pipeline: Pipeline) -> set[str]:
    return {tag for node in pipeline.nodes for tag in node.tags}


def _namespaces(pipeline: Pipeline) -> set[str]:
    steps = [node.namespace.split(".") for node in pipeline.nodes if node.namespace]
    return {".".join(own[: length + 1]) for own in steps for length in range(len(own))}


SELECTORS: dict[str, tuple[str, str, Callable[[Pipeline], set[str]]]] = {
    "node_names": ("--nodes", "node", _nodes),
    "from_nodes": ("--from-nodes", "node", _nodes),
    "to_nodes": ("--to-nodes", "node", _nodes),
    "from_inputs": ("--from-inputs", "dataset", _datasets),
    "to_outputs": ("--to-outputs", "dataset", _datasets),
    "load_versions": ("--load-versions", "dataset", _datasets),
    "tags": ("--tags", "tag", _tags),
    "namespaces": ("--namespaces", "namespace", _namespaces),
}
"""Argument of Kedro's functions -> its option, what it names, and those of a pipeline."""
