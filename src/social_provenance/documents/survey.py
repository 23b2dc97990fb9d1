"""Survey of a few shards before all are read: their content, the reading rate, some texts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.documents.records import GIVEN, RECORDS, write_records
from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from social_provenance.documents.settings import DocumentSettings
    from social_provenance.documents.shards import Shard


def survey(shards: Sequence[Shard], settings: DocumentSettings, look_at: int, texts: int) -> dict[str, Any]:
    """Read a few shards, evenly spaced, and extrapolate their statistics to all.

    Shards are weighted by size where sizes are known, else equally. Duplicates are not searched, so ``fit`` is
    an upper bound.

    Args:
        shards: All of the corpus.
        settings: Rules for records.
        look_at: Shards to read.
        texts: Documents whose texts are returned, evenly spaced.

    Returns:
        ``shards`` and ``bytes`` of the corpus; estimates of ``records``, ``fit`` (accepted records),
        ``labelled`` (accepted ones with topic and format), ``chars`` (of accepted texts), ``records_bytes`` (disk) and
        ``seconds`` (reading all in one process); ``looked_at``, the number of shards read; ``texts``.

    Raises:
        CorpusError: If the shards that were read have no document.
    """
    import pyarrow.parquet as pq

    step = max(1, len(shards) // look_at)
    chosen = list(shards)[::step][:look_at]
    counts = dict.fromkeys(("records", "fit", "labelled", "chars", "records_bytes"), 0)
    sample_texts: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        for shard in chosen:
            tally = write_records(shard, settings, Path(name))
            file = Path(name) / RECORDS
            counts["records"] += tally.records
            counts["fit"] += tally.fit
            counts["chars"] += tally.chars
            counts["records_bytes"] += file.stat().st_size
            rows = pq.read_table(file, columns=["text", *GIVEN[:2]])
            counts["labelled"] += rows.drop_null().num_rows
            kept = rows["text"].drop_null()
            sample_texts += [
                kept[place].as_py() for place in range(0, len(kept), max(1, len(kept) * len(chosen) // texts))
            ]
        seconds = time.perf_counter() - start
    if not counts["fit"]:
        raise CorpusError(
            f"no document is in {', '.join(shard.place for shard in chosen)}: raise plan.shards, or check "
            f"the documents parameters"
        )
    known = sum(shard.size for shard in shards)
    scale = known / sum(shard.size for shard in chosen) if known else len(shards) / len(chosen)
    return {
        "shards": len(shards),
        "bytes": known,
        **{key: round(value * scale) for key, value in counts.items()},
        "seconds": seconds * scale,
        "looked_at": [shard.name for shard in chosen],
        "texts": sample_texts[:texts],
    }


def list_stages(
    estimate: Mapping[str, Any],
    later: Mapping[str, Mapping[str, Any]],
    relabel: bool,
    *,
    processes: int,
    cleaned_a_second: int,
    labels_a_second: int,
) -> list[dict[str, Any]]:
    """Return documents, tokens, bytes on disk and hours of each stage, null if unknown.

    Args:
        estimate: Result of :func:`survey`.
        later: Stage -> its ``documents``, ``tokens``, ``bytes`` and ``seconds``, for stages that need the model.
        relabel: Whether documents that come with labels are classified too.
        processes: Number of processes that read shards.
        cleaned_a_second: Rate of deduplication and writing, documents per second.
        labels_a_second: Rate of labelling, documents per second.
    """
    fit = estimate["fit"]
    unlabelled = fit if relabel else fit - estimate["labelled"]
    stages = [
        {
            "stage": "read",
            "documents": estimate["records"],
            "bytes": estimate["records_bytes"],
            "seconds": estimate["seconds"] / processes,
        },
        {"stage": "clean", "documents": fit, "bytes": estimate["chars"], "seconds": fit / cleaned_a_second},
        {"stage": "label", "documents": unlabelled, "seconds": unlabelled / labels_a_second},
        *({"stage": name, **stage} for name, stage in later.items()),
    ]
    return [
        {
            **{name: stage.get(name) for name in ("stage", "documents", "tokens", "bytes")},
            "hours": None if stage["seconds"] is None else round(stage["seconds"] / 3600, 4),
        }
        for stage in stages
    ]


def describe_survey(estimate: Mapping[str, Any]) -> str:
    """Format a survey as one line."""
    size, chars = f"{estimate['bytes'] / 1e6:,.1f} MB", f"{estimate['chars'] / 1e6:,.1f} million characters"
    return (
        f"{estimate['shards']:,} shards, {size}: about {estimate['records']:,} records, {estimate['fit']:,} of them "
        f"documents ({chars}), {estimate['labelled']:,} of those with both labels"
    )


def describe(stage: Mapping[str, Any]) -> str:
    """Format a stage of a plan as one line."""
    pieces = [f"{stage['documents']:,} documents"]
    pieces += [f"{stage['tokens']:,} tokens"] if stage["tokens"] is not None else []
    pieces += [f"{stage['bytes'] / 1e6:,.1f} MB"] if stage["bytes"] is not None else []
    pieces += ["time not known" if stage["hours"] is None else _duration(stage["hours"])]
    return f"{stage['stage']}: {', '.join(pieces)}"


def _duration(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"
