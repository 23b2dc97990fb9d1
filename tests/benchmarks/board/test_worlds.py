"""Worlds: named by their data, with a role of every topic for every benchmark."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from board.worlds import parse_world, read_miniature, read_tofu
from social_provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", ["miniature", "miniature:x", "tofu:", "tofu:/nowhere", "pages:1", ""])
def test_what_is_no_world_is_refused(text: str) -> None:
    with pytest.raises(ProvenanceError, match="is no world"):
        parse_world(text)


def test_worlds_of_other_seeds_have_other_names_and_parameters() -> None:
    one, other = parse_world("miniature:51"), parse_world("miniature:52", "test")
    assert (one.name, one.environment, one.params) == ("miniature-51", "base", {"miniature": {"seed": 51}})
    assert (other.name, other.environment) == ("miniature-52", "test")


def test_tofu_is_identified_by_the_content_of_its_folder(tmp_path: Path) -> None:
    record = {"planted": {"a": ["x", "y"]}, "author": {"d": 3}, "own": {"a": ["d"]}}
    (tmp_path / "truth.json").write_text(json.dumps(record))
    before = parse_world(f"tofu:{tmp_path}")
    assert before.truth(tmp_path / "elsewhere") == read_tofu(record)
    identity = before.identity()
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.jsonl").write_text("{}")
    assert before.identity() != identity


def test_roles_belong_to_a_benchmark() -> None:
    table = pd.DataFrame(
        {
            "topic": ["x", "x", "y", "z"],
            "planted": ["a", "a", None, None],
            "decoy": [None, None, "a", None],
        }
    )
    truth = read_miniature(table)
    assert [truth.role("a", topic) for topic in "xyz"] == ["planted", "decoy", "other"]
    assert [truth.role("b", topic) for topic in "xyz"] == ["other", "other", "other"]
    assert truth.together() == {("planted", "a"): ("x",), ("decoy", "a"): ("y",)}
    assert read_miniature(table.drop(columns="decoy")).decoys == {}
