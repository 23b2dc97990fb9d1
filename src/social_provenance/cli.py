"""The command line: a mistake on it is one line and exit code 1, and each option of a run is read completely.

Kedro finds this module by its name, and asks it for commands before its own. The only one here is Kedro's ``run``, with
checks of what was typed; ``viz run``, which a plugin has, is replaced by that of ``hooks.viz``. Errors of all commands
are shown by ``hooks.errors``.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from inspect import isabstract, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.runner import AbstractRunner, ParallelRunner
from kedro.utils import load_obj
from kedro_viz.launchers.cli.main import viz
from omegaconf import OmegaConf

from social_provenance.errors import SettingsError, among, excerpt
from social_provenance.hooks.errors import install, show_error
from social_provenance.hooks.phrases import squeeze
from social_provenance.hooks.selection import refuse_unknown
from social_provenance.hooks.typed_params import PARAMS, read_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUNNER_PARAMS = "--runner-params"
RUNNERS = ("SequentialRunner", "ThreadRunner")
NAMES = frozenset(
    "pipelines tags node_names from_nodes to_nodes from_inputs to_outputs namespaces load_versions params "
    "runner_params".split()
)
"""Options with commas between their parts."""

NODES = frozenset("node_names from_nodes to_nodes namespaces".split())
"""Those of them where Kedro takes no comma within brackets for one, and nothing after an open bracket."""


class Run(click.Command):
    """Kedro's ``run``, which refuses what would be passed over: an empty name, an option that is given twice."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        refuse_empty(given, order)
        try:
            if "config" in given:
                refuse_options(given["config"], str(ctx.info_name), self.params)
            rest = super().parse_args(ctx, args)
        except (click.ClickException, click.exceptions.Exit, SettingsError):
            raise
        except Exception as error:
            if "config" not in given:
                raise
            raise SettingsError(
                f"--config: {given['config']} cannot be read ({type(error).__name__}: {squeeze(error, 80)}): write "
                f"YAML with a block `run` of options"
            ) from error
        refuse_unknown(ctx.params)
        refuse_runner(ctx.params)
        return rest


def refuse_empty(given: Mapping[str, Any], order: Sequence[click.Parameter]) -> None:
    """Check the options as they were typed.

    Args:
        given: Name of an option -> its text.
        order: The options, once for each time that they were typed.

    Raises:
        SettingsError: With an option that is given twice, of which Kedro reads the last, or has an empty part, which
            Kedro leaves out.
    """
    for parameter, times in Counter(order).items():
        option, value = max(parameter.opts, key=len), given.get(parameter.name or "")
        if times > 1 and not isinstance(value, bool):
            join = ", with commas between its parts" if parameter.name in NAMES else ""
            raise SettingsError(f"{option} is given {times} times, and the last alone counts: give it once{join}")
        if not isinstance(value, str):
            continue
        if not value.strip():
            raise SettingsError(f"{option} is empty: give it a value, or leave it out")
        if parameter.name in NAMES and not all(part.strip() for part in value.split(",")):
            raise SettingsError(f"{option}: {excerpt(value)} has nothing beside a comma: leave the comma out")
        if parameter.name in NODES and set("[]") & set(value):
            raise SettingsError(f"{option}: {excerpt(value)} has a bracket, as no node has: give its name")
        if value.startswith("--"):
            raise SettingsError(f"{option} has no value before {value!r}: give it one, or leave it out")
        if parameter.name == "load_versions" and not all(":" in part for part in value.split(",")):
            raise SettingsError(f"{option}: {excerpt(value)} has no version: write DATASET:VERSION")


