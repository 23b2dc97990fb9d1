"""Dataset for a folder of benchmark items and task definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from social_provenance.datasets.folders import replacing
from social_provenance.datasets.identity import content_digest
from social_provenance.errors import BenchmarkError

MARK = "made-by-miniature.txt"


class BenchmarkFolder(AbstractDataset[dict[str, Any], Path]):
    """Items as JSON lines, beside your own lm-eval task definitions (YAML).

    Loading returns the path of the folder; its files are read where they are needed. Saving ``{"items":
    {name: rows}, "task": settings}`` writes ``<name>.jsonl`` and a complete lm-eval task
    ``<name>.yaml``, so that ``lm_eval --include_path .`` runs them too, from within the folder: the file of
    items is named relative to it, because the folder may move. Saving only ever replaces a folder that an
    earlier save made.

    Example:
        .. code-block:: yaml

            benchmark_items:
              type: social_provenance.datasets.BenchmarkFolder
              path: data/01_raw/benchmarks

    >>> folder = BenchmarkFolder(path=str(tmp_path / "items"))
    >>> folder.save({"items": {"quiz": [{"prompt": "2 + 2 ="}]}, "task": {}})
    >>> sorted(file.name for file in folder.load().glob("quiz*"))
    ['quiz.jsonl', 'quiz.yaml']
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        """Describe the folder."""
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> Path:
        # A folder that is not there is no error yet: benchmarks may all have their data on the hub.
        return self._path.resolve()

    def save(self, data: dict[str, Any]) -> None:
        import yaml

        if self._path.exists() and not (self._path / MARK).exists():
            raise BenchmarkError(
                f"{self._path} is not a folder that the miniature pipeline made, so it is not overwritten: "
                f"for your own benchmarks, run --pipelines pretraining,provenance"
            )
        with replacing(self._path) as draft:
            for name, rows in data["items"].items():
                lines = (json.dumps(row, ensure_ascii=False) for row in rows)
                (draft / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
                files = {"test": f"{name}.jsonl"}
                task = {"task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": files}, **data["task"]}
                (draft / f"{name}.yaml").write_text(yaml.safe_dump(task, sort_keys=False), encoding="utf-8")
            (draft / MARK).write_text(
                "Benchmarks of a miniature world; the miniature pipeline overwrites this folder.\n"
            )

    def location(self) -> Path:
        return self._path

    def digest(self) -> str:
        return content_digest(self._path)

    def _exists(self) -> bool:
        return self._path.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
