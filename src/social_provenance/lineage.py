"""Lineage: a ledger of which artifact was made from which, to trace every number to its sources.

Each persisted dataset has a record: its digest, the node and run that wrote it, and the digests of
everything it was made from. A node's inputs must agree on their common ancestors; otherwise artifacts of
different runs would be mixed, which is an error. A dataset whose content cannot be identified has the
digest ``UNKNOWN``, in its record and among the ancestors of everything derived from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from social_provenance.errors import LineageError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

ABSENT = "absent"
"""Digest of a dataset that has not been made."""

PARAMETER = "params:"
"""Beginning of the name of a parameter."""

SCORED_BY = (f"{PARAMETER}scoring", f"{PARAMETER}gradients")
"""Parameters whose values make scores comparable. A null that was scored under others is one of another study, although
no dataset tells: it has the same ancestors."""

OPTIONAL = ("accepted", "parameters")
"""Fields of a record that are written only if they are not empty."""

UNKNOWN = "unknown"
"""Digest of a dataset whose content cannot be identified; any two of them compare as equal."""


class UnknownContentError(Exception):
    """The content of a dataset cannot be identified; the message is the reason. It ends no run."""


@dataclass(frozen=True)
class Record:
    """Origin of a dataset.

    Attributes:
        digest: Digest of its content; None while it is being written.
        node: Node that wrote it.
        run: Start time of that run.
        inputs: Datasets and parameters that the node read.
        ancestors: Direct and indirect ancestors: dataset -> digest, and parameter -> value where it is a choice.
        place: Location at which it was written; a dataset that the catalog now has elsewhere is another one.
        accepted: Dataset, itself or an ancestor -> {digest of the code that made it: digest of the current code
            for which it was accepted}.
        parameters: Parameter of its node or of an ancestor's -> digest of the value; empty if they read several.
    """

    digest: str | None
    node: str
    run: str
    inputs: tuple[str, ...] = ()
    ancestors: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    accepted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """Return the record of a row of the ledger's file; fields that older versions did not write are empty.

        Raises:
            TypeError: If a field has another type.
        """
        record = cls(**{**row, "inputs": tuple(row["inputs"])})
        texts = (record.digest or "", record.node, record.run, record.place)
        maps = (record.ancestors, record.accepted, record.parameters)
        if not all(isinstance(one, str) for one in texts) or not all(isinstance(one, dict) for one in maps):
            raise TypeError("a record has a field of another type")
        return record

    @property
    def unknown(self) -> tuple[str, ...]:
        """Ancestors whose content is unknown."""
        return tuple(name for name, digest in self.ancestors.items() if digest == UNKNOWN)

    @cached_property  # the ledger is written before and after every node
    def text(self) -> str:
        """Row of the ledger's file, as JSON in one line; accepted code and parameters only if there are any."""
        row = {one.name: getattr(self, one.name) for one in fields(self)}
        return json.dumps({name: value for name, value in row.items() if value or name not in OPTIONAL})


def _nowhere(name: str) -> str:
    del name
    return ""


def _no_pipeline(names: Sequence[str]) -> str:
    del names
    return ""


