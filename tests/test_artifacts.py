"""Parts are sealed when they are whole, and a seal tells damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.artifacts import (
    SEAL,
    OneByOne,
    Parts,
    Work,
    checksum,
    damage,
    join,
    leads,
    part_digest,
    part_name,
    seal,
    sealed_checksum,
    sealed_checksums,
    sealed_digest,
    sealed_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "deep/b").write_bytes(b"")
    return tmp_path


def test_parts_are_computed_when_they_are_asked_for_and_not_before(tmp_path: Path) -> None:
    order: list[str] = []
    parts = Parts({"a": "1", "b": "2"}, OneByOne({name: lambda _, n=name: order.append(n) for name in "ab"}))  # type: ignore[misc]
    steps = parts.write({"b": tmp_path, "a": tmp_path})
    assert order == []
    assert next(steps) == "b"
    assert order == ["b"]
    assert list(steps) == ["a"]


def _writing(names: str, digest: str, order: list[str], pace: float | None = None) -> Parts:
    """Return parts of one token each that note whose folder they got."""
    note = {name: lambda path, d=digest, n=name: order.append(f"{d}{n} in {path.name}") for name in names}  # type: ignore[misc]
    return Parts(
        {name: f"{digest}-{name}" for name in names},
        OneByOne(note),
        {name: Work(tokens=1) for name in names},
        (lambda: pace) if pace else None,
    )


def test_joined_artifacts_keep_their_parts_under_the_label_of_each(tmp_path: Path) -> None:
    order: list[str] = []
    parts = join({"x": _writing("ab", "1", order), "y": _writing("a", "2", order, 0.5)})
    assert parts.inputs == {"x.a": "1-a", "x.b": "1-b", "y.a": "2-a"}
    assert parts.work == dict.fromkeys(["x.a", "x.b", "y.a"], Work(tokens=1))
    assert parts.pace is not None
    assert parts.pace() == 0.5
    assert list(parts.write({name: tmp_path / f"for-{name}" for name in parts.digests})) == ["x.a", "x.b", "y.a"]
    assert order == ["1a in for-x.a", "1b in for-x.b", "2a in for-y.a"]


def test_joined_artifacts_write_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    order: list[str] = []

    def refuse(_: object) -> Iterator[str]:
        raise AssertionError("there is nothing to write")

    whole = Parts({"a": "1"}, refuse)
    parts = join({"x": _writing("ab", "1", order), "whole": whole, "y": _writing("a", "2", order)})
    assert parts.pace is None
    steps = parts.write({"y.a": tmp_path, "x.b": tmp_path})
    assert order == []
    assert next(steps) == "x.b"
    assert len(order) == 1  # what was not asked for yet is not computed
    assert list(steps) == ["y.a"]


def test_a_sealed_part_bears_its_digest_and_the_checksum_of_every_file(folder: Path) -> None:
    assert sealed_digest(folder) is None
    assert sealed_origin(folder) == (None, None)
    seal(folder, "i1", "c1")
    assert sealed_digest(folder) == part_digest("i1", "c1")
    assert sealed_origin(folder) == ("i1", "c1")
    assert sealed_checksum(folder, "deep/b") == checksum(folder / "deep/b")
    assert sealed_checksum(folder, "a") != sealed_checksum(folder, "deep/b")
    assert sealed_checksum(folder, SEAL) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\x00\xff", b"[1]", b"null", b'{"digest": 1, "files": {}}', b'{"digest": "a"}']
)
def test_a_seal_that_cannot_be_read_is_none_and_is_damage(folder: Path, content: bytes) -> None:
    seal(folder, "i1", "c1")
    (folder / SEAL).write_bytes(content)
    assert sealed_digest(folder) is None
    assert sealed_checksums(folder) is None
    assert sealed_origin(folder) == (None, None)
    assert damage(folder) == SEAL


def test_a_sound_part_has_no_damage(folder: Path) -> None:
    seal(folder, "i1", "c1")
    assert damage(folder) is None


@pytest.mark.parametrize("content", [b"contenu", b"conten", b"", b"content\0", None])
def test_any_other_content_is_damage(folder: Path, content: bytes | None) -> None:
    seal(folder, "i1", "c1")
    (folder / "a").unlink()
    if content is not None:
        (folder / "a").write_bytes(content)
    assert damage(folder) == "a"


def test_the_checksum_is_of_the_whole_file_however_it_is_read(tmp_path: Path) -> None:
    import xxhash

    content = bytes(range(256)) * (1 << 15) + b"rest"
    (tmp_path / "large").write_bytes(content)
    assert checksum(tmp_path / "large") == xxhash.xxh3_128(content).hexdigest()


def test_costs_add_up() -> None:
    assert sum([Work(1, 20, 300), Work(4, 50, 600)], Work()) == Work(5, 70, 900)


@pytest.mark.parametrize(("name", "rank", "first"), [("SLURM_NODEID", "0", True), ("SLURM_NODEID", "1", False)])
def test_the_first_of_several_nodes_leads(monkeypatch: pytest.MonkeyPatch, name: str, rank: str, first: bool) -> None:
    assert leads()
    monkeypatch.setenv(name, rank)
    assert leads() is first


@pytest.mark.parametrize("name", ["GROUP_RANK", "NODE_RANK"])
def test_the_rank_is_found_however_the_nodes_were_started(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "3")
    assert not leads()


def test_names_of_parts_differ_where_shards_do() -> None:
    names = [part_name(shard) for shard in ("a/b.jsonl", "a_b.jsonl", "x" * 300 + "/b.jsonl")]
    assert len(set(names)) == 3
    assert all(len(name) < 80 and "/" not in name and "." not in name for name in names)
