"""Nodes of the corpus pipeline."""

from __future__ import annotations

from social_provenance.annotations import LazyTable, Record
from social_provenance.artifacts import Parts
from social_provenance.documents.clean import clean, count_corpus
from social_provenance.documents.records import plan_records
from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import Shard


def read_shards(shards: list[Shard], params: DocumentSettings) -> Parts:
    """Describe the records of each shard; new and changed shards are read when the catalog saves the result."""
    return plan_records(shards, params)


def clean_documents(records: LazyTable, params: DocumentSettings) -> tuple[LazyTable, LazyTable]:
    """Split records into documents and rejected ones."""
    corpus = clean(records, params)
    return corpus.documents, corpus.rejected


def count_records(records: LazyTable, documents: LazyTable, rejected: LazyTable, params: DocumentSettings) -> Record:
    """Count records and documents, and check that they add up."""
    return count_corpus(records, documents, rejected, params.max_damaged_share)
