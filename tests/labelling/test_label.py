"""Labelling shard by shard: killed runs go on, a changed shard is redone alone, nothing else matters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError

from social_provenance.datasets.parts import PartsFolder
from social_provenance.labelling import label as labelling
from social_provenance.labelling.label import (
    LABEL_COLUMNS,
    LABELS,
    LIGHT_COLUMNS,
    count_bins,
    join_labels,
    plan_labels,
    read_shards,
    shards_together,
    survey,
)
from social_provenance.labelling.settings import Labelling, Light
from social_provenance.labelling.train import plan_classifier
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from social_provenance.labelling.linear import LinearLabeller

    Make = Callable[..., pd.DataFrame]

SETTINGS = Labelling(light=Light(min_documents=1))


@pytest.fixture
def saved(labeller: LinearLabeller, tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "saved"
    folder.mkdir()
    labeller.save(folder)
    return {"linear": folder}


def label(documents: pd.DataFrame, classifier: dict[str, Path], place: Path, **settings: Any) -> pd.DataFrame:
    """Label as the pipeline does, and return the joined table."""
    folder = PartsFolder(path=str(place))
    table = ibis.memtable(documents)
    folder.save(plan_labels(table, classifier, SETTINGS.model_copy(update=settings)))
    labels = ibis.read_parquet([str(part / LABELS) for part in folder.load().values()])
    joined: pd.DataFrame = join_labels(table, labels).execute()
    return joined


def watch(monkeypatch: pytest.MonkeyPatch, fail_at: int | None = None) -> list[str]:
    """Return the list that the names of labelled shards' folders are added to."""
    seen: list[str] = []
    own = labelling._label_shard

    def run(chunks: Any, given: Any, labeller: Any, folder: Path, progress: Any) -> None:
        if len(seen) == fail_at:
            raise KeyboardInterrupt
        seen.append(folder.name.partition("-")[0])
        own(chunks, given, labeller, folder, progress)

    monkeypatch.setattr(labelling, "_label_shard", run)
    return seen


def test_every_document_is_labelled_once_and_keeps_its_place(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path
) -> None:
    documents, table = make_documents(), label(make_documents(), saved, tmp_path / "labels")
    pd.testing.assert_frame_equal(table[list(LIGHT_COLUMNS)], documents[list(LIGHT_COLUMNS)], check_dtype=False)
    for axis in ("topic", "format"):
        assert table[f"{axis}_source"].tolist() == ["given"] * 40 + ["linear"] * 20


def test_given_labels_are_kept_and_others_learned(
    saved: dict[str, Path], make_documents: Make, make_pages: Make, tmp_path: Path
) -> None:
    table, pages = label(make_documents(), saved, tmp_path / "labels"), make_pages(60)
    assert table["topic"].tolist() == pages["topic"].tolist()
    assert table["format"].tolist() == pages["format"].tolist()
    assert table["topic_confidence"][:40].tolist() == [1.0, 0.75] * 20
    assert table["format_confidence"][40:].between(0, 1).all()


def test_a_topic_that_came_alone_is_kept_and_its_format_learned(
    saved: dict[str, Path], make_documents: Make, make_pages: Make, tmp_path: Path
) -> None:
    documents, pages = make_documents(given=60), make_pages(60)
    other = {"games": "health", "health": "games"}
    documents["given_topic"] = pages["topic"].map(other)  # not what the classifier would say
    documents.loc[30:, ["given_format", "given_topic_confidence"]] = [None, 0.25]
    table = label(documents, saved, tmp_path / "labels")
    assert table["topic"].tolist() == documents["given_topic"].tolist()
    assert table["format"].tolist() == pages["format"].tolist()
    assert set(table["topic_source"]) == {"given"}
    assert table["format_source"].tolist() == ["given"] * 30 + ["linear"] * 30
    assert set(table["topic_confidence"][30:]) == {0.25}


def test_the_classifier_may_label_all(saved: dict[str, Path], make_documents: Make, tmp_path: Path) -> None:
    table = label(make_documents(given=60), saved, tmp_path / "labels", keep_given=False)
    assert set(table["topic_source"]) == set(table["format_source"]) == {"linear"}


@pytest.mark.parametrize("change", [{"batch": 1}, {"batch": 7}, {"processes": 2}], ids=str)
def test_neither_batch_nor_processes_matter(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path, change: dict[str, int]
) -> None:
    expected = label(make_documents(), saved, tmp_path / "labels")
    found = label(make_documents(), saved, tmp_path / "other", **change)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_the_order_of_documents_and_what_shard_they_are_in_do_not_matter(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path
) -> None:
    expected = label(make_documents(), saved, tmp_path / "labels")
    shuffled = make_documents(shards=7).sample(frac=1, random_state=3)
    found = label(shuffled, saved, tmp_path / "other")
    ours = list(LABEL_COLUMNS)
    pd.testing.assert_frame_equal(found[ours], expected[ours], check_exact=True)


