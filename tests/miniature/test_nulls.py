"""Nulls are judged as the items are, and a null that knows nothing is at chance."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from social_provenance.miniature.nulls import compare_nulls_with_truth
from social_provenance.regions.grid import TOPICS

TRUTH = pd.DataFrame(
    [
        (f"{topic}-{i}", topic, "quiz" if place < 2 else None, "quiz" if 2 <= place < 6 else None, None)
        for place, topic in enumerate(TOPICS)
        for i in range(3)
    ],
    columns=["doc_id", "topic", "planted", "decoy", "twin"],
)


def scores(variant: str, values: np.ndarray) -> pd.DataFrame:
    return TRUTH[["doc_id"]].assign(variant=variant, method="m", benchmark="quiz", score=values)


def test_items_that_know_and_words_that_mislead() -> None:
    planted = TRUTH["planted"].notna().to_numpy(float)
    words = planted + TRUTH["decoy"].notna().to_numpy(float)
    nulls = ibis.memtable(pd.concat([scores("items", planted), scores("shuffled_answers", words)]))
    random = ibis.memtable(scores("random_weights", -planted))
    found = compare_nulls_with_truth(nulls, random, TRUTH).set_index("variant")
    assert found.loc["items", ["topic_auc", "decoy_auc"]].tolist() == [1, 1]
    assert found.loc["shuffled_answers", "decoy_auc"] == 0.5
    assert found.loc["shuffled_answers", "topic_auc"] == pytest.approx(1 - 4 / 22 / 2)
    assert found.loc["random_weights", "topic_auc"] == 0


def test_without_random_weights_there_are_the_others() -> None:
    found = compare_nulls_with_truth(ibis.memtable(scores("items", np.zeros(len(TRUTH)))), None, TRUTH)
    assert found[["variant", "topic_auc"]].to_numpy().tolist() == [["items", 0.5]]


def test_chance_is_a_half() -> None:
    rng = np.random.default_rng(0)
    tables = pd.concat([scores(f"null-{i}", rng.normal(size=len(TRUTH))) for i in range(400)])
    found = compare_nulls_with_truth(ibis.memtable(tables), None, TRUTH)
    assert len(found) == 400
    assert found[["topic_auc", "decoy_auc"]].mean().tolist() == pytest.approx([0.5, 0.5], abs=0.05)
