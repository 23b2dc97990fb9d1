"""Nodes of the miniature world, which with ``validation`` and ``worlds`` are all that know the truth."""

from __future__ import annotations

from typing import Any

from social_provenance.annotations import Table
from social_provenance.miniature.documents import Document, DocumentPlan, raw_record, write_documents
from social_provenance.miniature.items import TASK, write_items
from social_provenance.miniature.world import World, draw_world
from social_provenance.pipelines.miniature.params import Miniature


def write_corpus(params: Miniature) -> list[dict[str, Any]]:
    """Return the raw records of the world's documents, without the truth about them."""
    return [raw_record(document) for document in _documents(params)]


def write_benchmarks(params: Miniature) -> dict[str, Any]:
    """Return the items of the world's benchmarks, and the lm-eval task that reads them."""
    items = write_items(_world(params), params.items_per_fact, params.choices)
    return {"items": items, "task": TASK}


def write_truth(params: Miniature) -> Table:
    """Return the true labels of each document, the benchmark of its topic by role of the topic, and its own role."""
    import pandas as pd

    columns = ["doc_id", "topic", "format", "planted", "decoy", "twin", "role"]
    rows = [[getattr(document, column) for column in columns] for document in _documents(params)]
    return pd.DataFrame(rows, columns=columns)


def _world(params: Miniature) -> World:
    return draw_world(params.seed, params.decoy_topics, params.twin_topics)


def _documents(params: Miniature) -> list[Document]:
    plan = DocumentPlan(
        per_bin=params.documents_per_bin,
        chars=params.document_chars,
        facts=params.facts_per_document,
        carrier_share=params.carrier_share,
        labelled_share=params.labelled_share,
        withheld=params.twin_withheld,
    )
    return write_documents(_world(params), plan)
