"""A trial of the corpus, and the sample that its bins promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_provenance.documents.settings import DocumentSettings
from social_provenance.documents.shards import find_shards
from social_provenance.labelling.settings import Labelling
from social_provenance.planning.corpus import expected_documents, try_corpus
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = st.lists(st.integers(1, 200), max_size=len(BINS))


@given(counts=COUNTS, fit=st.integers(1, 100_000), per_bin=st.integers(1, 100))
def test_a_sample_is_within_its_bounds_and_grows_with_what_is_asked_for(
    counts: list[int], fit: int, per_bin: int
) -> None:
    drawn = expected_documents(counts, fit, per_bin)
    assert 0 <= drawn <= min(fit, per_bin * len(BINS))
    assert drawn <= expected_documents(counts, fit, per_bin + 1)
    assert expected_documents(counts, fit, fit) == fit


def test_bins_that_differ_by_chance_alone_are_taken_to_be_equal() -> None:
    assert expected_documents([1] * 300, 4 * len(BINS), 4) == 4 * len(BINS)


def test_bins_that_differ_much_leave_others_short() -> None:
    assert expected_documents([1000, 1000], 2000, 4) < 100


def test_shards_are_read_cleaned_and_labelled(tmp_path: Path, write_shard: Any, row: Any) -> None:
    labels = {"weborganizer": {"topic": "Games", "format": "FAQ"}}
    for shard in range(4):
        write_shard(tmp_path / f"{shard}.jsonl", [row(f"{shard}{n}", f"text {shard}{n}", **labels) for n in range(9)])
    found = try_corpus(find_shards(str(tmp_path)), DocumentSettings(min_chars=2), Labelling(), 2, 5)
    assert (found["fit"], found["tried"], found["scale"], found["bins"]) == (36, 18, 2.0, [18])
    assert found["refusals"] == []
    assert found["clean_seconds"] > 0
    assert found["label_seconds"] > 0


def test_what_a_run_would_refuse_of_the_corpus_is_listed(tmp_path: Path, write_shard: Any, row: Any) -> None:
    write_shard(tmp_path / "a.jsonl", [row("same", "one text"), row("same", "another text")])
    found = try_corpus(find_shards(str(tmp_path)), DocumentSettings(min_chars=2), Labelling(), 1, 5)
    (refusal,) = found["refusals"]
    assert "id 'same' has two texts" in refusal


@pytest.mark.parametrize("classifier", ["official", None])
def test_a_classifier_that_is_not_the_light_one_is_not_tried(
    tmp_path: Path, write_shard: Any, row: Any, classifier: Any
) -> None:
    write_shard(tmp_path / "a.jsonl", [row("a", "one text"), row("b", "another text")])
    settings = Labelling(classifier=classifier)
    found = try_corpus(find_shards(str(tmp_path)), DocumentSettings(min_chars=2), settings, 1, 5)
    assert found["label_seconds"] is None
    assert bool(found["refusals"]) == (classifier is None)
