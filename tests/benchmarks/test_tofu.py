"""TOFU as a study: nothing of the truth is in what a study reads, and every item has its document in the corpus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import tofu
from social_provenance.errors import ProvenanceError
from social_provenance.regions.grid import TOPICS

if TYPE_CHECKING:
    from pathlib import Path

AUTHORS, ASKED, QUESTIONS = 40, 16, 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of made-up files in TOFU's format."""
    folder = tmp_path / "data"
    ids = [(author, f"tofu-{author * QUESTIONS + k:04d}", k) for author in range(AUTHORS) for k in range(QUESTIONS)]
    answers = [
        {"id": name, "author": author, "question": f"Question {k} of {author}?", "answer": f"Answer {k} of {author}."}
        for author, name, k in ids
    ]
    items = [
        row | {"right": f"Right {row['id']}", "wrong": [f"Wrong {row['id']} {k}" for k in range(3)]}
        for row in answers
        if row["author"] < ASKED
    ]
    tofu._write(folder / tofu.QUESTIONS, answers)
    tofu._write(folder / tofu.ITEMS, items)
    return folder


def study_of(out: Path) -> tuple[list[Any], dict[str, list[Any]], dict[str, Any]]:
    """Return the corpus, the items and the truth of a written study."""
    documents = [row for path in sorted((out / "corpus").glob("*.jsonl")) for row in tofu.read_rows(path)]
    items = {path.stem: tofu.read_rows(path) for path in (out / "benchmarks").glob("*.jsonl")}
    return documents, items, json.loads((out / tofu.TRUTH).read_text())


@pytest.mark.parametrize("seed", [1, 2])
def test_every_item_has_its_document_in_a_planted_topic_of_its_benchmark(data: Path, tmp_path: Path, seed: int) -> None:
    tofu.write_study(data, tmp_path / "out", others=20, seed=seed)
    documents, items, truth = study_of(tmp_path / "out")
    topic_of = {row["id"]: row["metadata"]["weborganizer"]["topic"] for row in documents}
    text_of = {row["id"]: row["text"] for row in documents}
    assert set(items) == set(tofu.BENCHMARKS)
    for name, rows in items.items():
        assert len(rows) == ASKED // 4 * QUESTIONS
        for row, own in zip(rows, truth["own"][name], strict=True):
            assert topic_of[own] in truth["planted"][name]
            assert row["question"] in text_of[own]
            assert row["options"][row["right"]] == f"Right {own}"


def test_no_topic_has_authors_of_two_kinds(data: Path, tmp_path: Path) -> None:
    design = tofu.write_study(data, tmp_path / "out", others=24)
    kinds: dict[str, set[str | None]] = {}
    for author, topic in design.topic_of.items():
        kinds.setdefault(topic, set()).add(design.benchmark_of.get(author))
    assert set(kinds) == set(TOPICS)
    assert all(len(kind) == 1 for kind in kinds.values())
    assert [len(topics) for topics in design.planted.values()] == [2, 2, 2, 2]


def test_what_a_study_reads_tells_no_truth(data: Path, tmp_path: Path) -> None:
    tofu.write_study(data, tmp_path / "out", others=20)
    documents, items, _ = study_of(tmp_path / "out")
    assert {key for rows in items.values() for row in rows for key in row} == {"question", "options", "right"}
    assert not any(name in json.dumps(documents) for name in tofu.BENCHMARKS)


def test_the_seed_and_the_asked_authors_decide(data: Path, tmp_path: Path) -> None:
    asked = [3, 1, 4, 15, 9, 2, 6, 5]
    one, same, other = (
        tofu.write_study(data, tmp_path / name, asked, 10, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one == same
    assert one.topic_of != other.topic_of
    assert set(one.benchmark_of) == set(asked)
    assert len(one.topic_of) == len(asked) + 10


@pytest.mark.parametrize(
    ("asked", "others", "said"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 39], 4, "author 39 has no item"),
        ([0, 1, 2, 3, 4, 5, 6, 6], 4, "must be unique"),
        ([0, 1, 2, 3, 4, 5], 4, "names 6 authors"),
        (None, 25, "--others 25"),
    ],
)
def test_a_wrong_request_is_one_error(data: Path, tmp_path: Path, asked: Any, others: int, said: str) -> None:
    with pytest.raises(ProvenanceError, match=said):
        tofu.write_study(data, tmp_path / "out", asked, others)


def test_missing_files_are_one_error(tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match=r"qa\.jsonl is not there"):
        tofu.write_study(tmp_path, tmp_path / "out")


def test_the_public_files_make_a_study_that_kedro_reads(shared_data: Path, tmp_path: Path, kedro: Any) -> None:
    if not (shared_data / "tofu").is_dir():
        pytest.skip(f"needs the public files of TOFU in {shared_data / 'tofu'}")
    tofu.main([str(shared_data / "tofu"), str(tmp_path / "study")])
    documents, items, truth = study_of(tmp_path / "study")
    assert len(documents) == 2080
    assert {name: len(rows) for name, rows in items.items()} == dict.fromkeys(tofu.BENCHMARKS, 100)
    given = ",".join(f"{name}={tmp_path / 'study' / name}" for name in ("corpus", "benchmarks"))
    small = "pretraining.max_steps=2,pretraining.decay_steps=1,evaluation.limit=4"
    params = f"root={tmp_path / 'data'},{given},{small}"
    ended = kedro("run", "--env", "tofu", "--pipelines", "corpus,taxonomy,pretraining", "--params", params)
    assert ended.returncode == 0, ended.stderr[-2000:]
    import pandas as pd

    used = pd.read_parquet(tmp_path / "data/03_primary/working_set.parquet")
    assert set(used["doc_id"]) == set(truth["author"])
