"""Trials of cleaning and labelling on the records of a few shards, and the size of the working set to expect."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.documents.clean import clean
from social_provenance.documents.records import RECORDS
from social_provenance.documents.survey import survey
from social_provenance.errors import ProvenanceError
from social_provenance.labelling.label import join_labels, plan_labels
from social_provenance.labelling.train import plan_classifier
from social_provenance.planning.clock import Clock
from social_provenance.planning.parts import new_folder, write_parts
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.documents.settings import DocumentSettings
    from social_provenance.documents.shards import Shard
    from social_provenance.labelling.settings import Labelling

LABELLED = 2000
"""Upper bound on the documents that are labelled in a trial."""


def try_corpus(
    shards: Sequence[Shard], documents: DocumentSettings, labelling: Labelling, look_at: int, texts: int
) -> dict[str, Any]:
    """Survey a few shards, clean and label their records, and return what that took.

    Returns:
        Result of :func:`social_provenance.documents.survey.survey`, and of ``tried`` documents that were read
        ``clean_seconds``; of ``trained`` and ``classified`` ones ``train_seconds`` and ``label_seconds`` (null: not
        tried); ``refusals``, what the corpus would be refused for.
    """
    with tempfile.TemporaryDirectory() as name:
        clock = Clock()
        found = survey(shards, documents, look_at, texts, new_folder(Path(name) / "records"))
        found["seconds"] = clock.seconds() * found["scale"]
        found |= {"tried": round(found["fit"] / found["scale"]), "clean_seconds": None, "refusals": []}
        found |= {"trained": 0, "train_seconds": None, "classified": 0, "label_seconds": None}
        try:
            _try_tables(Path(name), documents, labelling, found)
        except ProvenanceError as error:
            found["refusals"] = [str(error)]
    return found


def expected_documents(counts: Sequence[int], fit: int, per_bin: int) -> int:
    """Return the number of documents that a sample of each bin will have.

    Bins are taken to be drawn from one gamma distribution, whose spread the counts show: where they differ no more than
    by chance all bins have the mean, where they differ much each has about its own share (empirical Bayes).

    Args:
        counts: Documents of a part of the corpus in each bin that occurs; empty: bins are taken to be equal.
        fit: Documents of the corpus.
        per_bin: Upper bound on the documents of a bin.
    """
    import numpy as np

    found = np.zeros(len(BINS))
    found[: len(counts)] = sorted(counts, reverse=True)[: len(BINS)]
    mean = found.mean()
    if not mean:
        return min(fit, per_bin * len(BINS))
    beyond = found.var() - mean
    rates = np.full(len(BINS), mean) if beyond <= 0 else (found + mean**2 / beyond) * beyond / (beyond + mean)
    return round(float(np.minimum(rates / rates.sum() * fit, per_bin).sum()))


def _try_tables(folder: Path, documents: DocumentSettings, labelling: Labelling, found: dict[str, Any]) -> None:
    import ibis

    engine = ibis.duckdb.connect()
    records = engine.read_parquet([str(file) for file in (folder / "records").rglob(RECORDS)])
    clock = Clock()
    corpus = clean(records, documents)
    corpus.documents.to_parquet(folder / "documents.parquet")
    corpus.rejected.to_parquet(folder / "rejected.parquet")
    found["clean_seconds"] = clock.seconds()
    if labelling.classifier == "official" or labelling.light.saved is not None:
        return
    kept = engine.read_parquet(str(folder / "documents.parquet")).limit(LABELLED).cache()
    clock = Clock()
    classifier = plan_classifier(kept, labelling)
    trained = write_parts(classifier, folder / "classifier")
    both = kept.filter(kept.given_topic.notnull() & kept.given_format.notnull()).count().execute()
    found |= {"trained": int(both) if trained else 0, "train_seconds": clock.seconds()}
    clock = Clock()
    labels = write_parts(plan_labels(kept, trained, labelling), folder / "labels")
    table = engine.read_parquet([str(own / "labels.parquet") for own in labels.values()])
    join_labels(kept, table).to_parquet(folder / "labelled.parquet")
    found |= {"classified": int(kept.count().execute()), "label_seconds": clock.seconds()}
