"""Working sets: nested, seeded, and blind to everything but ids and bins."""

from __future__ import annotations

import hashlib
from typing import Any

import ibis
import pandas as pd
import pytest

from social_provenance.documents.sampling import (
    MANIFEST,
    corpus_digest,
    describe_sample,
    draw_working_set,
    list_sample,
    sample_digest,
    take_sample,
)
from social_provenance.errors import SamplingError
from social_provenance.fingerprint import digest_of

SIZES = {("games", "faq"): 7, ("games", "tutorial"): 3, ("health", "faq"): 1}


def frame(sizes: dict[tuple[str, str], int]) -> pd.DataFrame:
    rows = [(f"{topic}-{form}-{i}", topic, form) for (topic, form), size in sizes.items() for i in range(size)]
    table = pd.DataFrame(rows, columns=["doc_id", "topic", "format"])
    place = {"shard": "a.jsonl", "row": range(1, len(table) + 1), "n_chars": 9}
    return table.assign(content_hash="hash of " + table["doc_id"], **place)


def draw(labelled: pd.DataFrame, per_bin: int = 4, seed: int = 42) -> pd.DataFrame:
    documents = labelled[["doc_id"]].assign(text="Text of " + labelled["doc_id"])
    drawn: pd.DataFrame = draw_working_set(ibis.memtable(labelled), ibis.memtable(documents), per_bin, seed).execute()
    return drawn


def test_a_bin_is_in_the_order_of_the_hash_of_seed_and_id() -> None:
    drawn = draw(frame(SIZES), per_bin=7, seed=5)
    for (topic, form), size in SIZES.items():
        ids = [f"{topic}-{form}-{i}" for i in range(size)]
        expected = sorted(ids, key=lambda name: hashlib.md5(f"5:{name}".encode()).hexdigest())
        own = drawn[(drawn["topic"] == topic) & (drawn["format"] == form)].sort_values("bin_rank")
        assert own["doc_id"].tolist() == expected
        assert own["bin_rank"].tolist() == list(range(size))


def test_a_bin_gives_what_it_has_up_to_the_size_asked_for() -> None:
    counts = draw(frame(SIZES), per_bin=4).groupby(["topic", "format"]).size().to_dict()
    assert counts == {("games", "faq"): 4, ("games", "tutorial"): 3, ("health", "faq"): 1}


def test_smaller_samples_are_the_first_of_larger_ones() -> None:
    larger = draw(frame(SIZES), per_bin=6)
    for per_bin in range(1, 6):
        pd.testing.assert_frame_equal(
            draw(frame(SIZES), per_bin=per_bin), larger[larger["bin_rank"] < per_bin].reset_index(drop=True)
        )


def test_the_sample_does_not_depend_on_the_order_of_the_rows() -> None:
    shuffled = frame(SIZES).sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(draw(shuffled), draw(frame(SIZES)))


def test_the_sample_of_a_bin_does_not_depend_on_other_bins() -> None:
    alone = draw(frame({("games", "faq"): 7}))
    among = draw(frame(SIZES))
    assert (
        alone["doc_id"].tolist()
        == among[among["bin_rank"].lt(4) & among["doc_id"].str.startswith("games-faq")]["doc_id"].tolist()
    )


def test_another_seed_draws_other_documents() -> None:
    drawn = [set(draw(frame({("games", "faq"): 50}), per_bin=10, seed=seed)["doc_id"]) for seed in (1, 2)]
    assert drawn[0] != drawn[1]


def test_the_text_comes_with_its_document() -> None:
    drawn = draw(frame(SIZES))
    assert (drawn["text"] == "Text of " + drawn["doc_id"]).all()


@pytest.mark.parametrize("per_bin", [1, 3, 6])
def test_the_taken_sample_is_the_one_drawn_at_that_size(per_bin: int) -> None:
    taken = take_sample(ibis.memtable(draw(frame(SIZES), per_bin=6)), per_bin, drawn_per_bin=6).execute()
    pd.testing.assert_frame_equal(taken, draw(frame(SIZES), per_bin=per_bin))


def test_no_size_takes_the_whole_working_set() -> None:
    drawn = ibis.memtable(draw(frame(SIZES)))
    assert take_sample(drawn, None, drawn_per_bin=4).count().execute() == 8


def test_more_than_was_drawn_is_refused_with_both_sizes() -> None:
    with pytest.raises(
        SamplingError, match="asks for 5 documents per bin, but the working set was drawn with 4: lower it"
    ):
        take_sample(ibis.memtable(draw(frame(SIZES))), 5, drawn_per_bin=4)


def describe(sample: pd.DataFrame, corpus: pd.DataFrame, per_bin: int = 4, least: int = 0) -> dict[str, Any]:
    return describe_sample(ibis.memtable(sample), ibis.memtable(corpus), per_bin, 42, least)


def test_the_contract_counts_every_bin_once() -> None:
    contract = describe(draw(frame(SIZES), per_bin=3), frame(SIZES), 3, least=7)
    assert contract["documents"] == 7
    assert contract["full_bins"] == 2
    assert contract["short_bins"] == {"health/faq": 1}
    assert contract["empty_bins"] == 576 - 3
    assert (contract["seed"], contract["per_bin"], contract["corpus_documents"]) == (42, 3, 11)


def test_fewer_documents_than_asked_is_refused_with_the_counts() -> None:
    message = "the working set has 8 documents, working_set.min_documents requires 9: give more documents"
    with pytest.raises(SamplingError, match=message):
        describe(draw(frame(SIZES)), frame(SIZES), least=9)


def test_the_manifest_has_what_identifies_each_document_and_no_text() -> None:
    listed = list_sample(ibis.memtable(draw(frame(SIZES)))).execute()
    assert tuple(listed.columns) == MANIFEST
    assert len(listed) == 8


CHANGES = {
    "order": lambda rows: rows[::-1],
    "fewer": lambda rows: rows[1:],
    "other text": lambda rows: rows.assign(content_hash=["other", *rows["content_hash"][1:]]),
    "other label": lambda rows: rows.assign(format=["tutorial", *rows["format"][1:]]),
    "other id": lambda rows: rows.assign(doc_id=["other", *rows["doc_id"][1:]]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_digests_tell_ids_texts_and_labels_and_not_the_order(change: str) -> None:
    rows = frame({("games", "faq"): 7, ("health", "faq"): 2})
    changed = CHANGES[change](rows)
    same = change == "order"
    assert (sample_digest(rows) == sample_digest(changed)) is same
    assert (corpus_digest(ibis.memtable(rows)) == corpus_digest(ibis.memtable(changed))) is same


def test_the_corpus_digest_sums_words_of_md5() -> None:
    rows = frame({("games", "faq"): 3})
    told = ["\x1f".join((one.doc_id, one.content_hash, one.topic, one.format)) for one in rows.itertuples()]
    hashes = [hashlib.md5(text.encode()).hexdigest() for text in told]
    words = [str(sum(int(one[start : start + 7], 16) for one in hashes)) for start in (0, 7, 14)]
    assert corpus_digest(ibis.memtable(rows)) == digest_of(3, *words)
