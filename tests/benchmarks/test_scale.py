"""What grows too fast is found, whatever it starts from, and the nodes that are named exist."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

import scale
from social_provenance.pipeline_registry import register_pipelines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZES = [1_000, 4_000, 16_000]


def taken(**nodes: Callable[[int], tuple[float, float]]) -> dict[int, dict[str, dict[str, float]]]:
    """Return what nodes took, from functions of the size to seconds and megabytes."""
    return {
        size: {
            name: dict(zip(("wall_s", "cpu_s", "mb"), (1.0, *node(size)), strict=True)) for name, node in nodes.items()
        }
        for size in SIZES
    }


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_that_power(power: float) -> None:
    assert scale.slope(SIZES, [3 * size**power for size in SIZES]) == pytest.approx(power)


def test_a_target_is_reached_along_the_line_or_the_power_of_the_two_largest_sizes() -> None:
    assert scale.reach(SIZES, [9, 8 + 4, 8 + 16], 1_000_000, bends=True) == pytest.approx(8 + 1000)
    assert scale.reach(SIZES, [1, 16, 256], 64_000, bends=True) == pytest.approx(4096)
    assert scale.reach(SIZES, [1, 16, 256], 64_000, bends=False) == pytest.approx(256 + 240 * 4)
    assert scale.reach(SIZES, [5, 7, 6], 64_000, bends=True) == 6


def test_nodes_that_grow_too_fast_are_named_and_no_others() -> None:
    found = scale.describe(
        taken(
            quadratic=lambda size: (1e-5 * size**2, 10),
            holds_all=lambda size: (0.1 * size, 0.1 * size),
            gather_scores=lambda size: (0.1 * size, 0.1 * size),  # a query of the engine, which spills
            light=lambda size: (1e-9 * size**2, 10 * size),
            clean_documents=lambda size: (0.1 * size + 3, 50),
        )
    )
    assert found["broken"] == ["quadratic: time grows with the power 2.0", "holds_all: memory would be 568.0 GB"]
    nodes = found["nodes"]
    assert [name for name, node in nodes.items() if not node["judged"]] == ["light"]
    assert nodes["clean_documents"]["cpu_h"] == pytest.approx(scale.TARGETS["corpus"] * 0.1 / 3600, rel=1e-3)
    assert nodes["holds_all"]["cpu_h"] == pytest.approx(scale.TARGETS["working_set"] * 0.1 / 3600, rel=1e-3)


def test_the_nodes_that_are_treated_differently_exist() -> None:
    every = {node.name for pipeline in register_pipelines().values() for node in pipeline.nodes}
    assert every >= scale.OF_CORPUS | scale.OF_ENGINE


def test_a_larger_corpus_has_more_shards_of_one_size_and_begins_like_a_smaller_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "PER_SHARD", 30)
    for documents in (30, 70):
        scale.write_corpus(tmp_path / str(documents), documents, 100)
    shards = sorted((tmp_path / "70").iterdir())
    read = [[json.loads(line) for line in gzip.decompress(shard.read_bytes()).splitlines()] for shard in shards]
    assert [len(rows) for rows in read] == [30, 30, 10]
    assert gzip.decompress((tmp_path / "30" / shards[0].name).read_bytes()) == gzip.decompress(shards[0].read_bytes())
    rows = [row for shard in read for row in shard]
    assert len({row["id"] for row in rows}) == 70
    assert rows[9]["text"].split()[:-1] == rows[8]["text"].split()[:-1] != rows[7]["text"].split()[:-1]
