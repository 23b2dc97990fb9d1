"""Configuration loader that checks runtime parameters before anything is resolved, made or run."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.config import OmegaConfigLoader
from omegaconf.errors import ConfigTypeError, OmegaConfBaseException

from social_provenance.errors import SettingsError, among, excerpt
from social_provenance.hooks.errors import install
from social_provenance.hooks.phrases import squeeze
from social_provenance.hooks.typed_paths import FOLDERS, PLACES, restore_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INTERPOLATION = "${"
GLOBALS = "globals"
ARCHIVES = (".zip", ".tar.gz")

SPILL = ".spill"
"""Folder below the root, to which DuckDB writes what exceeds its memory; by default it is in the working directory."""


def spilling(connection: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Return the settings of an engine that spills to the disk of the data, unless they name another folder."""
    settings = {str(name): value for name, value in connection.items()}
    spill = {"temp_directory": f"{root}/{SPILL}"} if settings.get("backend") == "duckdb" else {}
    return spill | settings


class CheckedConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which refuses runtime parameters that would be resolved or are empty places.

    It is made before hooks are called, so that an error of the configuration is one line as well.
    """

    def __init__(self, conf_source: str, env: str | None = None, *arguments: Any, **named: Any) -> None:
        """Check the environment and the runtime parameters, and install the one-line error display.

        Raises:
            SettingsError: With the option and its value.
        """
        install()
        given = named.get("runtime_params") or {}
        refuse_unresolvable(given)
        restore_paths(given, "--params")
        base = named.get("base_env") or ""
        refuse_environment(conf_source, base, env or named.get("default_run_env") or base)
        try:
            super().__init__(conf_source, env, *arguments, **named)
        except OmegaConfBaseException:
            raise
        except (ImportError, ValueError) as error:
            raise SettingsError(
                f"--conf-source: {conf_source} cannot be read ({squeeze(error, 80)}): give a folder of configurations"
            ) from error

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return a configuration; that of files is read and resolved once, as parameters are asked for several times.

        Raises:
            SettingsError: If it cannot be read; see :meth:`_read`.
        """
        if key in self:
            return self._read(key)
        known = self.__dict__.setdefault("_known", {})  # Kedro's own initialisation asks, too
        if key not in known:
            known[key] = self._read(key)
        return deepcopy(known[key])

    def __setitem__(self, key: str, value: Any) -> None:
        """Set a configuration, in place of what the files say."""
        self.__dict__.pop("_known", None)  # others may refer to it
        super().__setitem__(key, value)

    def _read(self, key: str) -> dict[str, Any]:
        """Return a configuration; the root that an environment gives is read as one on the command line.

        Raises:
            SettingsError: If a file or a runtime parameter has a list where another has a block of fields, or the root
                is no place.
        """
        try:
            found = super().__getitem__(key)
            if key == GLOBALS:
                restore_paths(found, "globals.yml")
            return found
        except ConfigTypeError as error:
            given = sorted(set(self.runtime_params or {}) - set(PLACES))
            raise SettingsError(
                f"{key}: a list is given in place of a block of fields, or a field of a list: fix the {key} of the "
                f"environment" + (f", or the value of {', '.join(given)} in --params" if given else "")
            ) from error


def refuse_environment(source: str, base: str, env: str) -> None:
    """Check that a folder of configuration on this machine has that of the environment.

    Raises:
        SettingsError: With the option and its value.
    """
    folder = Path(source)
    if "://" in source or source.endswith(ARCHIVES):
        return
    if not (folder / base).is_dir():
        raise SettingsError(f"--conf-source: {source} has no folder {base!r}: give a folder of configurations")
    known = [one.name for one in folder.iterdir() if one.is_dir()]
    if env and env not in known:
        raise SettingsError(f"--env: there is no environment {env!r} in {source}{among(env, known)}")


def refuse_unresolvable(given: Mapping[str, Any]) -> None:
    """Check that runtime parameters are plain values, and that no place among them is empty.

    Raises:
        SettingsError: With the parameter and its value.
    """
    for name in FOLDERS:
        if name in given and str(given[name] or "").strip() == "":
            raise SettingsError(f"--params {name} is empty: give a path, or leave {name} out for the default")
    for place, value in _texts(given):
        if INTERPOLATION in value:
            raise SettingsError(
                f"--params {place}: {excerpt(value)} refers to another value, which is not resolved on the command "
                f"line: give the value itself"
            )


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in nested values with its place, keys included."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            below = f"{place}.{key}" if place else str(key)
            yield below, str(key)
            yield from _texts(inner, below)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, place)
