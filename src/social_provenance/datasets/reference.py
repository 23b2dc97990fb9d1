"""Dataset for a folder of published bin tables."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from social_provenance.datasets.identity import content_digest
from social_provenance.errors import ReferenceFileError, excerpt, repeated
from social_provenance.lineage import ABSENT


class ReferenceFolder(AbstractDataset[None, dict[Path, Any] | None]):
    r"""Published bin tables, one CSV file per benchmark; None without a folder.

    Loading returns path -> table with the raw cells as text, which the reader of the tables validates.
    Nothing is ever saved.

    Example:
        .. code-block:: yaml

            reference_files:
              type: social_provenance.datasets.ReferenceFolder
              path: /path/to/bins

    >>> _ = (tmp_path / "quiz.csv").write_text("topic_label,zscore\ngames,0.5\n")
    >>> ((path, table),) = ReferenceFolder(path=str(tmp_path)).load().items()
    >>> path.stem, table.to_dict("records")
    ('quiz', [{'topic_label': 'games', 'zscore': '0.5'}])
    >>> ReferenceFolder().load() is None
    True
    """

    def __init__(self, *, path: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Describe the folder; without ``path`` there is no reference."""
        self._path = Path(path) if path else None
        self.metadata = metadata

    def load(self) -> dict[Path, Any] | None:
        if self._path is None:
            return None
        files = sorted(self._path.glob("*.csv"))
        if not files:
            raise ReferenceFileError(
                f"there is no reference at {self._path}: give a folder of CSV files, one for each benchmark, with "
                f"--params reference=DIR"
            )
        return {path: _read(path) for path in files}

    def save(self, data: None) -> None:
        del data
        raise ReferenceFileError(f"{self._path} is a published reference and is not written: leave its node out")

    def location(self) -> Path | None:
        return self._path

    def digest(self) -> str:
        return content_digest(self._path) if self._path else ABSENT

    def _exists(self) -> bool:
        return self._path is not None and self._path.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path) if self._path else None}


def _read(path: Path) -> Any:
    """Read a CSV file with the standard library: pandas truncates a row with extra cells, or shifts it by one."""
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except (ValueError, csv.Error) as error:
        raise ReferenceFileError(f"{path} cannot be read as CSV ({error}): fix it, or fetch it again") from error
    if not rows:
        raise ReferenceFileError(f"{path} is empty: fetch it again, or take it out of the folder")
    header, *cells = rows
    if twice := repeated(header):
        raise ReferenceFileError(f"{path}: two columns are named {twice[0]!r}: leave one of them out")
    for line, row in enumerate(cells, start=2):
        if len(row) != len(header):
            raise ReferenceFileError(
                f"{path}, line {line} has {len(row)} cells and the header has {len(header)} "
                f"({excerpt(','.join(row))}): fix that line, or fetch the file again"
            )
    return pd.DataFrame(cells, columns=header, dtype=str)
