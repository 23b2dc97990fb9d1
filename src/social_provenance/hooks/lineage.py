"""Hook that keeps the ledger of a data folder during a run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.hooks.foresight import Foresight
from social_provenance.hooks.inputs import pipelines_of, with_makers
from social_provenance.lineage import ABSENT, PARAMETER, UNKNOWN, Ledger, UnknownContentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from social_provenance.datasets.identity import Identified

logger = logging.getLogger(__name__)

LEDGER = "lineage"

CHOICES = (f"{PARAMETER}scoring.default_method",)
"""Parameters that choose one of several results in the same tables. What was made for one value says nothing of
another, so their values count as versions of an ancestor. Other parameters may differ between pipelines: a size of
batches, or benchmarks of which some were added later."""


class LineageHooks:
    """Check the inputs of each node and record its outputs."""

    def __init__(self) -> None:
        """Start without a ledger; the catalog has its location."""
        self._ledger: Ledger | None = None
        self._catalog: Any = None
        self._pipeline: Any = None
        self._run = ""
        self._identities: dict[str, Identified | None] = {}
        self._digests: dict[str, str] = {}
        self._written: dict[str, str] = {}
        self._inputs: dict[str, str | None] = {}
        self._warned: set[str] = set()
        self._left_out: set[str] = set()
        self._foreseen = self._judged = False
        self._asked: list[str] = []
        self._given = False

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Open the ledger that the catalog names."""
        self._catalog, self._pipeline = catalog, pipeline
        self._run = str(run_params.get("run_id") or run_params.get("session_id"))
        self._identities, self._digests, self._written, self._warned = {}, {}, {}, set()
        self._left_out, self._foreseen, self._judged = set(), False, False
        self._asked = [name for name in run_params.get("pipeline_names") or () if name != "__default__"]
        self._given = bool(run_params.get("runtime_params"))
        path = self._location(LEDGER)
        self._ledger = Ledger.open(path, self._place) if isinstance(path, Path) else None
        if self._ledger is not None:
            self._ledger.value_of, self._ledger.again = self._value, self._again

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Raise on an incomplete dataset before it is loaded, because loading it would fail less clearly."""
        if self._ledger is None:
            return
        for name in self._persisted([dataset_name]):
            if name != LEDGER and not _is_optional(self._catalog, name):
                self._ledger.check_whole(name, self._digest(name))

    @hook_impl
    def before_node_run(self, node: Node) -> dict[str, Any] | None:
        """Raise on inputs of different runs; treat optional inputs as missing if they are that, or incomplete.

        An optional input has to fit what the node reads and what the whole run reads: the sections of a page rest on
        the same tables, or leave out the same.

        Returns:
            Optional inputs of another run, replaced by None.
        """
        if self._ledger is None:
            return None
        if not self._foreseen:
            self._foreseen = True
            self._foresee(self._ledger)
        read = self._versions(node.inputs)
        required = self._required(read)
        self._ledger.refuse_mixture(node.name, required, node.outputs)
        if len(required) < len(read) and not self._judged:
            self._judged = True
            self._leave_out(self._versions(sorted(self._pipeline.inputs())))
        self._leave_out(read)
        left_out = [name for name in sorted(read) if name in self._left_out]
        self._inputs = {name: None for name in node.inputs if _is_parameter(name)}
        self._inputs |= {name: digest for name, digest in read.items() if name not in left_out}
        self._ledger.begin(self._persisted(node.outputs), node.name, self._run)
        return dict.fromkeys(left_out) or None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Record a dataset once it is written."""
        if self._ledger is None:
            return
        for name in self._persisted([dataset_name]):
            self._digests.pop(name, None)
            digest = self._digest(name)
            if digest == ABSENT:  # it was saved, so it is elsewhere
                digest = self._digests[name] = self._unknown(name, f"nothing is at {self._location(name)}")
            self._written[name] = digest
            accepted = {each: self._accepted(each) for each in (*self._inputs, name)}
            self._ledger.complete({name: digest}, node.name, self._run, self._inputs, accepted)

    def _versions(self, names: list[str]) -> dict[str, str]:
        """Return the digests of the persisted datasets among ``names``, and the values of choices."""
        chosen = {name: str(self._catalog.load(name)) for name in names if name in CHOICES}
        return {name: self._digest(name) for name in self._persisted(names) if name != LEDGER} | chosen

    def _foresee(self, ledger: Ledger) -> None:
        """Leave out what is optional and would not fit what this run makes, and warn of what will be refused."""
        clashes = Foresight(self._pipeline.nodes, ledger, self._version).clashes()
        optional = [clash for clash in clashes if _is_optional(self._catalog, clash.name)]
        early = [clash.name for clash in optional if clash.early]
        makers = set(pipelines_of(early))  # what one pipeline made is shown together or not at all
        optional = [clash for clash in optional if clash.name in early or makers & set(pipelines_of([clash.name]))]
        if optional:
            names = ", ".join(clash.name for clash in optional)
            again = ledger.again([name for clash in optional for name in clash.stale])
            self._left_out |= {clash.name for clash in optional}
            logger.warning(
                "treated as missing, because this run makes what they rest on from other parameters or data: %s; "
                "--pipelines %s makes them again",
                *(names, again),
            )
        for clash in clashes:
            if not _is_optional(self._catalog, clash.name):
                logger.warning(
                    "%s rests on %s, which this run makes from other parameters or data: unless that is the same in "
                    "the end, node %s will be refused; --pipelines %s makes both again",
                    *(clash.name, clash.ancestor, clash.node, ledger.again(clash.stale)),
                )

    def _version(self, name: str) -> str:
        return self._versions([name]).get(name, "")

    def _required(self, versions: dict[str, str]) -> dict[str, str]:
        return {name: version for name, version in versions.items() if not _is_optional(self._catalog, name)}

    def _leave_out(self, versions: dict[str, str]) -> None:
        """Note which datasets are optional and fit neither the others nor what this run wrote; warn of new ones."""
        if self._ledger is None:
            return
        required = self._required(versions)
        everything = required | self._written
        new = []
        for name in sorted(versions.keys() - required.keys() - self._left_out):
            others = required if name in self._written else everything
            if not self._ledger.fits(name, versions[name], others):
                new.append(name)
        self._left_out |= set(new)
        if new:
            again = self._ledger.again(new + self._ledger.outdated({name: versions[name] for name in new}))
            logger.warning(
                "treated as missing, because incomplete or from another run: %s; --pipelines %s makes them again",
                *(", ".join(new), again),
            )

    def _again(self, names: Sequence[str]) -> str:
        """Return what to write after ``--pipelines`` to make datasets again, and what the run was asked for."""
        every = ",".join(with_makers(self._asked, names))
        return f"{every} with the --params of this run" if every and self._given else every

    def _value(self, name: str) -> str:
        return digest_of(self._catalog.load(name)) if name in self._catalog else ""

    def _persisted(self, names: list[str]) -> list[str]:
        """Return the persisted datasets among ``names``; views of one dataset (``@``) count once."""
        whole = dict.fromkeys(name.partition("@")[0] for name in names if not _is_parameter(name))
        return [name for name in whole if self._identity(name) is not None]

    def _identity(self, name: str) -> Identified | None:
        """Return the identity of a dataset: that of its first view whose content can be digested."""
        from social_provenance.datasets.identity import Elsewhere, identity_of  # which load Ibis

        if name not in self._identities:
            every = [identity_of(self._catalog[view]) for view in _views(self._catalog, name)]
            found = [identity for identity in every if identity is not None]
            self._identities[name] = min(found, key=lambda each: isinstance(each, Elsewhere), default=None)
        return self._identities[name]

    def _location(self, name: str) -> Path | str | None:
        identity = self._identity(name)
        return identity.location() if identity else None

    def _place(self, name: str) -> str:
        """Return the location of a dataset, relative to the ledger's folder if inside it: the folder may move."""
        place, ledger = self._location(name), self._location(LEDGER)
        if not isinstance(place, Path) or not isinstance(ledger, Path):
            return str(place or "")
        path, home = place.absolute(), ledger.absolute().parent
        return (path.relative_to(home) if path.is_relative_to(home) else path).as_posix()

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            self._digests[name] = self._as_recorded(name, self._content(name))
        return self._digests[name]

    def _content(self, name: str) -> str:
        identity = self._identity(name)
        try:
            return identity.digest() if identity else ABSENT
        except UnknownContentError as reason:
            return self._unknown(name, str(reason))

    def _as_recorded(self, name: str, digest: str) -> str:
        """Return a digest, or the recorded one if both identify the same content.

        Content that was recorded as unknown cannot be compared. A ledger of an earlier version has digests of
        complete folders where seals are used now.
        """
        record = self._ledger.record_of(name) if self._ledger else None
        if record is None or record.digest in (None, digest):
            return digest
        if record.digest == UNKNOWN:
            return self._unknown(name, f"nor could it be when node {record.node} wrote it")
        place = self._location(name)
        same = isinstance(place, Path) and place.is_dir() and digest_of_path(place) == record.digest
        return record.digest if same and record.digest else digest

    def _unknown(self, name: str, reason: str) -> str:
        """Return ``UNKNOWN``, with one warning per run and dataset."""
        if name not in self._warned:
            self._warned.add(name)
            logger.warning(
                "the content of %s cannot be identified (%s), so a change of it goes unseen: it is recorded as "
                "unknown, and what rests on it says so; give it a class with location() and digest()",
                *(name, reason),
            )
        return UNKNOWN

    def _accepted(self, name: str) -> dict[str, str]:
        from social_provenance.datasets.identity import accepted_by

        identity = None if _is_parameter(name) else self._identity(name)
        return dict(accepted_by(identity)) if identity else {}


def _is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith(PARAMETER)


def _views(catalog: DataCatalog, name: str) -> list[str]:
    """Return the catalog entries of a dataset: itself, and its views ``name@...``."""
    return sorted(entry for entry in catalog if entry.partition("@")[0] == name) or [name] * (name in catalog)


def _is_optional(catalog: DataCatalog, name: str) -> bool:
    from social_provenance.datasets import OptionalDataset

    return name in catalog and isinstance(catalog[name], OptionalDataset)
