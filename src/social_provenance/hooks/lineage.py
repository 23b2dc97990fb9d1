"""Keep the ledger of a data folder while a pipeline runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.lineage import Ledger

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)

LEDGER = "lineage"


class LineageHooks:
    """Check what a node reads, record what it writes."""

    def __init__(self) -> None:
        """Start without a ledger; the catalog says where it is."""
        self._ledger: Ledger | None = None
        self._catalog: Any = None
        self._run = ""
        self._digests: dict[str, str] = {}
        self._inputs: dict[str, str | None] = {}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Open the ledger that the catalog names."""
        path = _location(catalog, LEDGER)
        self._ledger = Ledger.open(path, self._place) if path else None
        self._catalog = catalog
        self._run = str(run_params.get("run_id") or run_params.get("session_id"))
        self._digests = {}

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Refuse a dataset that is not whole before its reader stumbles over it."""
        if self._ledger is None:
            return
        for name in _persisted([dataset_name], self._catalog):
            if name != LEDGER and not _is_optional(self._catalog, name):
                self._ledger.check_whole(name, self._digest(name, self._catalog))

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog) -> dict[str, Any] | None:
        """Refuse inputs that are not of one run; leave out optional ones that are not, or not whole.

        Returns:
            Optional inputs of another run, replaced by None.
        """
        if self._ledger is None:
            return None
        read = self._read(node, catalog)
        optional = {name for name in read if _is_optional(catalog, name)}
        required = {name: digest for name, digest in read.items() if name not in optional}
        self._ledger.refuse_mixture(node.name, required)
        left_out = [name for name in sorted(optional) if not self._ledger.fits(name, read[name], required)]
        for name in left_out:
            logger.warning("%s is not whole or of another run, and is left out", name)
        self._inputs = {name: None for name in node.inputs if _is_parameter(name)}
        self._inputs |= {name: digest for name, digest in read.items() if name not in left_out}
        self._ledger.begin(_persisted(node.outputs, catalog), node.name, self._run)
        return dict.fromkeys(left_out) or None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Record a dataset once it is written."""
        if self._ledger is None:
            return
        for name in _persisted([dataset_name], self._catalog):
            self._digests.pop(name, None)
            self._ledger.complete({name: self._digest(name, self._catalog)}, node.name, self._run, self._inputs)

    def _place(self, name: str) -> str:
        """Return where a dataset is: below the ledger's folder by its path there, so that the folder may move."""
        path, home = _location(self._catalog, name), _location(self._catalog, LEDGER)
        if path is None or home is None:
            return ""
        path, home = path.absolute(), home.absolute().parent
        return (path.relative_to(home) if path.is_relative_to(home) else path).as_posix()

    def _read(self, node: Node, catalog: DataCatalog) -> dict[str, str]:
        names = [name for name in _persisted(node.inputs, catalog) if name != LEDGER]
        return {name: self._digest(name, catalog) for name in names}

    def _digest(self, name: str, catalog: DataCatalog) -> str:
        if name not in self._digests:
            self._digests[name] = _digest_of_dataset(catalog, name)
        return self._digests[name]


def _digest_of_dataset(catalog: DataCatalog, name: str) -> str:
    """Return the identity of a dataset's content: as itself tells it, else of the files where it is."""
    tells = getattr(catalog[name], "digest", None) if name in catalog else None
    if tells is not None:
        return str(tells())
    path = _location(catalog, name)
    return digest_of_path(path) if path and path.exists() else digest_of(str(path))


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _persisted(names: list[str], catalog: DataCatalog) -> list[str]:
    """Return the datasets among ``names`` that live in files; two views of one (``@``) count once."""
    found = {}
    for name in names:
        if not _is_parameter(name) and _location(catalog, name) is not None:
            found[name.split("@")[0]] = name
    return list(found)


def _location(catalog: DataCatalog, name: str) -> Path | None:
    """Return where a dataset is kept; a pattern of files counts as their folder."""
    for view in (name, f"{name}@table"):
        if view in catalog:
            dataset = catalog[view]
            place = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
            if place is None:
                return None
            path = Path(str(place))
            return path.parent if "*" in path.name else path
    return None


def _is_optional(catalog: DataCatalog, name: str) -> bool:
    from social_provenance.datasets import OptionalDataset

    return name in catalog and isinstance(catalog[name], OptionalDataset)
