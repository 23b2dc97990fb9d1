"""Tables of documents: faults are counted, and no text of the corpus is in the message."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
import pytest

from social_provenance.errors import ArtifactError
from social_provenance.schemas.corpus import (
    Documents,
    LabelledDocuments,
    Records,
    RejectedDocuments,
    SamplingManifest,
    WorkingSet,
)

ROW: dict[str, Any] = {
    "doc_id": "a",
    "text": "secret",
    "url": None,
    "source": "web",
    "n_chars": 6,
    "content_hash": "h",
    "given_topic": None,
    "given_format": None,
    "given_topic_confidence": None,
    "given_format_confidence": None,
    "shard": "s",
    "row": 1,
    "cluster_id": "a",
    "site": None,
    "alike_id": "a",
    "signature": None,
    "bands": None,
    "reason": "too_short",
    "topic": "games",
    "topic_confidence": 1.0,
    "format": "faq",
    "format_confidence": 1.0,
    "topic_source": "given",
    "format_source": "given",
    "bin_rank": 0,
}


def table(schema: Any, **changes: Any) -> Any:
    """Return two rows, sound but for ``changes`` in the first."""
    rows = [{**ROW, **changes}, {**ROW, "doc_id": "b"}]
    frame = pd.DataFrame([{name: row[name] for name in schema.columns} for row in rows])
    return ibis.memtable(frame, schema=ibis.schema(dict(schema.columns)))


@pytest.mark.parametrize(
    ("schema", "changes", "message"),
    [
        (Records, {"reason": None, "text": None}, "1 rows where not: a record without a reason has id, text and hash"),
        (Records, {"row": 0}, "1 rows where not: row counts from 1"),
        (Documents, {"n_chars": 5}, "1 rows where not: text has n_chars characters"),
        (Documents, {"text": "", "n_chars": 0}, "1 rows where not: text has n_chars characters"),
        (Documents, {"cluster_id": None}, "1 rows where not: cluster_id is there"),
        (Documents, {"alike_id": None}, "1 rows where not: alike_id is there"),
        (Documents, {"doc_id": None}, "1 rows have no doc_id or one that another row has"),
        (RejectedDocuments, {"reason": None}, "1 rows where not: a reason is there"),
        (LabelledDocuments, {"topic_confidence": 1.5}, "1 rows where not: topic_confidence is from 0 to 1"),
        (SamplingManifest, {"content_hash": None}, "1 rows where not: content_hash is there"),
        (WorkingSet, {"text": None}, "1 rows where not: text is there"),
    ],
)
def test_a_fault_is_counted_and_not_quoted(schema: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtifactError) as refused:
        schema().validate(table(schema, **changes))
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


def test_another_type_or_column_is_refused() -> None:
    sound = table(Documents)
    with pytest.raises(ArtifactError, match="differ from its schema at 'n_chars'"):
        Documents().validate(sound.mutate(n_chars=sound.n_chars.cast("float64")))
    with pytest.raises(ArtifactError, match="differ from its schema at 'more'"):
        Documents().validate(sound.mutate(more=1))
