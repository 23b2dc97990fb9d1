"""Artifacts in parts, each finished or not there, so that a killed run goes on where it stopped."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from social_provenance.artifacts import Part
from social_provenance.datasets.folders import DRAFT, replacing

logger = logging.getLogger(__name__)

DONE = "done.json"


class PartsFolder(AbstractDataset[dict[str, Part], dict[str, Path]]):
    """A folder with one folder a part: gradient stores, unlearning runs.

    Saving computes each :class:`~social_provenance.artifacts.Part` whose digest is not done yet,
    one after the other, and removes parts that are no longer asked for. Loading returns the folder
    of each part.

    Example:
        .. code-block:: yaml

            corpus_gradients:
              type: social_provenance.datasets.PartsFolder
              path: data/04_feature/corpus_gradients

    >>> folder = PartsFolder(path=str(tmp_path / "parts"))
    >>> folder.save({"a": Part("1", lambda path: (path / "x").write_text("hello"))})
    >>> (folder.load()["a"] / "x").read_text()
    'hello'
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        """Describe the folder."""
        self._path = Path(path)
        self.metadata = metadata

    def save(self, data: dict[str, Part]) -> None:
        for stale in self._folders():
            if stale.name not in data:
                shutil.rmtree(stale)
        waiting = {name: part for name, part in data.items() if self._digest(name) != part.digest}
        if len(waiting) < len(data):
            logger.info("%s: %d of %d parts are there already", self._path.name, len(data) - len(waiting), len(data))
        for name, part in waiting.items():
            with replacing(self._path / name) as draft:
                part.write(draft)
                (draft / DONE).write_text(json.dumps({"digest": part.digest}))

    def load(self) -> dict[str, Path]:
        whole = [folder for folder in self._folders() if folder.suffix != DRAFT and (folder / DONE).exists()]
        return {folder.name: folder for folder in whole}

    def _folders(self) -> list[Path]:
        return sorted(p for p in self._path.iterdir() if p.is_dir()) if self._path.exists() else []

    def _digest(self, name: str) -> str | None:
        mark = self._path / name / DONE
        return str(json.loads(mark.read_text())["digest"]) if mark.exists() else None

    def _exists(self) -> bool:
        return bool(self.load())

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
