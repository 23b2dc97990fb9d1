"""Labels of a corpus: given ones are kept, missing ones learned, unknown ones refused by name."""

from __future__ import annotations

import re
from typing import Any

import ibis
import pandas as pd
import pytest

from social_provenance.errors import LabelError
from social_provenance.labelling.label import LIGHT_COLUMNS, Labels, count_bins, label_documents
from social_provenance.regions.grid import BINS

TEXTS = {
    ("Games", "FAQ"): "Frequently asked questions about chess, dice and the board.",
    ("Games", "Tutorial"): "How to play chess and dice on a board, step by step.",
    ("Health", "FAQ"): "Frequently asked questions about the doctor, fever and nurse.",
    ("Health", "Tutorial"): "How to cure fever with a doctor and a nurse, step by step.",
}
SLUGS = {"Games": "games", "Health": "health", "FAQ": "faq", "Tutorial": "tutorial"}


def documents(count: int = 40, given: int = 30) -> pd.DataFrame:
    rows = []
    for i in range(count):
        (topic, form), text = list(TEXTS.items())[i % 4]
        known = i < given
        rows.append(
            {
                "doc_id": f"d{i:02d}",
                "text": f"{text} Number {i}.",
                "url": f"https://x.org/{i}",
                "source": "test",
                "n_chars": len(text),
                "content_hash": f"{i * 7919 % 1000:03d}",
                "cluster_id": "x.org",
                "shard": f"{i % 2}.jsonl",
                "row": i // 2 + 1,
                "given_topic": topic if known else None,
                "given_format": form if known else None,
                "given_topic_confidence": 0.75 if known and i % 2 else None,
                "given_format_confidence": None,
            }
        )
    return pd.DataFrame(rows).astype({"given_topic_confidence": float, "given_format_confidence": float})


def label(frame: pd.DataFrame, **settings: Any) -> Labels:
    defaults: dict[str, Any] = {"holdout": 0.2, "max_chars": 1000, "max_train": 100, "batch": 100, "seed": 0}
    return label_documents(ibis.memtable(frame), **(defaults | settings))


@pytest.fixture(scope="module")
def labelled() -> pd.DataFrame:
    table: pd.DataFrame = label(documents()).labelled.execute()
    return table


def test_every_document_is_labelled_once_and_keeps_its_place(labelled: pd.DataFrame) -> None:
    light = list(LIGHT_COLUMNS)
    pd.testing.assert_frame_equal(labelled[light], documents()[light], check_dtype=False)


def test_given_labels_are_kept_in_canonical_form(labelled: pd.DataFrame) -> None:
    given = labelled[:30]
    assert set(given["label_source"]) == {"given"}
    assert given["topic"].tolist() == documents()["given_topic"][:30].map(SLUGS).tolist()
    assert given["format"].tolist() == documents()["given_format"][:30].map(SLUGS).tolist()


def test_confidence_is_as_given_else_one(labelled: pd.DataFrame) -> None:
    assert labelled["topic_confidence"][:30].tolist() == [1.0, 0.75] * 15
    assert set(labelled["format_confidence"][:30]) == {1.0}


def test_missing_labels_are_learned_from_the_given(labelled: pd.DataFrame) -> None:
    learned = labelled[30:]
    assert set(learned["label_source"]) == {"linear"}
    expected = [list(TEXTS)[i % 4] for i in range(30, 40)]
    assert list(zip(learned["topic"], learned["format"], strict=True)) == [(SLUGS[t], SLUGS[f]) for t, f in expected]
    assert learned[["topic_confidence", "format_confidence"]].stack().between(0, 1).all()


@pytest.mark.parametrize("batch", [1, 3, 10])
def test_the_size_of_a_batch_changes_nothing(labelled: pd.DataFrame, batch: int) -> None:
    pd.testing.assert_frame_equal(label(documents(), batch=batch).labelled.execute(), labelled)


def test_the_order_of_the_documents_changes_nothing(labelled: pd.DataFrame) -> None:
    shuffled = documents().sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(label(shuffled).labelled.execute(), labelled)


def test_one_label_of_two_is_not_enough() -> None:
    frame = documents()
    frame.loc[0, "given_format"] = None
    first = label(frame).labelled.execute().iloc[0]
    assert (first["doc_id"], first["label_source"]) == ("d00", "linear")


def test_a_corpus_with_all_labels_needs_no_learning() -> None:
    table = label(documents(given=40)).labelled.execute()
    assert set(table["label_source"]) == {"given"}
    assert len(table) == 40


def test_the_quality_is_measured_on_given_labels_only() -> None:
    quality = label(documents(), holdout=0.5).quality
    assert (quality["n_train"] + quality["n_test"]).tolist() == [30, 30]
    limited = label(documents(), holdout=0.5, max_train=20).quality
    assert (limited["n_train"] + limited["n_test"]).tolist() == [20, 20]


@pytest.mark.parametrize(("axis", "bad", "nearest"), [("topic", "Gamez", "games"), ("format", "Tutorail", "tutorial")])
def test_an_unknown_label_names_its_document_and_the_nearest_label(axis: str, bad: str, nearest: str) -> None:
    frame = documents()
    frame.loc[[5, 9, 25], f"given_{axis}"] = bad
    message = f"1.jsonl row 3, document d05: unknown {axis} label {bad!r}; did you mean {nearest!r}?"
    with pytest.raises(LabelError, match=re.escape(message)):
        label(frame[::-1])


def test_a_corpus_without_labels_is_refused() -> None:
    with pytest.raises(LabelError, match=r"no document has both a topic and a format: give labels in the shards"):
        label(documents(given=0))


def test_prevalence_has_every_bin_and_shares_that_sum_to_one(labelled: pd.DataFrame) -> None:
    bins = count_bins(ibis.memtable(labelled))
    assert list(zip(bins["topic"], bins["format"], strict=True)) == list(BINS)
    assert bins["n_documents"].sum() == 40
    assert bins["share"].sum() == pytest.approx(1)
    full = bins[bins["n_documents"] > 0].set_index(["topic", "format"])
    assert full["n_documents"].to_dict() == {(SLUGS[topic], SLUGS[form]): 10 for topic, form in TEXTS}
    assert set(full["share"]) == {0.25}


def test_a_whole_corpus_of_one_topic_needs_no_classifier() -> None:
    frame = documents(count=20, given=20).assign(given_topic="Games")
    labels = label(frame)
    assert set(labels.labelled.execute()["topic"]) == {"games"}
    assert labels.quality.empty
    with pytest.raises(LabelError, match="given labels name only one topic"):
        label(frame.assign(given_format=[None, *frame["given_format"][1:]]))
