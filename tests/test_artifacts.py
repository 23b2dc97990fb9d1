"""Parts are sealed when they are whole, and a seal tells damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.artifacts import (
    SEAL,
    Parts,
    Work,
    checksum,
    damage,
    leads,
    one_by_one,
    seal,
    sealed_checksum,
    sealed_digest,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "deep/b").write_bytes(b"")
    return tmp_path


def test_parts_are_computed_when_they_are_asked_for_and_not_before(tmp_path: Path) -> None:
    order: list[str] = []
    parts = Parts({"a": "1", "b": "2"}, one_by_one({name: lambda _, n=name: order.append(n) for name in "ab"}))  # type: ignore[misc]
    steps = parts.write({"b": tmp_path, "a": tmp_path})
    assert order == []
    assert next(steps) == "b"
    assert order == ["b"]
    assert list(steps) == ["a"]


def test_a_sealed_part_bears_its_digest_and_the_checksum_of_every_file(folder: Path) -> None:
    assert sealed_digest(folder) is None
    seal(folder, "d1")
    assert sealed_digest(folder) == "d1"
    assert sealed_checksum(folder, "deep/b") == checksum(folder / "deep/b")
    assert sealed_checksum(folder, "a") != sealed_checksum(folder, "deep/b")
    with pytest.raises(KeyError):
        sealed_checksum(folder, SEAL)


def test_a_sound_part_has_no_damage(folder: Path) -> None:
    seal(folder, "d1")
    assert damage(folder) is None


@pytest.mark.parametrize("content", [b"contenu", b"conten", b"", b"content\0", None])
def test_any_other_content_is_damage(folder: Path, content: bytes | None) -> None:
    seal(folder, "d1")
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
