"""Survey of a few shards before all are read: their content, the reading rate, some texts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from social_provenance.documents.records import GIVEN, RECORDS, write_records
from social_provenance.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from social_provenance.documents.settings import DocumentSettings
    from social_provenance.documents.shards import Shard


def survey(
    shards: Sequence[Shard], settings: DocumentSettings, look_at: int, texts: int, folder: Path
) -> dict[str, Any]:
    """Read a few shards, evenly spaced, and extrapolate their statistics to all.

    Shards are weighted by size where sizes are known, else equally. Duplicates are not searched, so ``fit`` is
    an upper bound.

    Args:
        shards: All of the corpus.
        settings: Rules for records.
        look_at: Shards to read.
        texts: Documents whose texts are returned, evenly spaced.
        folder: Empty folder for the records of the shards that are read, a folder for each.

    Returns:
        ``shards`` and ``bytes`` of the corpus; estimates of ``records``, ``fit`` (accepted records),
        ``labelled`` (accepted ones with topic and format), ``chars`` (of accepted texts), ``records_bytes``
        (disk); ``looked_at``, the shards read; ``texts``; ``scale``, all shards in
        units of those; ``bins``, how many of those that were read are in each bin that occurs among them.

    Raises:
        CorpusError: If the shards that were read have no document.
    """
    import pyarrow.parquet as pq

    step = max(1, len(shards) // look_at)
    chosen = list(shards)[::step][:look_at]
    counts = dict.fromkeys(("records", "fit", "labelled", "chars", "records_bytes"), 0)
    sample_texts: list[str] = []
    given: Counter[tuple[str, str]] = Counter()
    for number, shard in enumerate(chosen):
        (own := folder / str(number)).mkdir()
        tally, file = write_records(shard, settings, own), own / RECORDS
        counts["records"] += tally.records
        counts["fit"] += tally.fit
        counts["chars"] += tally.chars
        counts["records_bytes"] += file.stat().st_size
        rows = pq.read_table(file, columns=["text", *GIVEN[:2]])
        both = rows.drop_null()
        counts["labelled"] += both.num_rows
        given.update(zip(*(both[name].to_pylist() for name in GIVEN[:2]), strict=True))
        kept = rows["text"].drop_null()
        sample_texts += [kept[place].as_py() for place in range(0, len(kept), max(1, len(kept) * len(chosen) // texts))]
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
        "looked_at": [shard.name for shard in chosen],
        "scale": scale,
        "bins": sorted(given.values()),
        "texts": sample_texts[:texts],
    }


def describe_survey(estimate: Mapping[str, Any]) -> str:
    """Format a survey as one line."""
    size, chars = f"{estimate['bytes'] / 1e6:,.1f} MB", f"{estimate['chars'] / 1e6:,.1f} million characters"
    return (
        f"{estimate['shards']:,} shards, {size}: about {estimate['records']:,} records, {estimate['fit']:,} of them "
        f"documents ({chars}), {estimate['labelled']:,} of those with both labels"
    )
