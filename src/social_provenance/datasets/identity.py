"""Identity of a dataset: its location, and a digest of its content.

A dataset class of this package states both (:class:`Identified`). Other classes are queried through Kedro's public
API: the catalog's configuration, ``exists`` and the versions of versioned datasets. Files on this machine are
digested. Anything else has a location and no digest:
:class:`~social_provenance.lineage.UnknownContentError` gives the reason.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable
from urllib.parse import urlsplit

from kedro.io import (
    AbstractDataset,
    AbstractVersionedDataset,
    CachedDataset,
    DataCatalog,
    DatasetError,
    MemoryDataset,
    SharedMemoryDataset,
)
from kedro.io.core import VersionNotFoundError, get_protocol_and_path, parse_dataset_definition

from social_provenance.errors import excerpt
from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.lineage import ABSENT, UnknownContentError
from social_provenance.paths import split_table

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL = frozenset({"file", "local"})
ARGUMENTS = frozenset({"load_args", "save_args", "fs_args", "credentials"})
"""Arguments that configure access only: they are not part of the identity."""


@runtime_checkable
class Identified(Protocol):
    """A dataset that states its own identity."""

    def location(self) -> Path | str | None:
        """Return a path on this machine, else an address or a name; None if nothing is persisted."""
        ...

    def digest(self) -> str:
        """Return a digest of the content, independent of location and time; ``ABSENT`` if there is none.

        Raises:
            UnknownContentError: If the content cannot be identified.
        """
        ...


@runtime_checkable
class Accepting(Protocol):
    """A dataset that may contain results of accepted earlier code."""

    def accepted(self) -> Mapping[str, str]:
        """Return digest of the code that made a part -> digest of the current code for which it was accepted."""
        ...


def identity_of(dataset: object) -> Identified | None:
    """Return the object that states the identity of a dataset; None if it is not persisted."""
    if isinstance(dataset, MemoryDataset | SharedMemoryDataset):
        return None
    if isinstance(dataset, Identified):
        return None if dataset.location() is None else dataset
    if isinstance(dataset, CachedDataset):
        return _behind_cache(dataset)
    # Kedro asks the author of a class whose data do not outlive the run to set this.
    return None if getattr(dataset, "_EPHEMERAL", False) else _foreign(cast("AbstractDataset[Any, Any]", dataset))


def accepted_by(identity: Identified) -> Mapping[str, str]:
    """Return the accepted code of a dataset; empty if its class does not support it."""
    return identity.accepted() if isinstance(identity, Accepting) else {}


def content_digest(path: Path) -> str:
    """Return the digest of a file or folder; ``ABSENT`` if it does not exist."""
    return digest_of_path(path) if path.exists() else ABSENT


def without_secrets(address: str) -> str:
    """Return an address without user, password and query, which may contain a signature."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


@dataclass(frozen=True)
class Files:
    """A dataset in a file, a folder, or the files that match a pattern.

    Attributes:
        dataset: The dataset, which states whether it exists and, if it is versioned, which version is loaded.
        path: Path as written in the catalog.
    """

    dataset: AbstractDataset[Any, Any]
    path: Path

    def location(self) -> Path:
        return split_table(self.path)[0]  # of a pattern, the folder that holds all its files

    def digest(self) -> str:
        path = self.location()
        if isinstance(self.dataset, AbstractVersionedDataset):
            try:
                version = self.dataset.resolve_load_version()
            except VersionNotFoundError:
                return ABSENT
            path = path / version / path.name if version else path
        digest = content_digest(path)
        if digest == ABSENT and self._exists():
            raise UnknownContentError(f"it exists, but not as a file at {path}")
        return digest

    def _exists(self) -> bool:
        try:
            return self.dataset.exists()
        except DatasetError:
            return False  # the load that follows says more about it


@dataclass(frozen=True)
class Elsewhere:
    """A dataset whose content cannot be digested: a table of a database, a service, a remote store.

    Attributes:
        name: Address, or class with a digest of its settings.
        reason: Why its content is unknown.
    """

    name: str
    reason: str

    def location(self) -> str:
        return self.name

    def digest(self) -> str:
        raise UnknownContentError(self.reason)


def kept_at(dataset: AbstractDataset[Any, Any], place: str) -> Files | Elsewhere:
    """Return the identity of a dataset stored in files at a path or an address."""
    protocol, path = get_protocol_and_path(place)
    if protocol in LOCAL:
        return Files(dataset, Path(path))
    address = without_secrets(place)
    return Elsewhere(address, f"it is at {address}, not on this machine")


def _foreign(dataset: AbstractDataset[Any, Any]) -> Identified:
    settings = _settings(dataset)
    place = settings.get("filepath") or settings.get("path")
    if "sql" in settings:  # a file that holds a query says nothing about the answer
        return _elsewhere(dataset, settings, "it is the answer to a query")
    if not isinstance(place, str | Path):
        return _elsewhere(dataset, settings, "its class has neither location() and digest() nor a filepath or path")
    return kept_at(dataset, str(place))


def _elsewhere(dataset: object, settings: Mapping[str, Any], reason: str) -> Elsewhere:
    kept = {name: value for name, value in settings.items() if name not in ARGUMENTS}
    shown = json.dumps(kept, sort_keys=True, default=lambda value: type(value).__name__)
    return Elsewhere(f"{type(dataset).__name__} {digest_of(shown)}", reason)


def _settings(dataset: AbstractDataset[Any, Any]) -> dict[str, Any]:
    """Return the arguments of a dataset by parameter name, without credentials."""
    try:
        config = DataCatalog({"dataset": dataset}).to_config()[0]["dataset"]
    except Exception:  # to_config copies what it was given, which may refuse in any way
        return {}
    return _by_name(config, type(dataset))


def _by_name(config: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Return arguments by name: Kedro stores those of an inherited ``__init__`` as ``args`` and ``kwargs``."""
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]  # type: ignore[misc]
    variable = {each.name for each in parameters if each.kind is each.VAR_KEYWORD} | {"kwargs"}
    named = dict(zip((each.name for each in parameters), config.get("args", ()), strict=False))
    for name, value in config.items():
        if name in variable and isinstance(value, dict):
            named |= value
        elif name != "args":
            named[name] = value
    return named


def _behind_cache(dataset: CachedDataset) -> Identified | None:
    """Return the identity of the dataset behind an in-memory cache, rebuilt from its configuration."""
    try:
        configs, credentials, load_versions, save_version = DataCatalog({"dataset": dataset}).to_config()
        config = {**configs["dataset"]["dataset"], "versioned": configs["dataset"].get("versioned", False)}
        kind, arguments = parse_dataset_definition(config, load_versions["dataset"], save_version)
        arguments = _by_name(arguments, kind)
        if credentials:
            arguments["credentials"] = next(iter(credentials.values()))
        return identity_of(kind(**arguments))
    except Exception as error:  # of any class that may be there
        why = f"{type(error).__name__}: {excerpt(' '.join(str(error).split()), 120)}"
        return Elsewhere("CachedDataset", f"what it caches cannot be made again ({why})")
