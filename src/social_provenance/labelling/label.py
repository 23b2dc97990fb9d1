"""Give every document its bin: given labels first, the classifier for what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.errors import LabelError
from social_provenance.labelling.linear import AXES, LinearLabeller, measure
from social_provenance.regions.aliases import canonical_format, canonical_topic
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir
    import pandas as pd

CANONICAL: dict[str, Callable[[str], str]] = {"topic": canonical_topic, "format": canonical_format}
LIGHT_COLUMNS = ("doc_id", "url", "source", "n_chars", "content_hash", "cluster_id", "shard", "row")


@dataclass(frozen=True)
class Labels:
    """Labels of all documents and the measured quality of the classifier."""

    labelled: ir.Table
    quality: pd.DataFrame


def label_documents(documents: Any, *, holdout: float, max_chars: int, max_train: int, batch: int, seed: int) -> Labels:
    """Label every document with one topic and one format.

    A document with both labels given keeps them (``label_source`` is ``given``, confidence as
    given, else 1); every other is labelled by a classifier trained on those (``linear``).

    Args:
        documents: Table of the corpus pipeline.
        holdout: Share of the given labels on which the classifier is measured, 0 to 1.
        max_chars: Characters of a document that the classifier looks at.
        max_train: Most documents to train on, the first by content hash.
        batch: Documents labelled at a time.
        seed: Seed of the held-out draw and the training.

    Raises:
        LabelError: If a given label is outside the taxonomy, or no document has labels.
    """
    import ibis
    import pandas as pd

    given = _given(documents)
    train = _labelled_texts(documents, given, max_train)
    if train.empty:
        raise LabelError("no document has both a topic and a format: give labels in the shards (raw_documents.fields)")
    missing = documents.anti_join(given, "doc_id").select("doc_id", "text", "url")
    needless = (train[list(AXES)].nunique() < 2).any() and not missing.count().execute()
    quality = measure(train.iloc[:0] if needless else train, holdout, max_chars, seed)
    parts = [given.to_pandas()]
    labeller: LinearLabeller | None = None
    for chunk in missing.to_pyarrow_batches(chunk_size=batch):
        texts = chunk.to_pandas()
        if texts.empty:
            continue
        labeller = labeller or LinearLabeller(max_chars, seed).fit(train)
        said = labeller.predict(texts)
        parts.append(said.assign(doc_id=texts["doc_id"], label_source="linear"))
    labels = pd.concat(parts, ignore_index=True)
    table = documents.select(*LIGHT_COLUMNS).inner_join(ibis.memtable(labels), "doc_id").order_by("doc_id")
    return Labels(table, quality)


def count_bins(labelled: Any) -> pd.DataFrame:
    """Return the prevalence of all 576 bins: ``topic``, ``format``, ``n_documents``, ``share``.

    Bins that no document falls into are rows with zero.
    """
    import pandas as pd

    counts = labelled.group_by(["topic", "format"]).agg(n_documents=labelled.count()).execute()
    grid = pd.DataFrame(BINS, columns=["topic", "format"])
    table = grid.merge(counts, how="left", on=["topic", "format"]).fillna({"n_documents": 0})
    table["n_documents"] = table["n_documents"].astype("int64")
    return table.assign(share=table["n_documents"] / table["n_documents"].sum())


def _given(documents: Any) -> Any:
    """Return ``doc_id``, canonical labels and confidences of the documents that came with both."""
    import ibis

    both = documents.filter(documents.given_topic.notnull() & documents.given_format.notnull())
    columns: dict[str, Any] = {"doc_id": both.doc_id}
    for axis in AXES:
        columns[axis] = _canonical_column(both, axis)
        columns[f"{axis}_confidence"] = both[f"given_{axis}_confidence"].fill_null(1.0)
    return both.select(**columns, label_source=ibis.literal("given"))


def _canonical_column(documents: Any, axis: str) -> Any:
    column = documents[f"given_{axis}"]
    spellings = documents.select(label=column).distinct().order_by("label").execute()["label"]
    table = {}
    for label in spellings:
        try:
            table[label] = CANONICAL[axis](label)
        except LabelError as error:
            place = documents.filter(column == label).order_by("shard", "row").limit(1).execute().iloc[0]
            raise LabelError(f"{place.shard} row {place.row}, document {place.doc_id}: {error}") from error
    return column.substitute(table) if table else column


def _labelled_texts(documents: Any, given: Any, limit: int) -> pd.DataFrame:
    texts = documents.select("doc_id", "text", "url", "content_hash")
    rows = given.inner_join(texts, "doc_id").order_by("content_hash").limit(limit)
    frame: pd.DataFrame = rows.select("doc_id", "text", "url", *AXES).to_pandas()
    return frame
