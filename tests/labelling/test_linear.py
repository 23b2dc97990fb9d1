"""The linear classifier: learns from text and URL, labels each document alone, is the same after a save."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import LabelError
from social_provenance.labelling.calibration import Calibration
from social_provenance.labelling.linear import AXES, DESCRIPTION, LinearLabeller, Training
from social_provenance.labelling.settings import Light

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., pd.DataFrame]


def fitted(pages: pd.DataFrame, light: Light) -> LinearLabeller:
    return Training.of(pages, np.arange(len(pages)), light).labeller


def test_it_tells_apart_what_words_tell_apart(labeller: LinearLabeller, make_pages: Make) -> None:
    unseen = make_pages(30, seed=1)
    said = labeller.predict(unseen)
    assert said["topic"].tolist() == unseen["topic"].tolist()
    assert said["format"].tolist() == unseen["format"].tolist()


def test_confidences_lie_between_nothing_and_one(labeller: LinearLabeller, make_pages: Make) -> None:
    said = labeller.predict(make_pages(30, seed=1))
    for axis in AXES:
        assert said[f"{axis}_confidence"].between(0, 1).all()


def test_temperatures_change_confidences_and_no_label(light: Light, make_pages: Make) -> None:
    plain, unseen = fitted(make_pages(), light), make_pages(40, seed=1)
    cold, hot = (replace(plain, calibrations=dict.fromkeys(AXES, Calibration(t))).predict(unseen) for t in (0.1, 1.0))
    pd.testing.assert_frame_equal(cold[list(AXES)], hot[list(AXES)])
    assert (cold["topic_confidence"] > hot["topic_confidence"]).all()


@pytest.mark.parametrize("size", [1, 5, 64])
def test_a_document_is_labelled_alone(labeller: LinearLabeller, make_pages: Make, size: int) -> None:
    unseen = make_pages(150, seed=2)
    together = labeller.predict(unseen)
    mixed = unseen.sample(frac=1, random_state=0)
    apart = pd.concat([labeller.predict(mixed.iloc[i : i + size]) for i in range(0, len(mixed), size)])
    pd.testing.assert_frame_equal(apart.loc[together.index], together, check_exact=True)


def test_what_is_read_from_disk_labels_the_same_bit_for_bit(
    labeller: LinearLabeller, make_pages: Make, tmp_path: Path
) -> None:
    labeller.save(tmp_path)
    unseen = make_pages(50, seed=3)
    loaded = LinearLabeller.load(tmp_path)
    pd.testing.assert_frame_equal(loaded.predict(unseen), labeller.predict(unseen), check_exact=True)
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_equal_documents_give_an_equal_classifier(light: Light, make_pages: Make) -> None:
    first, second = (fitted(make_pages(), light) for _ in range(2))
    assert (first.weights == second.weights).all()


def test_text_behind_the_cut_does_not_count(make_pages: Make) -> None:
    light = Light(max_chars=30, min_documents=1)
    labeller = fitted(make_pages(), light)
    unseen = make_pages(10, seed=1)
    cut = unseen.assign(text=unseen["text"].str[:30] + " doctor nurse fever")
    pd.testing.assert_frame_equal(labeller.predict(unseen), labeller.predict(cut))


def test_the_url_tells_what_the_text_does_not(light: Light, make_pages: Make) -> None:
    pages = make_pages().assign(text="the same text")
    pages["url"] = "https://" + pages["topic"] + ".org/" + pages["format"]
    said = fitted(pages, light).predict(pages)
    assert said["topic"].equals(pages["topic"])
    assert said["format"].equals(pages["format"])


def test_what_is_held_out_was_not_learned_from(light: Light, make_pages: Make) -> None:
    pages = make_pages(60)
    groups = np.arange(60) // 3
    found = Training.of(pages, groups, light)
    turned = pages.copy()
    turned.loc[:2, "topic"] = pages.loc[:2, "topic"].map({"games": "health", "health": "games"})
    again = Training.of(turned, groups, light)
    np.testing.assert_allclose(again.held["topic"][:3], found.held["topic"][:3], atol=1e-4)
    assert not np.allclose(again.held["topic"][3:], found.held["topic"][3:], atol=1e-4)


@pytest.mark.parametrize("axis", ["topic", "format"])
def test_a_single_class_is_refused_by_its_name(light: Light, make_pages: Make, axis: str) -> None:
    message = f"given labels name only one {axis} \\(only\\): a classifier needs two or more, label more documents"
    with pytest.raises(LabelError, match=message):
        fitted(make_pages().assign(**{axis: "only"}), light)


def test_a_folder_without_a_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"there is no classifier in .*labelling\.light\.saved"):
        LinearLabeller.load(tmp_path)


def test_a_classifier_of_another_version_is_refused(labeller: LinearLabeller, tmp_path: Path) -> None:
    labeller.save(tmp_path)
    known = json.loads((tmp_path / DESCRIPTION).read_text())
    (tmp_path / DESCRIPTION).write_text(json.dumps({**known, "version": 0}))
    with pytest.raises(LabelError, match="has version 0, this code reads version 1: train it again"):
        LinearLabeller.load(tmp_path)
