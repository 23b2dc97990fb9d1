"""Nodes of the corpus pipeline."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from social_provenance.documents.clean import clean, count_corpus
from social_provenance.documents.shards import Shard, read_records
from social_provenance.pipelines.corpus.params import Documents


def read_shards(shards: list[Shard], params: Documents) -> dict[str, Callable[[], Any]]:
    """Return for each shard how its records are read; they are read when saved, one at a time."""
    return {
        f"{number:06d}": partial(read_records, shard, params.max_malformed_share) for number, shard in enumerate(shards)
    }


def clean_documents(records: Any, params: Documents) -> tuple[Any, Any]:
    """Return documents and rejected records."""
    corpus = clean(records, params.min_chars, params.max_chars)
    return corpus.documents, corpus.rejected


def count_records(records: Any, documents: Any, rejected: Any) -> dict[str, Any]:
    """Return the counts of the corpus, after making sure that they add up."""
    return count_corpus(records, documents, rejected)
