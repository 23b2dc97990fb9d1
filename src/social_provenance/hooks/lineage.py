"""Keep the ledger of a data folder while a pipeline runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.lineage import Ledger

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)

LEDGER = "lineage"


class LineageHooks:
    """Check what a node reads, record what it writes."""

    def __init__(self) -> None:
        """Start without a ledger; the catalog says where it is."""
        self._ledger: Ledger | None = None
        self._run = ""
        self._digests: dict[str, str] = {}

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: CatalogProtocol) -> None:
        """Open the ledger that the catalog names."""
        path = _location(catalog, LEDGER)
        self._ledger = Ledger.open(path) if path else None
        self._run = str(run_params.get("run_id") or run_params.get("session_id"))
        self._digests = {}

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Refuse inputs that are not whole or not of one run; leave out optional ones that are not.

        Returns:
            Optional inputs of another run, replaced by None.
        """
        if self._ledger is None:
            return None
        read = self._read(node, catalog)
        optional = {name for name in read if _is_optional(catalog, name)}
        required = {name: digest for name, digest in read.items() if name not in optional}
        for name, digest in required.items():
            self._ledger.check_whole(name, digest)
        self._ledger.refuse_mixture(node.name, required)
        stale = {}
        for name in sorted(optional):
            if self._ledger.conflict({**required, name: read[name]}):
                logger.warning("%s is of another run and is left out", name)
                stale[name] = None
        self._ledger.begin(_persisted(node.outputs, catalog), node.name, self._run)
        return stale or None

    @hook_impl
    def after_node_run(self, node: Node, catalog: CatalogProtocol) -> None:
        """Record what the node wrote."""
        if self._ledger is None:
            return
        inputs: dict[str, str | None] = {name: None for name in node.inputs if _is_parameter(name)}
        inputs |= self._read(node, catalog)
        outputs = _persisted(node.outputs, catalog)
        for name in outputs:
            self._digests.pop(name, None)
        written = {name: self._digest(name, catalog) for name in outputs}
        self._ledger.complete(written, node.name, self._run, inputs)

    def _read(self, node: Node, catalog: CatalogProtocol) -> dict[str, str]:
        names = [name for name in _persisted(node.inputs, catalog) if name != LEDGER]
        return {name: self._digest(name, catalog) for name in names}

    def _digest(self, name: str, catalog: CatalogProtocol) -> str:
        if name not in self._digests:
            path = _location(catalog, name)
            known = path is not None and path.exists()
            self._digests[name] = digest_of_path(path) if path and known else digest_of(str(path))
        return self._digests[name]


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def _persisted(names: list[str], catalog: CatalogProtocol) -> list[str]:
    """Return the datasets among ``names`` that live in files; two views of one (``@``) count once."""
    found = {}
    for name in names:
        if not _is_parameter(name) and _location(catalog, name) is not None:
            found[name.split("@")[0]] = name
    return list(found)


def _location(catalog: CatalogProtocol, name: str) -> Path | None:
    """Return where a dataset is kept; a pattern of files counts as their folder."""
    for view in (name, f"{name}@table"):
        if view in catalog:
            dataset = catalog[view] if view == name or name not in catalog else catalog[name]
            place = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
            if place is None:
                return None
            path = Path(str(place))
            return path.parent if "*" in path.name else path
    return None


def _is_optional(catalog: CatalogProtocol, name: str) -> bool:
    from social_provenance.datasets import OptionalDataset

    return name in catalog and isinstance(catalog[name], OptionalDataset)
