"""The top documents are those of highest score, ties by id, with the start of their text."""

from __future__ import annotations

import ibis
import pandas as pd

from social_provenance.estimation.maps.top_documents import COUNT, EXCERPT_CHARS, pick_documents


def test_the_highest_scores_of_the_method_in_order() -> None:
    ids = [f"d{number:02d}" for number in range(COUNT + 5)]
    scores = pd.DataFrame(
        [
            {"doc_id": doc_id, "benchmark": benchmark, "method": method, "score": sign * (number // 2)}
            for benchmark, sign in (("up", 1.0), ("down", -1.0))
            for method in ("trackstar", "influence")
            for number, doc_id in enumerate(ids)
        ]
    )
    scores.loc[scores["method"] == "influence", "score"] = 1000.0
    texts = ibis.memtable(
        pd.DataFrame({"doc_id": ids, "topic": "games", "format": "faq", "url": "u", "text": ["x" * 1000] * len(ids)})
    )
    top = pick_documents(ibis.memtable(scores), texts, "trackstar").set_index("benchmark")
    assert top.loc["up", "doc_id"].tolist() == ["d14", *[f"d{n:02d}" for n in (12, 13, 10, 11, 8, 9, 6, 7, 4)]]
    assert top.loc["down", "doc_id"].tolist() == ids[:COUNT]
    assert top.loc["up", "rank"].tolist() == list(range(1, COUNT + 1))
    assert set(top["excerpt"]) == {"x" * EXCERPT_CHARS}