def test_a_killed_run_goes_on_with_the_next_shard(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = label(make_documents(), saved, tmp_path / "other")
    with monkeypatch.context() as patch:
        first = watch(patch, fail_at=2)
        with pytest.raises((KeyboardInterrupt, DatasetError)):
            label(make_documents(), saved, tmp_path / "labels")
    assert first == ["part_0_jsonl", "part_1_jsonl"]
    second = watch(monkeypatch)
    pd.testing.assert_frame_equal(label(make_documents(), saved, tmp_path / "labels"), expected)
    assert second == ["part_2_jsonl"]


@pytest.mark.parametrize("column", ["text", "url", "given_topic"])
def test_a_changed_shard_is_redone_alone(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    label(make_documents(), saved, tmp_path / "labels")
    changed = make_documents()
    changed.loc[changed["doc_id"] == "d0-004", column] = {"given_topic": "Health"}.get(column, "https://chess.org")
    seen = watch(monkeypatch)
    label(changed, saved, tmp_path / "labels")
    assert seen == ["part_1_jsonl"]


def test_a_new_shard_is_labelled_alone_and_one_that_went_is_gone(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = make_documents()
    label(documents[documents["shard"] != "part/0.jsonl"], saved, tmp_path / "labels")
    seen = watch(monkeypatch)
    assert len(label(documents, saved, tmp_path / "labels")) == 60
    assert len(label(documents[documents["shard"] != "part/1.jsonl"], saved, tmp_path / "labels")) == 40
    assert seen == ["part_0_jsonl"]


def test_another_classifier_redoes_only_shards_that_it_labels(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = make_documents(given=60)
    documents.loc[documents["shard"] == "part/2.jsonl", "given_topic"] = None
    label(documents, saved, tmp_path / "labels")
    other = PartsFolder(path=str(tmp_path / "classifier"))
    other.save(plan_classifier(ibis.memtable(documents), SETTINGS))
    seen = watch(monkeypatch)
    label(documents, other.load(), tmp_path / "labels")
    assert seen == ["part_2_jsonl"]


def test_shards_are_known_by_what_labels_depend_on(make_documents: Make) -> None:
    documents = make_documents()
    known = survey(ibis.memtable(documents))
    assert [(shard.documents, shard.given) for shard in known.values()] == [(20, 14), (20, 13), (20, 13)]
    assert survey(ibis.memtable(documents.sample(frac=1, random_state=1))) == known
    assert survey(ibis.memtable(documents.assign(source="other", row=1))) == known
    nothing, empty = (documents.assign(url=url) for url in (None, ""))
    assert survey(ibis.memtable(nothing.astype({"url": "string"}))) != survey(ibis.memtable(empty))


def test_prevalence_has_every_bin_and_shares_that_sum_to_one(
    saved: dict[str, Path], make_documents: Make, tmp_path: Path
) -> None:
    labelled = label(make_documents(), saved, tmp_path / "labels")
    bins = count_bins(ibis.memtable(labelled))
    assert list(zip(bins["topic"], bins["format"], strict=True)) == list(BINS)
    assert bins["n_documents"].sum() == 60
    assert bins["share"].sum() == pytest.approx(1)
    assert (bins["n_documents"] > 0).sum() == 4


def test_a_corpus_with_all_labels_needs_no_classifier(make_documents: Make, tmp_path: Path) -> None:
    run = partial(label, make_documents(given=60), {}, tmp_path / "labels")
    assert set(run()["topic_source"]) == {"given"}


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    batch=st.integers(1, 12),
    cut=st.integers(1, 15),
    together=st.integers(1, 20),
)
@settings(max_examples=60, deadline=None)
def test_shards_are_read_whole_and_in_frames_of_one_size_however_an_engine_cuts_them(
    sizes: list[int], batch: int, cut: int, together: int
) -> None:
    rows = [(f"s{shard:02d}", row) for shard, size in enumerate(sizes) for row in range(size)]
    columns = {name: [f"{name} {shard} {row}" for shard, row in rows] for name in labelling.READ}
    columns |= {"shard": [shard for shard, _ in rows], "row": [row for _, row in rows]}
    own = pa.table(columns)
    groups = list(shards_together({f"s{shard:02d}": size for shard, size in enumerate(sizes)}, together))
    assert [shard for group in groups for shard in group] == [f"s{shard:02d}" for shard in range(len(sizes))]
    assert all(len(group) == 1 or sum(sizes[int(shard[1:])] for shard in group) <= together for group in groups)
    for group in groups:
        found = own.filter(pc.is_in(own["shard"], pa.array(group)))
        read = read_shards(Cut(found, cut), group, batch)
        for shard, (name, frames) in zip(group, read, strict=True):
            size = sizes[int(shard[1:])]
            taken = list(frames)
            assert name == shard
            assert [len(frame) for frame in taken] == [batch] * (size // batch) + [size % batch] * (size % batch > 0)
            expected = [f"doc_id {shard} {row}" for row in range(size)]
            assert [doc_id for frame in taken for doc_id in frame["doc_id"]] == expected
            assert all(list(frame.columns) == list(labelling.READ) for frame in taken)


class Cut:
    """A sorted table whose engine cuts its rows at places of its own."""

    def __init__(self, table: pa.Table, size: int) -> None:
        self._table, self._size = table, size

    def __getattr__(self, name: str) -> Any:
        return getattr(ibis.memtable(self._table), name)

    def filter(self, _: Any) -> Cut:
        return self

    def select(self, *names: str) -> Cut:
        return Cut(self._table.select(names), self._size)

    def order_by(self, *_: str) -> Cut:
        return self

    def to_pyarrow_batches(self, chunk_size: int) -> Any:
        assert chunk_size > 0
        return self._table.to_batches(max_chunksize=self._size)


def test_of_shards_in_no_order_each_has_its_own_documents(make_documents: Make) -> None:
    documents = make_documents(shards=5).sample(frac=1, random_state=1)
    table = ibis.memtable(documents)
    names = sorted(set(documents["shard"]))[1:4]
    read = {shard: pd.concat(list(frames)) for shard, frames in read_shards(table, names, 3)}
    assert list(read) == names
    for shard, frame in read.items():
        expected = documents[documents["shard"] == shard].sort_values("row")
        assert frame["doc_id"].tolist() == expected["doc_id"].tolist()
        assert frame["text"].tolist() == expected["text"].tolist()