@dataclass
class Ledger:
    """The records of a data folder, kept in one JSON file.

    Attributes:
        path: The file.
        records: Dataset -> its record.
        place_of: Function: dataset -> its current location in the catalog.
        value_of: Function: parameter -> digest of its current value.
        again: Function: datasets that have to be made again -> what to write after ``--pipelines``; empty if no
            pipeline makes them.
    """

    path: Path
    records: dict[str, Record] = field(default_factory=dict)
    place_of: Callable[[str], str] = _nowhere
    value_of: Callable[[str], str] = _nowhere
    again: Callable[[Sequence[str]], str] = _no_pipeline

    @classmethod
    def open(cls, path: Path, place_of: Callable[[str], str] = _nowhere) -> Ledger:
        """Read the ledger at ``path``, or start one.

        Raises:
            LineageError: If the file is not a ledger.
        """
        if not path.exists():
            return cls(path, {}, place_of)
        try:
            rows = json.loads(path.read_bytes())
            return cls(path, {str(name): Record.read(row) for name, row in rows.items()}, place_of)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise LineageError(
                f"{path} is not a readable ledger ({type(error).__name__}: {excerpt(str(error), 120)}): restore it, or "
                f"move it away and run all pipelines again, which reuses finished parts"
            ) from error

    def record_of(self, name: str) -> Record | None:
        """Return the record of a dataset; None for the user's own data."""
        record = self.records.get(name)
        return record if record and record.place == self.place_of(name) else None

    def begin(self, outputs: Iterable[str], node: str, run: str) -> None:
        """Mark ``outputs`` as being written: until they are complete, reading them is an error."""
        for name in outputs:
            self.records[name] = Record(None, node, run, place=self.place_of(name))
        self._save()

    def complete(
        self,
        outputs: Mapping[str, str],
        node: str,
        run: str,
        inputs: Mapping[str, str | None],
        accepted: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Record the outputs of a node with their inputs.

        Args:
            outputs: Dataset -> digest.
            node: Node that wrote them.
            run: Start time of that run.
            inputs: Dataset or parameter -> digest; for a parameter None, or its value if that is part of the history.
            accepted: Output or input -> its accepted code, if any (see :class:`Record`).
        """
        accepted_codes = {name: codes for name, codes in (accepted or {}).items() if codes}
        ancestors: dict[str, str] = {}
        inherited: dict[str, Mapping[str, str]] = {}
        parameters = {name: value for name in inputs if name.startswith(PARAMETER) and (value := self.value_of(name))}
        for name, digest in inputs.items():
            if digest is not None:
                record = self.record_of(name)
                ancestors |= record.ancestors if record else {}
                ancestors[name] = digest
                for parameter, value in (record.parameters if record else {}).items():
                    parameters[parameter] = value if parameters.get(parameter, value) == value else ""
                inherited |= record.accepted if record else {}
                inherited |= {name: accepted_codes[name]} if name in accepted_codes else {}
        for name, digest in outputs.items():
            codes = inherited | ({name: accepted_codes[name]} if name in accepted_codes else {})
            place = self.place_of(name)
            self.records[name] = Record(digest, node, run, tuple(inputs), ancestors, place, codes, parameters)
        self._save()

    def check_whole(self, name: str, digest: str) -> None:
        """Check that a dataset matches its record; one without a record is the user's own.

        Raises:
            LineageError: If it is incomplete, or has changed since.
        """
        record = self.record_of(name)
        if record is None:
            return
        again = self.again([name])
        cure = "rerun " + (f"--pipelines {again}" if again else f"node {record.node}")
        if record.digest is None:
            raise LineageError(f"{name} is incomplete: node {record.node} was stopped while writing it; {cure}")
        if record.digest != digest:
            raise LineageError(
                f"{name} has changed since node {record.node} wrote it ({record.digest} then, {digest} now): "
                f"{cure}, or, if you made the change on purpose, remove {name!r} from {self.path}"
            )

    def conflict(self, inputs: Mapping[str, str]) -> tuple[str, str, str] | None:
        """Return (input, other input, ancestor) for the first ancestor on which two inputs disagree."""
        seen: dict[str, tuple[str, str]] = {}
        for name, digest in inputs.items():
            record = self.record_of(name)
            ancestors = {**(record.ancestors if record else {}), name: digest}
            for ancestor, version in ancestors.items():
                other, known = seen.setdefault(ancestor, (name, version))
                if known != version:
                    return name, other, ancestor
        return None

    def fits(self, name: str, digest: str, others: Mapping[str, str]) -> bool:
        """Return whether a dataset is complete and shares one history with others, settings of scores among it."""
        record = self.record_of(name)
        if record is None:
            return all(self.conflict({other: own, name: digest}) is None for other, own in others.items())
        return record.digest == digest and all(
            self.conflict({other: own, name: digest}) is None and not self._scored_otherwise(record, other)
            for other, own in others.items()
        )

    def _scored_otherwise(self, record: Record, other: str) -> bool:
        """Return whether another dataset rests on scores of other settings than those of a record."""
        known = self.record_of(other)
        own, its = record.parameters, known.parameters if known else {}
        return any(own.get(name) and its.get(name) and own[name] != its[name] for name in SCORED_BY)

    def outdated(self, inputs: Mapping[str, str]) -> list[str]:
        """Return which of some datasets and their ancestors were made from versions that have been replaced since.

        Of the user's own data and of parameters, which have no record, the version is that of ``inputs``, or of the
        latest run.

        Args:
            inputs: Dataset or parameter -> version.
        """
        every = set(inputs)
        every |= {ancestor for name in every if (record := self.record_of(name)) for ancestor in record.ancestors}
        now: dict[str, str | None] = {}
        for record in sorted(self.records.values(), key=lambda record: record.run):
            now |= record.ancestors
        now |= {**inputs, **{name: own.digest for name in self.records if (own := self.record_of(name))}}
        return [
            name
            for name in self.records
            if name in every
            and (own := self.record_of(name))
            and any(now[ancestor] != digest for ancestor, digest in own.ancestors.items())
        ]

    def refuse_mixture(self, node: str, inputs: Mapping[str, str], outputs: Sequence[str] = ()) -> None:
        """Check that a node's inputs share one history.

        Args:
            node: Name of the node.
            inputs: Dataset -> digest.
            outputs: Datasets that the node makes.

        Raises:
            LineageError: With two inputs and the ancestor of which they used different versions, or an input and the
                parameter of which it used another value.
        """
        conflict = self.conflict(inputs)
        if conflict is None:
            return
        one, other, ancestor = conflict
        again = self.again([*self.outdated(inputs), *outputs])
        cure = "rerun " + (f"--pipelines {again}" if again else f"what is between {ancestor} and {node}")
        if ancestor in inputs and ancestor.startswith(PARAMETER):
            made = one if other == ancestor else other
            parameter, value = ancestor.removeprefix(PARAMETER), self.records[made].ancestors[ancestor]
            raise LineageError(
                f"{node} would mix runs: {self._named(made)} was made for {parameter} {value} and this run has "
                f"{inputs[ancestor]}; give --params {parameter}={value}, or {cure}"
            )
        raise LineageError(
            f"{node} would mix runs: {self._named(one)} and {self._named(other)} were made from different versions of "
            f"{ancestor}; {cure}"
        )

    def _named(self, name: str) -> str:
        """Return a dataset with its place, and with the node and run that wrote it."""
        record, place = self.record_of(name), self.place_of(name)
        by = f"by {record.node} in run {record.run}" if record else "yours"
        return f"{name} ({', '.join(part for part in (place, by) if part)})"

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".part")
        lines = [f"{json.dumps(name)}: {record.text}" for name, record in self.records.items()]
        draft.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        draft.replace(self.path)
