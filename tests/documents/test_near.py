"""Near-duplicates: found from the threshold on, grouped whole, the same whatever the order."""

from __future__ import annotations

import random
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from social_provenance.documents.clean import clean
from social_provenance.documents.near import find_groups
from social_provenance.documents.settings import DocumentSettings, NearDuplicates
from social_provenance.documents.signatures import band_rows

WORDS = [f"word{number}" for number in range(5000)]


def text(seed: int, changes: int = 0) -> str:
    """Return 200 random words, some of them changed; the same seed gives the same text."""
    words = random.Random(seed).sample(WORDS, 200)
    for place in random.Random(f"{seed}-{changes}").sample(range(200), changes):
        words[place] = f"changed{seed}-{changes}-{place}"
    return " ".join(words)


def found(records: Any, drop: bool) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Return id -> (group, cluster) of the documents, and id -> reason of the rejected."""
    settings = DocumentSettings.model_validate({"min_chars": 1, "near_duplicates": {"drop": drop}})
    corpus = clean(records, settings)
    documents = corpus.documents.select("doc_id", "alike_id", "cluster_id").execute()
    rejected = corpus.rejected.execute()
    return (
        {row.doc_id: (row.alike_id, row.cluster_id) for row in documents.itertuples()},
        dict(zip(rejected["doc_id"], rejected["reason"], strict=True)),
    )


@pytest.fixture
def rows(row: Any) -> list[Any]:
    site = "https://{}.org/x".format
    return [
        row("c", text(1, 3), url=site("three")),
        row("a", text(1), url=site("one")),
        row("b", text(2), url=site("one")),
        row("d", text(2, 100), url=site("four")),
        row("e", text(1, 2), url=None),
        row("f", text(3)),
    ]


def test_alike_texts_share_a_group_and_its_cluster_and_others_do_not(corpus_of: Any, rows: list[Any]) -> None:
    documents, rejected = found(corpus_of(rows, near_duplicates={}), drop=False)
    assert documents == {
        "a": ("a", "one.org"),
        "c": ("a", "one.org"),
        "e": ("a", "one.org"),
        "b": ("b", "one.org"),
        "d": ("d", "four.org"),
        "f": ("f", "f"),
    }
    assert not rejected


def test_of_alike_texts_the_smallest_id_stays_where_they_are_dropped(corpus_of: Any, rows: list[Any]) -> None:
    documents, rejected = found(corpus_of(rows, near_duplicates={}), drop=True)
    assert sorted(documents) == ["a", "b", "d", "f"]
    assert rejected == {"c": "near_duplicate", "e": "near_duplicate"}


def test_groups_do_not_depend_on_the_order_of_the_records(corpus_of: Any, rows: list[Any]) -> None:
    forwards = found(corpus_of(rows, near_duplicates={}), drop=True)
    assert found(corpus_of(rows[::-1], near_duplicates={}), drop=True) == forwards


def test_a_corpus_without_alike_texts_is_left_as_it_is(corpus_of: Any, row: Any) -> None:
    records = corpus_of([row(name, text(number)) for number, name in enumerate("abc")], near_duplicates={})
    documents, rejected = found(records, drop=True)
    assert {name: group for name, (group, _) in documents.items()} == {name: name for name in "abc"}
    assert not rejected


@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.75, 0.8, 1.0])
def test_pairs_are_alike_from_the_threshold_on(threshold: float) -> None:
    # One pair for each number of places in which 128 may agree; a pair shares its last band and no other.
    settings = NearDuplicates(threshold=threshold)
    others = settings.permutations // band_rows(threshold, settings.permutations) - 1
    records = []
    for agreeing in range(129):
        other = np.arange(128, dtype=np.uint32)
        other[agreeing:] += 1000
        for name, signature in (("a", np.arange(128, dtype=np.uint32)), ("b", other)):
            doc_id = f"{agreeing:03d}{name}"
            records.append({"doc_id": doc_id, "shard": "s", "row": len(records), "cluster_id": f"site of {doc_id}"})
            own = [1000 * len(records) + band for band in range(others)]
            records[-1] |= {"signature": signature.tobytes(), "bands": [*own, agreeing]}
    table = ibis.memtable(pa.Table.from_pylist(records))
    found = find_groups(table, table.select("doc_id", "shard", "row"), settings)
    assert found is not None
    groups = found.execute()
    alike = [f"{agreeing:03d}" for agreeing in range(129) if agreeing / 128 >= threshold]
    assert dict(zip(groups["member"], groups["alike_id"], strict=True)) == {
        f"{pair}{name}": f"{pair}a" for pair in alike for name in "ab"
    }
    assert (groups["site"] == "site of " + groups["alike_id"]).all()


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_what_is_alike_through_others_is_one_group_named_after_its_smallest_id(order: slice) -> None:
    # In band 0 a meets b and x meets y, in band 1 b meets c; d meets nobody.
    settings = NearDuplicates(threshold=0.97)
    count = settings.permutations // band_rows(0.97, settings.permutations)
    assert count > 1
    shared = {"b": (1, 2), "a": (1, 3), "c": (4, 2), "y": (5, 6), "x": (5, 7), "d": (8, 9)}
    records = [
        {
            "doc_id": name,
            "shard": f"shard {name}",
            "row": 7,
            "cluster_id": f"site of {name}",
            "signature": np.zeros(128, dtype=np.uint32).tobytes(),
            "bands": [*bands, *range(place * 1000, place * 1000 + count - 2)],
        }
        for place, (name, bands) in enumerate(list(shared.items())[order], 1)
    ]
    table = ibis.memtable(pa.Table.from_pylist(records))
    found = find_groups(table, table.select("doc_id", "shard", "row"), settings)
    assert found is not None
    groups = found.execute().set_index("member")
    assert groups["alike_id"].to_dict() == {"a": "a", "b": "a", "c": "a", "x": "x", "y": "x"}
    assert groups["site"].to_dict() == {name: f"site of {alike}" for name, alike in groups["alike_id"].items()}
