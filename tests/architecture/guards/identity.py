"""Identity: every dataset of the catalog is identified by its content, wherever that is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DatasetError

from guards.project import load_config
from social_provenance.artifacts import OneByOne, Parts
from social_provenance.datasets.identity import identity_of
from social_provenance.lineage import ABSENT, UnknownContentError

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS = ("corpus", "benchmarks", "model", "query_model", "reference")
"""Runtime parameters that are places of the user's data."""

FILES = ("a.jsonl", "b.csv", "c/config.json")
"""Files of a folder, among which every class of the catalog finds some that it reads."""


def identities_of_paths(conf: Path, env: str, root: Path) -> list[str]:
    """Find datasets whose digest is that of a place: one that stays when their files change, or goes when they move.

    Args:
        conf: Folder of the configuration.
        env: Environment.
        root: Empty folder, in which data are planted.
    """
    here, there = root / "here", root / "there"
    found = []
    entries, entries_there = _entries(conf, env, here), _entries(conf, env, there)
    for name, entry in entries.items():
        shutil.rmtree(root, ignore_errors=True)
        dataset = AbstractDataset.from_config(name, _plain(entry))
        moved = AbstractDataset.from_config(name, _plain(entries_there[name]))
        found += [f"{name}: {problem}" for problem in _problems(dataset, moved, here, there)]
    return found


def _problems(dataset: Any, moved: Any, here: Path, there: Path) -> Iterator[str]:
    identity, other = identity_of(dataset), identity_of(moved)
    if identity is None or other is None or not isinstance(identity.location(), Path):
        return
    _plant(dataset, Path(str(identity.location())))
    try:
        before = identity.digest()
    except UnknownContentError as reason:
        yield f"its content is unknown ({reason})"
        return
    if before == ABSENT:
        yield "its digest is that of nothing, though its files are there"
        return
    changed = [path for path in sorted(here.rglob("*")) if path.is_file() and _matters(identity, path, before)]
    if not changed:
        yield "its digest stays when its files change"
    here.rename(there)
    if other.digest() != before:
        yield "its digest changes when its files move"


def _plant(dataset: Any, place: Path) -> None:
    """Put content where a dataset has its own: parts, a file, or a folder of files."""
    parts = Parts({"x": "1"}, OneByOne({"x": lambda folder: _write(folder / "labels.parquet")}))
    try:
        if hasattr(dataset, "accepted"):
            dataset.save(parts)
            return
    except (DatasetError, AttributeError):  # not of parts: what it wraps may be
        pass
    if place.suffix:
        _write(place)
    else:
        for name in FILES:
            _write(place / name)


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"id": "a", "text": "one"}\n')


def _matters(identity: Any, path: Path, before: str) -> bool:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"one", b"two"))
    try:
        return bool(identity.digest() != before)
    finally:
        path.write_bytes(content)


def _entries(conf: Path, env: str, root: Path) -> dict[str, dict[str, Any]]:
    places = {"root": str(root), **{name: str(root / "inputs" / name) for name in INPUTS}}
    catalog = load_config(conf, env, "catalog", places)
    return {name.replace("{", "").replace("}", ""): entry for name, entry in catalog.items()}


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "validator"}
