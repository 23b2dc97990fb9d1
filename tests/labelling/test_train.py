"""Training: measured on web sites not seen, calibrated, done once for its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd
import pytest

from social_provenance.datasets.parts import PartsFolder
from social_provenance.errors import LabelError
from social_provenance.labelling import train as training
from social_provenance.labelling.linear import LinearLabeller
from social_provenance.labelling.measure import Quality
from social_provenance.labelling.settings import Labelling, Light
from social_provenance.labelling.train import PARTS, deal, number_sites, plan_classifier, train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[..., pd.DataFrame]


def plan(documents: pd.DataFrame, **settings: Any) -> Any:
    return plan_classifier(ibis.memtable(documents), Labelling(light=Light(min_documents=1), **settings))


def test_the_measure_is_on_documents_not_seen(light: Light, make_pages: Make) -> None:
    pages = make_pages(120)
    _, quality = train(pages, light, 10)
    assert quality.quality["accuracy"].tolist() == [1.0, 1.0]
    assert quality.quality["n_test"].tolist() == [120, 120]
    assert quality.quality["n_train"].between(100, 119).all()


def test_labels_that_mean_nothing_are_measured_as_chance_and_believed_as_little(light: Light, make_pages: Make) -> None:
    pages = make_pages(400)
    labels = pages[["topic", "format"]].sample(frac=1, random_state=5, ignore_index=True)
    _, quality = train(pages.assign(**labels), light, 10)
    assert quality.quality["accuracy"].between(0.4, 0.6).all()
    assert quality.quality["confidence"].between(0.4, 0.6).all()


def test_a_site_that_tells_its_own_label_is_no_help_on_other_sites(light: Light, make_pages: Make) -> None:
    pages = make_pages(300)
    pages["cluster_id"] = [f"site{i % 30}.org" for i in range(300)]
    pages["url"] = "https://" + pages["cluster_id"]
    labels = np.random.default_rng(1).permutation(["games", "health"] * 15)
    pages["topic"] = [labels[i % 30] for i in range(300)]
    pages["text"] = "the same text"
    _, quality = train(pages, light, 10)
    assert quality.quality["accuracy"][0] < 0.8
    shuffled = pages.assign(cluster_id=pages["doc_id"])
    _, leaking = train(shuffled, light, 10)
    assert leaking.quality["accuracy"][0] == 1.0


def test_parts_keep_sites_together_and_are_of_like_size(make_pages: Make) -> None:
    pages = make_pages(900)
    pages["cluster_id"] = [f"site{i % 70}.org" for i in range(900)]
    part = deal(number_sites(pages), seed=0)
    assert pages.assign(part=part).groupby("cluster_id")["part"].nunique().max() == 1
    assert np.ptp(np.bincount(part, minlength=PARTS)) < 30
    turned = pages[::-1]
    assert (deal(number_sites(turned), seed=0)[::-1] == part).all()
    assert (deal(number_sites(pages), seed=1) != part).any()


def test_with_few_sites_documents_stand_for_themselves(make_pages: Make) -> None:
    assert number_sites(make_pages(30).assign(cluster_id="one.org")).tolist() == list(range(30))


def test_too_few_documents_are_refused(make_pages: Make) -> None:
    with pytest.raises(LabelError, match=r"2 labelled documents are too few to train on: label 5 or more"):
        number_sites(make_pages(2))


def test_the_plan_trains_once_for_its_inputs(
    make_documents: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, folder = make_documents(), PartsFolder(path=str(tmp_path / "classifier"))
    folder.save(plan(documents))
    (part,) = folder.load().values()
    assert LinearLabeller.load(part).predict(documents).shape == (60, 4)
    assert Quality.load([part]).quality["n_test"].tolist() == [40, 40]
    monkeypatch.setattr(training, "train", None)  # would fail if it were called
    folder.save(plan(documents.sample(frac=1, random_state=0)))
    unlabelled = documents.assign(text=documents["text"].where(documents["given_topic"].notna(), "another text"))
    assert plan(unlabelled).digests == plan(documents).digests
    changed = documents.assign(given_topic=documents["given_topic"].replace({"Games": "Health"}))
    assert plan(changed).digests != plan(documents).digests


def test_a_saved_classifier_is_used_as_it_is(make_documents: Make, tmp_path: Path) -> None:
    first, second = (PartsFolder(path=str(tmp_path / name)) for name in ("first", "second"))
    first.save(plan(make_documents()))
    saved = Labelling(light=Light(saved=first.load()["linear"]))
    second.save(plan_classifier(ibis.memtable(make_documents(given=0)), saved))
    documents = make_documents()
    old, new = (LinearLabeller.load(folder.load()["linear"]) for folder in (first, second))
    pd.testing.assert_frame_equal(old.predict(documents), new.predict(documents), check_exact=True)
    assert len(Quality.load(second.load().values()).quality) == 2


def test_only_so_many_documents_are_learned_from(make_documents: Make, tmp_path: Path) -> None:
    folder = PartsFolder(path=str(tmp_path / "classifier"))
    settings = Labelling(light=Light(min_documents=1, max_train=20))
    folder.save(plan_classifier(ibis.memtable(make_documents()), settings))
    assert Quality.load(folder.load().values()).quality["n_test"].tolist() == [20, 20]


def test_a_corpus_with_all_labels_needs_no_classifier(make_documents: Make) -> None:
    documents = make_documents(given=60)
    assert plan(documents).digests == {}
    assert plan(documents.assign(given_topic="Games")).digests == {}
    assert list(plan(documents, keep_given=False).digests) == ["linear"]


def test_a_corpus_without_labels_is_refused(make_documents: Make) -> None:
    with pytest.raises(
        LabelError, match=r"no document has both a topic and a format, so no classifier can be trained: give both"
    ):
        plan(make_documents(given=0))


def test_documents_without_labels_and_no_classifier_are_refused(make_documents: Make) -> None:
    with pytest.raises(LabelError, match=r"20 documents lack a topic or a format and labelling\.classifier is null"):
        plan(make_documents(), classifier=None)
