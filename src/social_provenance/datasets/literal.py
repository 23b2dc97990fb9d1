"""Table files whose paths are literal: engines read by pattern and would apply it to the folders above."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_datasets.ibis import FileDataset

from social_provenance.errors import ArtifactError
from social_provenance.fingerprint import digest_of
from social_provenance.paths import hadoop_literal, is_wild, literal, table_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

LOAD: dict[str, dict[str, Any]] = {"duckdb": {"hive_partitioning": False}}
"""Backend -> arguments for loading Parquet: a folder ``run=1`` is a name and adds no column ``run``."""


QUOTES = frozenset("\\'\"")


def read_parquet(engine: Any, files: Sequence[str]) -> ir.Table:
    """Read Parquet files as one table on an Ibis backend, each path as it is written."""
    if engine.name == "pyspark":  # Ibis gives its reader one path only
        view = f"parquet_{digest_of(list(files))}"
        engine._session.read.parquet(*map(hadoop_literal, files)).createOrReplaceTempView(view)
        return engine.table(view)
    return engine.read_parquet([_escape(file) for file in files], **LOAD.get(engine.name, {}))


class LiteralFile(FileDataset):  # type: ignore[misc]
    """``ibis.FileDataset`` whose path is literal; only steps that are ``*`` or ``**`` are wildcards.

    >>> import ibis
    >>> for name in ("run1", "run[1]"):
    ...     LiteralFile(filepath=str(tmp_path / name / "t.parquet")).save(ibis.memtable({"name": [name]}))
    >>> LiteralFile(filepath=str(tmp_path / "run[1]" / "t.parquet")).load().execute()["name"].tolist()
    ['run[1]']
    """

    def load(self) -> ir.Table:
        if self._fs_prefix:  # an object store, whose keys the engine asks for itself
            return super().load()
        path = str(self._get_load_path())
        engine = self.connection
        options = LOAD.get(engine.name, {}) if self._file_format == "parquet" else {}
        reader = getattr(engine, f"read_{self._file_format}")
        pattern = table_pattern(path, hadoop_literal if engine.name == "pyspark" else _escape)
        return reader(pattern, table_name=self._table_name, **(options | self._load_args))

    def save(self, data: ir.Table) -> None:
        path = str(self._get_save_path())
        if self._fs_prefix or (path.isprintable() and not QUOTES & set(path)):
            super().save(data)
            return
        # Ibis writes a path into its query as Python would show it, which escapes such characters.
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "table"
            getattr(self.connection, f"to_{self._file_format}")(data, str(plain), **self._save_args)
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(plain, path)


def _escape(path: Path | str) -> str:
    """Return the pattern that matches this path alone.

    Raises:
        ArtifactError: If there is none: DuckDB takes a backslash in a pattern for a separator of folders.
    """
    if "\\" in str(path) and is_wild(str(path)):
        raise ArtifactError(f"{path} has a backslash and a wildcard (*, ? or [), which DuckDB cannot read: rename it")
    return literal(path) if is_wild(str(path)) else str(path)