def refuse_options(file: str, block: str, parameters: Sequence[click.Parameter]) -> None:
    """Check the options of a file for ``--config``, which Kedro reads as if their text had been typed.

    Args:
        file: The file.
        block: Its block of options.
        parameters: Options of the command.

    Raises:
        SettingsError: With an option that there is not, or that is null, a list or a mapping where text is read, or
            with a dotted name in a mapping, which stands for no field there.
    """
    if not Path(file).is_file():
        return  # which click says
    options = {one.name: one for one in parameters if one.name not in (None, "config")}
    spellings = {option.lstrip("-"): str(name) for name, one in options.items() for option in one.opts}
    texts = {}
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    for key, value in content[block].items():
        place = f"--config: in {file}, {key}"
        if key not in options:
            known = [str(name) for name in options]
            near = f": write {spellings[key]!r}" if key in spellings else among(str(key), known)
            raise SettingsError(f"{place} is no option of `kedro {block}`{near}")
        if value is None:
            raise SettingsError(f"{place} is null: give it a value, or leave it out")
        if f"--{key}".replace("_", "-") in (PARAMS, RUNNER_PARAMS):
            if name := _dotted(value):
                first, _, rest = name.partition(".")
                raise SettingsError(
                    f"{place}: {name!r} has a dot, which is read on the command line only: write {rest!r} below "
                    f"{first!r}"
                )
        elif isinstance(value, list):
            joined = ",".join(map(str, value))
            raise SettingsError(f"{place} {excerpt(value)} is a list: write its parts with commas, {key}: {joined}")
        elif isinstance(value, dict):
            raise SettingsError(f"{place} {excerpt(value)} is a mapping: write text")
        elif getattr(options[key], "is_flag", False) and not isinstance(value, bool):
            raise SettingsError(f"{place} {excerpt(value)} is neither true nor false: give one")
        texts[key] = value
    refuse_empty(texts, [options[key] for key in texts])


def _dotted(value: Any) -> str | None:
    """Return the first name with a dot in a mapping, or in one below it."""
    below = value.items() if isinstance(value, dict) else ()
    return next((found for name, one in below if (found := str(name) if "." in str(name) else _dotted(one))), None)


def refuse_runner(chosen: Mapping[str, Any]) -> None:
    """Check the runner and its parameters, which Kedro passes on as they are.

    Raises:
        SettingsError: If there is no such runner, or it has no such parameter or value.
    """
    name = str(chosen.get("runner") or "SequentialRunner")
    try:
        kind = load_obj(name, "kedro.runner")
    except (AttributeError, ImportError, ValueError):
        kind = None
    if not (isinstance(kind, type) and issubclass(kind, AbstractRunner)) or isabstract(kind):
        raise SettingsError(f"--runner: there is no runner {name!r}{among(name, RUNNERS)}")
    if issubclass(kind, ParallelRunner):
        raise SettingsError(f"--runner: {name} loses hooks, so the ledger would lack datasets: use SequentialRunner")
    params = chosen.get("runner_params") or {}
    takes = [each for each in signature(kind.__init__).parameters if each != "self"]
    for key, value in params.items():
        if key not in takes:
            raise SettingsError(f"{RUNNER_PARAMS}: {name} has no parameter {key!r}{among(key, takes)}")
        if key == "max_workers" and (type(value) is not int or value < 1):
            raise SettingsError(f"{RUNNER_PARAMS}: max_workers {excerpt(value)} is not a number from 1: give one")
        if key == "is_async" and not isinstance(value, bool):
            raise SettingsError(f"{RUNNER_PARAMS}: is_async {excerpt(value)} is neither true nor false: give one")
    if chosen.get("pipeline") and chosen.get("pipelines"):
        raise SettingsError("--pipeline and --pipelines are both given: name all in --pipelines")
    if chosen.get("is_async") and params.get("is_async") is False:
        raise SettingsError(f"--async contradicts {RUNNER_PARAMS} is_async=false: leave one out")


def _read(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    del ctx
    option = max(parameter.opts, key=len)
    if isinstance(value, str):
        return read_items(value, option) if value.strip() else {}
    if not isinstance(value, dict):
        raise SettingsError(f"--config: {option[2:]} {excerpt(value)} is not a mapping: write NAME: VALUE below it")
    return value


def _show(error: click.ClickException, file: Any = None) -> None:
    del file
    show_error(type(error), error, error.__traceback__)


def _checked(command: click.Command) -> Run:
    """Return Kedro's command with the same options, of which those with ``NAME=VALUE`` are read by ``read_items``."""
    parameters = [copy(parameter) for parameter in command.params]
    for parameter in parameters:
        if {PARAMS, RUNNER_PARAMS} & set(parameter.opts):
            parameter.callback = _read
    return Run(name=command.name, callback=command.callback, params=parameters, help=command.help)


# What click shows of an error is a usage in several lines, and Kedro's errors go to stdout.
for _kind in (click.ClickException, click.UsageError, KedroCliError):
    setattr(_kind, "show", _show)  # noqa: B010 (mypy refuses an assignment to a method)
click.UsageError.exit_code = 1
install()
viz.lazy_subcommands["run"] = "social_provenance.hooks.viz.run"

run = _checked(kedro_run)
cli = click.Group(name="kedro", commands={"run": run})
