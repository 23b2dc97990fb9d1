"""The linear classifier: learns from text and URL, labels each document alone, is measured on unseen ones."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from social_provenance.errors import LabelError
from social_provenance.labelling.linear import LinearLabeller, measure

WORDS = {"games": "chess dice board player puzzle", "health": "doctor nurse fever clinic vaccine"}
FRAMES = {"faq": "Frequently asked: what is {}?", "tutorial": "How to use {}, step by step."}


def labelled(count: int = 80, seed: int = 0) -> pd.DataFrame:
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        topic, form = rng.choice(list(WORDS)), rng.choice(list(FRAMES))
        text = FRAMES[form].format(" ".join(rng.choices(WORDS[topic].split(), k=6)))
        rows.append({"doc_id": f"d{i}", "text": text, "url": None, "topic": topic, "format": form})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def labeller() -> LinearLabeller:
    return LinearLabeller(max_chars=1000, seed=0).fit(labelled())


def test_it_tells_apart_what_words_tell_apart(labeller: LinearLabeller) -> None:
    unseen = labelled(30, seed=1)
    said = labeller.predict(unseen)
    assert said["topic"].tolist() == unseen["topic"].tolist()
    assert said["format"].tolist() == unseen["format"].tolist()


def test_confidences_of_two_classes_lie_between_half_and_one(labeller: LinearLabeller) -> None:
    said = labeller.predict(labelled(30, seed=1))
    for axis in ("topic", "format"):
        assert said[f"{axis}_confidence"].between(0.5, 1).all()


def test_a_document_is_labelled_alone(labeller: LinearLabeller) -> None:
    unseen = labelled(12, seed=2).sample(frac=1, random_state=0)
    together = labeller.predict(unseen)
    apart = pd.concat([labeller.predict(unseen.iloc[i : i + 5]) for i in range(0, len(unseen), 5)])
    pd.testing.assert_frame_equal(together, apart)


def test_equal_seeds_give_equal_labels() -> None:
    first, second = (LinearLabeller(1000, seed=3).fit(labelled()).predict(labelled(10, seed=1)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_text_behind_the_cut_does_not_count() -> None:
    labeller = LinearLabeller(max_chars=30, seed=0).fit(labelled())
    unseen = labelled(10, seed=1)
    cut = unseen.assign(text=unseen["text"].str[:30] + " doctor nurse fever")
    pd.testing.assert_frame_equal(labeller.predict(unseen), labeller.predict(cut))


def test_the_url_tells_what_the_text_does_not() -> None:
    rows = labelled().assign(text="the same text")
    rows["url"] = "https://" + rows["topic"] + ".org/" + rows["format"]
    said = LinearLabeller(1000, seed=0).fit(rows).predict(rows)
    assert said["topic"].equals(rows["topic"])
    assert said["format"].equals(rows["format"])


@pytest.mark.parametrize("axis", ["topic", "format"])
def test_a_single_class_is_refused_by_its_name(axis: str) -> None:
    message = f"given labels name only one {axis} \\(only\\): a classifier needs two or more, label more documents"
    with pytest.raises(LabelError, match=message):
        LinearLabeller(1000, seed=0).fit(labelled().assign(**{axis: "only"}))


def test_the_measure_splits_the_documents_and_counts_what_it_says() -> None:
    quality = measure(labelled(), holdout=0.25, max_chars=1000, seed=0).set_index("axis")
    assert quality.index.tolist() == ["topic", "format"]
    assert quality["n_train"].tolist() == [60, 60]
    assert quality["n_test"].tolist() == [20, 20]
    assert quality["accuracy"].tolist() == [1.0, 1.0]
    assert quality["majority_share"].between(0.5, 0.9).all()


def test_labels_that_mean_nothing_are_measured_as_chance() -> None:
    rows = labelled(400)
    labels = rows[["topic", "format"]].sample(frac=1, random_state=5, ignore_index=True)
    quality = measure(rows.assign(**labels), holdout=0.5, max_chars=1000, seed=0)
    assert quality["accuracy"].between(0.4, 0.6).all()


def test_a_held_out_share_without_a_document_is_refused() -> None:
    with pytest.raises(LabelError, match=r"labelling\.holdout 0\.1 of 4 labelled documents leaves none.*label more"):
        measure(labelled(4), holdout=0.1, max_chars=1000, seed=0)
