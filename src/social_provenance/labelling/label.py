"""Labelling of every document, shard by shard: given labels first, a classifier for missing ones."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from social_provenance.artifacts import Parts, Work, in_batches, part_name
from social_provenance.fingerprint import digest_of, digest_of_path, unordered_sums
from social_provenance.labelling.given import SOURCE, GivenLabels, has_both
from social_provenance.labelling.linear import ARRAYS, AXES, DESCRIPTION, LinearLabeller
from social_provenance.labelling.official import OfficialLabeller, identity
from social_provenance.labelling.pool import Pool
from social_provenance.labelling.progress import Progress
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

    from social_provenance.labelling.settings import Labelling

LIGHT_COLUMNS = ("doc_id", "url", "source", "n_chars", "content_hash", "cluster_id", "shard", "row")
LABEL_COLUMNS = ("doc_id", *(f"{axis}{part}" for axis in AXES for part in ("", "_confidence", "_source")))
READ = ("doc_id", "text", "url", *(f"given_{axis}" for axis in AXES), *(f"given_{axis}_confidence" for axis in AXES))
"""Columns on which labels depend."""

LABELS = "labels.parquet"

TOGETHER = 250_000
"""Upper bound on the documents whose shards one query reads; a larger shard is read alone."""


class Labeller(Protocol):
    """A classifier of documents."""

    @property
    def source(self) -> str:
        """Return the name of the classifier in ``topic_source`` and ``format_source``."""

    def predict(self, documents: pd.DataFrame, axes: Sequence[str] = AXES) -> pd.DataFrame:
        """Predict labels and confidences on ``axes`` for rows with text and URL, on their index."""


@dataclass(frozen=True)
class Shard:
    """Summary of a shard before it is labelled.

    Attributes:
        documents: Number of documents.
        given: Number of documents that came with both labels.
        content: Digest of all columns on which labels depend.
    """

    documents: int
    given: int
    content: str


def plan_labels(documents: ir.Table, classifier: Mapping[str, Path], settings: Labelling) -> Parts:
    """Describe labels as parts, one table of ``LABEL_COLUMNS`` per shard.

    Under ``settings.keep_given`` a given label is kept, with source ``given`` and its confidence (1 if none
    was given); every other label is the classifier's.

    Args:
        documents: Table of the corpus pipeline.
        classifier: Parts of :func:`social_provenance.labelling.train.plan_classifier`.
        settings: Origin of labels.

    Raises:
        LabelError: If a given label is outside the taxonomy.
    """
    given = GivenLabels.read(documents)
    shards = survey(documents)
    said_by = _identity(classifier, settings)
    names = {part_name(shard): shard for shard in shards}
    inputs = {}
    for name, shard in names.items():
        known = shards[shard]
        classified = not settings.keep_given or known.given < known.documents
        inputs[name] = digest_of(known.content, settings.keep_given, said_by if classified else None)
    sizes = {name: (shard, shards[shard].documents) for name, shard in names.items()}
    write = partial(_write, documents, given, sizes, classifier, settings)
    return Parts(inputs, write, {name: Work(documents) for name, (_, documents) in sizes.items()})


def survey(documents: ir.Table) -> dict[str, Shard]:
    """Return shard -> summary, by name; the engine hashes the texts, which are never loaded."""
    import ibis

    mark = ibis.literal("\x1f")
    content: Any = ibis.literal("")
    for column in READ:
        content = content.concat(documents[column].cast("string").fill_null("\x1e"), mark)
    rows = documents.select("shard", given=has_both(documents).cast("int64"), digest=content.hexdigest("md5"))
    # Sums, and no list of digests, which an engine would have to hold.
    sums = unordered_sums(rows.digest)
    found = rows.group_by("shard").agg(documents=rows.count(), given=rows.given.sum(), **sums)
    table = found.order_by("shard").execute()
    return {
        row.shard: Shard(int(row.documents), int(row.given), digest_of(*(int(getattr(row, name)) for name in sums)))
        for row in table.itertuples()
    }


def join_labels(documents: ir.Table, labels: ir.Table) -> ir.Table:
    """Join documents with their labels, without texts, in the order of ids.

    Args:
        documents: Table of the corpus pipeline.
        labels: The tables of all shards.
    """
    own = labels.select(*LABEL_COLUMNS)
    return documents.select(*LIGHT_COLUMNS).inner_join(own, "doc_id").order_by("doc_id")


def count_bins(labelled: ir.Table) -> pd.DataFrame:
    """Return the prevalence of all 576 bins: ``topic``, ``format``, ``n_documents``, ``share``.

    Empty bins are rows with zero documents.
    """
    import pandas as pd

    counts = labelled.group_by(["topic", "format"]).agg(n_documents=labelled.count()).execute()
    grid = pd.DataFrame(BINS, columns=["topic", "format"])
    table = grid.merge(counts, how="left", on=["topic", "format"]).fillna({"n_documents": 0})
    table["n_documents"] = table["n_documents"].astype("int64")
    return table.assign(share=table["n_documents"] / table["n_documents"].sum())


def _identity(classifier: Mapping[str, Path], settings: Labelling) -> list[Any]:
    """Return the values on which the classifier's labels depend."""
    if LinearLabeller.source in classifier:
        folder = classifier[LinearLabeller.source]
        return [digest_of_path(folder / name) for name in (ARRAYS, DESCRIPTION)]
    return [identity(settings.official)] if classifier else []


