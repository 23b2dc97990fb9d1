"""Records: every row of a shard, filtered on its own, as one Parquet file per shard.

A record is accepted, or has a named reason for rejection. Steps that need other shards, deduplication and
clusters, follow in :mod:`social_provenance.documents.clean`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Parts, part_name
from social_provenance.documents import signatures
from social_provenance.documents.fields import compile_fields
from social_provenance.documents.progress import Progress
from social_provenance.documents.quality import fault
from social_provenance.documents.rows import Broken, Damage
from social_provenance.documents.sites import web_site
from social_provenance.documents.text import content_hash, normalise
from social_provenance.documents.values import Unreadable
from social_provenance.errors import CorpusError, excerpt
from social_provenance.fingerprint import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from social_provenance.documents.settings import DocumentSettings
    from social_provenance.documents.shards import Shard

    Spread = Callable[[Mapping[str, Callable[[], "Tally"]]], Iterator[tuple[str, "Tally"]]]

logger = logging.getLogger(__name__)

RECORDS = "records.parquet"
UNUSABLE = ("not_utf8", "not_json", "no_id", "no_text", "unreadable_field")
DAMAGED = "damaged_shard"
GIVEN = ("given_topic", "given_format", "given_topic_confidence", "given_format_confidence")
COLUMNS = (
    *("doc_id", "text", "url", "site", "source", *GIVEN, "shard", "row", "n_chars", "content_hash"),
    *("signature", "bands", "reason"),
)
BATCH_ROWS, BATCH_CHARS = 5000, 1 << 25
"""Rows, or characters, buffered before they are written."""


@dataclass(frozen=True)
class Tally:
    """Counts of one shard.

    Attributes:
        records: Number of rows.
        fit: Number of rows that may become documents.
        chars: Characters of those.
        damage: Why the shard was set aside; empty if it was not.
    """

    records: int
    fit: int = 0
    chars: int = 0
    damage: str = ""


def in_turn(tasks: Mapping[str, Callable[[], Any]]) -> Iterator[tuple[str, Any]]:
    """Run tasks sequentially in this process."""
    for name, task in tasks.items():
        yield name, task()


@dataclass(frozen=True)
class ReadShards:
    """Writer of the records of new and changed shards.

    Attributes:
        shards: Part -> shard.
        settings: Rules for records.
    """

    shards: Mapping[str, Shard]
    settings: DocumentSettings

    def __call__(self, waiting: Mapping[str, Path], spread: Spread = in_turn) -> Iterator[str]:
        """Write the parts and yield the name of each as soon as it is finished.

        Args:
            waiting: Part -> its empty folder.
            spread: Runs tasks, in this process or others, and yields (name, result) as they finish.

        Raises:
            CorpusError: If more shards are damaged than the settings allow.
        """
        tasks = {
            name: partial(write_records, self.shards[name], self.settings, folder) for name, folder in waiting.items()
        }
        progress = Progress("records", {name: self.shards[name].size for name in waiting})
        damaged: dict[str, str] = {}
        for name, tally in spread(tasks):
            if tally.damage:
                damaged[self.shards[name].place] = tally.damage
                check_damage(damaged, len(self.shards), self.settings.max_damaged_share)
                logger.warning("shard %s is damaged (%s) and is set aside", self.shards[name].place, tally.damage)
            progress.add(name, tally.records)
            yield name


def plan_records(shards: Sequence[Shard], settings: DocumentSettings) -> Parts:
    """Describe the records of a corpus as parts, one per shard; a shard that changed is a new part."""
    # The limit on damaged shards is left out of the identity: it decides whether a run ends, not what a record is.
    judged = settings.model_copy(update={"max_damaged_share": 0.0})
    parts = {part_name(shard.name): shard for shard in shards}
    inputs = {name: digest_of(shard.name, shard.version, dict(shard.fields), judged) for name, shard in parts.items()}
    # How a shard's rows are read is a function that the shard brings along.
    code = {name: (write_records, shard.rows) for name, shard in parts.items()}
    return Parts(inputs, ReadShards(parts, settings), computed_by=code)


def check_damage(damaged: Mapping[str, str], shards: int, allowed: float) -> None:
    """Check that the share of damaged shards (place -> problem) is within the limit.

    Raises:
        CorpusError: Naming the first.
    """
    if len(damaged) <= allowed * shards:
        return
    place, why = next(iter(damaged.items()))
    others = f" (and {len(damaged) - 1} more of {shards} shards)" if len(damaged) > 1 else ""
    raise CorpusError(
        f"shard {place} is damaged ({why}){others}: fetch it again or take it out of the folder, or raise "
        f"documents.max_damaged_share above {allowed} to set such shards aside"
    )


def write_records(shard: Shard, settings: DocumentSettings, folder: Path) -> Tally:
    """Write the records of a shard to ``folder``.

    A damaged shard becomes a single record with the row where reading failed and the reason ``damaged_shard``.

    Raises:
        CorpusError: If it cannot be reached, lacks a column, or has too many unusable records.
    """
    import pyarrow.parquet as pq

    path = folder / RECORDS
    judge = _Judge(shard, settings)
    try:
        with pq.ParquetWriter(
            path, _schema(), compression="lz4", use_dictionary=["shard", "site", "source", *GIVEN[:2]]
        ) as out:
            for batch in judge.batches():
                out.write_batch(batch)
    except Damage as error:
        # The same file is opened again, without the rows before the damage: a shard is used completely or not at all.
        place = judge.row + 1
        with pq.ParquetWriter(path, _schema(), compression="lz4") as out:
            out.write_batch(_batch([{"shard": shard.name, "row": place, "reason": DAMAGED}]))
        return Tally(1, damage=str(error))
    judge.refuse_too_many()
    return Tally(judge.row, judge.fit, judge.chars)


@dataclass
class _Judge:
    shard: Shard
    settings: DocumentSettings
    row: int = 0
    fit: int = 0
    chars: int = 0
    unusable: int = 0
    first: tuple[str, str] | None = None
    _waiting: int = field(default=0, repr=False)

    def batches(self) -> Iterator[Any]:
        rows: list[dict[str, Any]] = []
        held = 0
        readers = list(compile_fields(self.shard.fields, self.shard.name).items())
        for raw in self.shard.rows():
            self.row += 1
            record = self._record(raw, readers)
            held += record.get("n_chars") or 0 if record["reason"] is None else 0
            rows.append(record)
            if len(rows) >= BATCH_ROWS or held >= BATCH_CHARS:
                yield self._sign(rows)
                rows, held = [], 0
        if rows:
            yield self._sign(rows)

    def _record(self, raw: Any, readers: Sequence[tuple[str, Callable[[Any], Any]]]) -> dict[str, Any]:
        if type(raw) is Broken:
            return self._put_aside({}, raw.problem, f"row {self.row} {_FIXES[raw.problem]}{raw.describe()}")
        record: dict[str, Any] = {}
        unreadable: dict[str, Unreadable] = {}
        for name, read in readers:
            try:
                record[name] = read(raw)
            except Unreadable as error:
                record[name] = None
                unreadable[name] = error
        doc_id, text = record["doc_id"], record["text"]
        if doc_id is None or not doc_id.strip():
            said = f"row {self.row} has no id{_why(unreadable.get('doc_id'))}: {excerpt(raw)}"
            return self._put_aside(record, "no_id", said)
        text = normalise(text) if text else ""
        if not text or text.isspace():
            said = f"row {self.row} has no text{_why(unreadable.get('text'))}: {excerpt(raw)}"
            return self._put_aside(record, "no_text", said)
        if unreadable:
            name, problem = next(iter(unreadable.items()))
            said = f"{_value(problem)} of document {excerpt(doc_id)}, row {self.row}: must be {problem.why}"
            return self._put_aside(record, "unreadable_field", said, name)
        record |= {"shard": self.shard.name, "row": self.row, "n_chars": len(text), "text": None}
        record["reason"] = self._reason(text)
        if record["reason"] is None:
            record |= {"text": text, "content_hash": content_hash(text), "site": web_site(record["url"])}
            self.fit += 1
            self.chars += len(text)
        return record

    def _reason(self, text: str) -> str | None:
        if len(text) < self.settings.min_chars:
            return "too_short"
        if len(text) > self.settings.max_chars:
            return "too_long"
        return fault(text, self.settings.quality) if self.settings.quality else None

    def _put_aside(self, record: dict[str, Any], problem: str, said: str, name: str = "") -> dict[str, Any]:
        self.unusable += 1
        self.first = self.first or (said, _elsewhere(problem, name))
        return record | {"text": None, "shard": self.shard.name, "row": self.row, "reason": problem}

    def _sign(self, rows: list[dict[str, Any]]) -> Any:
        near = self.settings.near_duplicates
        fit = [row for row in rows if row["reason"] is None]
        if near and fit:
            signed = signatures.sign([row["text"] for row in fit], near)
            hashed = signatures.bands(signed, signatures.band_rows(near.threshold, near.permutations))
            for row, signature, bands in zip(fit, signed, hashed, strict=True):
                row |= {"signature": signature.tobytes(), "bands": bands}
        return _batch(rows)

    def refuse_too_many(self) -> None:
        """Raise if more records are unusable than the settings allow."""
        allowed = self.settings.max_malformed_share
        if self.first is None or self.unusable <= allowed * self.row:
            return
        said, elsewhere = self.first
        others = f" (and {self.unusable - 1} more of {self.row} records)" if self.unusable > 1 else ""
        raise CorpusError(
            f"shard {self.shard.place}, {said}{others}; fix it, {elsewhere}"
            f"or raise documents.max_malformed_share above {allowed} to set such records aside"
        )


_FIXES = {
    "not_utf8": "is not UTF-8",
    "not_json": "is not a JSON object",
    "unreadable_field": "cannot be read",
}


def _value(problem: Unreadable) -> str:
    """Return the last step of the place of a value, and the value."""
    return f"{problem.place.rpartition('.')[2]} {excerpt(problem.value)}"


def _why(problem: Unreadable | None) -> str:
    """Return in brackets why a required field cannot be read; empty if nothing is there."""
    return f" ({_value(problem)} must be {problem.why})" if problem else ""


def _elsewhere(problem: str, name: str) -> str:
    """Return the hint to the place of a field in the catalog; empty for a record that has no fields."""
    field = {"no_id": "doc_id", "no_text": "text"}.get(problem, name)
    return f"name its place in raw_documents.fields.{field} in the catalog, " if field else ""


def _schema() -> Any:
    import pyarrow as pa

    kinds = dict.fromkeys(COLUMNS, pa.string()) | {
        "given_topic_confidence": pa.float64(),
        "given_format_confidence": pa.float64(),
        "row": pa.int64(),
        "n_chars": pa.int64(),
        "signature": pa.binary(),
        "bands": pa.list_(pa.int64()),
    }
    return pa.schema(list(kinds.items()))


def _batch(rows: Sequence[Mapping[str, Any]]) -> Any:
    import pyarrow as pa

    schema = _schema()
    columns = [pa.array([row.get(name) for row in rows], type=schema.field(name).type) for name in COLUMNS]
    return pa.record_batch(columns, schema=schema)