@contextmanager
def open_labeller(classifier: Mapping[str, Path], settings: Labelling) -> Iterator[Labeller | None]:
    """Yield the classifier of documents without labels; None if no document needs it.

    Args:
        classifier: Parts of :func:`social_provenance.labelling.train.plan_classifier`.
        settings: Processes and devices to use.
    """
    if LinearLabeller.source not in classifier:
        yield OfficialLabeller.load(settings.official) if classifier else None
    elif settings.processes == 1:
        yield LinearLabeller.load(classifier[LinearLabeller.source])
    else:
        with Pool(classifier[LinearLabeller.source], settings.processes) as pool:
            yield pool


def _write(
    documents: ir.Table,
    given: GivenLabels,
    shards: Mapping[str, tuple[str, int]],
    classifier: Mapping[str, Path],
    settings: Labelling,
    waiting: Mapping[str, Path],
) -> Iterator[str]:
    names = {shards[name][0]: name for name in waiting}
    sizes = {shard: shards[name][1] for shard, name in names.items()}
    own = given if settings.keep_given else None
    with open_labeller(classifier, settings) as labeller, Progress(sum(sizes.values())) as progress:
        for group in shards_together(sizes, TOGETHER):
            for shard, chunks in read_shards(documents, group, settings.batch):
                _label_shard(chunks, own, labeller, waiting[names[shard]], progress)
                progress.tell(shard)
                yield names[shard]


def shards_together(sizes: Mapping[str, int], documents: int) -> Iterator[list[str]]:
    """Yield the names of shards, in their order, in groups within an upper bound on documents; a larger one is alone.

    Args:
        sizes: Shard -> its documents.
        documents: Upper bound on the documents of a group.
    """
    group: list[str] = []
    held = 0
    for name, size in sizes.items():
        if group and held + size > documents:
            yield group
            group, held = [], 0
        group.append(name)
        held += size
    if group:
        yield group


def read_shards(documents: ir.Table, shards: Sequence[str], batch: int) -> Iterator[tuple[str, Iterator[pd.DataFrame]]]:
    """Yield the documents of some shards, shard by shard, each in frames of ``batch`` rows with the columns ``READ``.

    Args:
        documents: Table of the corpus pipeline. One query reads all shards: each asks a file for its index first, which
            is as long as the corpus.
        shards: Names of shards.
        batch: Rows of a frame; the last one of a shard may have fewer.
    """
    # The bounds let an engine leave out whole row groups, because the table is in the order of the shards.
    within = documents.shard.between(min(shards), max(shards)) & documents.shard.isin(shards)
    rows = documents.filter(within).select("shard", "row", *READ).order_by("shard", "row")
    pieces = (piece for found in rows.to_pyarrow_batches(chunk_size=batch) for piece in _runs(found))
    for shard, own in groupby(pieces, key=lambda piece: piece["shard"][0].as_py()):
        yield shard, (table.select(READ).to_pandas() for table in in_batches(own, batch))


def _runs(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Divide rows where the shard changes."""
    shard = rows["shard"].to_numpy(zero_copy_only=False)
    starts = [0, *(np.flatnonzero(shard[1:] != shard[:-1]) + 1).tolist(), len(rows)]
    yield from (rows.slice(start, end - start) for start, end in pairwise(starts) if end > start)


def _label_shard(
    chunks: Iterable[pd.DataFrame],
    given: GivenLabels | None,
    labeller: Labeller | None,
    folder: Path,
    progress: Progress,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = {"topic_confidence", "format_confidence"}
    schema = pa.schema([(name, pa.float64() if name in numbers else pa.string()) for name in LABEL_COLUMNS])
    with pq.ParquetWriter(folder / LABELS, schema) as file:
        for frame in chunks:
            labels = label_frame(frame, given, labeller)
            file.write_table(pa.Table.from_pandas(labels, schema=schema, preserve_index=False))
            progress.add(len(frame))


def label_frame(frame: pd.DataFrame, given: GivenLabels | None, labeller: Labeller | None) -> pd.DataFrame:
    """Label documents, in their order.

    Args:
        frame: Rows with the columns ``READ``.
        given: Spellings of given labels; None to ignore given labels.
        labeller: Classifier of documents without labels; None if all have labels.
    """
    labels = (GivenLabels.none() if given is None else given).of(frame)
    for axis in AXES:
        labels[f"{axis}_source"] = labels[axis].map(lambda _: SOURCE, na_action="ignore")
    missing = labels[list(AXES)].isna()
    if labeller is not None and missing.any(axis=None):
        axes = [axis for axis in AXES if missing[axis].any()]
        said = labeller.predict(frame[missing.any(axis=1)], axes)
        labels = labels.fillna(said.assign(**{f"{axis}_source": labeller.source for axis in axes}))
    return labels.assign(doc_id=frame["doc_id"])[list(LABEL_COLUMNS)]
