"""Dataset for corpus tables on any Ibis backend, with a preview for kedro-viz."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_datasets._typing import TablePreview

from social_provenance.datasets.identity import kept_at
from social_provenance.datasets.literal import LiteralFile
from social_provenance.errors import ArtifactError

if TYPE_CHECKING:
    import ibis.expr.types as ir

SAVE: dict[str, dict[str, Any]] = {"pyspark": {"mode": "overwrite"}, "duckdb": {"row_group_size": 16_384}}
"""Backend -> arguments for saving Parquet. Each writing thread buffers a row group in memory; DuckDB's default has
seven times as many rows, gigabytes where rows are documents."""


class TableFile(LiteralFile):
    """``ibis.FileDataset`` of a literal path, with a preview of its first rows in kedro-viz, long texts truncated.

    It saves only tables that end in ``order_by``: otherwise an engine writes rows in the order in which its threads
    finish, so that the same table has another digest each time. Order by columns that are unique together.

    Example:
        .. code-block:: yaml

            documents:
              type: social_provenance.datasets.TableFile
              filepath: data/02_intermediate/documents.parquet
              connection: {backend: duckdb}

    >>> import ibis
    >>> table = TableFile(filepath=str(tmp_path / "t.parquet"))
    >>> table.save(ibis.memtable({"doc_id": ["a"], "text": ["hello"]}).order_by("doc_id"))
    >>> table.load().count().execute()
    1
    """

    def __init__(self, **entry: Any) -> None:
        """Describe the table as ``ibis.FileDataset`` does; on Spark, too, saving overwrites."""
        self._place = str(entry["filepath"])
        backend = (entry.get("connection") or {}).get("backend", "duckdb")
        defaults = SAVE.get(backend, {}) if entry.get("file_format", "parquet") == "parquet" else {}
        super().__init__(**{**entry, "save_args": {**defaults, **(entry.get("save_args") or {})}})
        self._loaded: tuple[Any, ir.Table] | None = None

    def location(self) -> Path | str:
        return kept_at(self, self._place).location()

    def digest(self) -> str:
        return kept_at(self, self._place).digest()

    def load(self) -> ir.Table:
        """Return the table; the same object as before where the files are the same, so that it is checked once."""
        place = self.location()
        stamp = _stamp(place) if isinstance(place, Path) else None
        if self._loaded is None or stamp is None or self._loaded[0] != stamp:
            self._loaded = stamp, super().load()
        return self._loaded[1]

    def save(self, data: ir.Table) -> None:
        import ibis.expr.operations as ops

        if not isinstance(data.op(), ops.Sort):
            raise ArtifactError(
                f"the rows of {self._place} have no order, so each run would write another file: "
                f"end the node that returns the table with order_by and the columns of its key"
            )
        self._loaded = None
        super().save(data)

    def preview(self, nrows: int = 5, max_chars: int = 80) -> TablePreview:
        """Return the first ``nrows`` rows, every text truncated to ``max_chars`` characters."""
        rows = self.load().limit(nrows).to_pyarrow().to_pylist()
        columns = list(self.load().columns)

        def cut(value: Any) -> Any:
            return value[:max_chars] if isinstance(value, str) else value

        data = [[cut(row[column]) for column in columns] for row in rows]
        return TablePreview({"index": list(range(len(data))), "columns": columns, "data": data})


def _stamp(place: Path) -> list[tuple[str, int, int, int]]:
    """Return name, size, time of the last change and number of each file at a place."""
    files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    found = [(str(path), path.stat()) for path in files if path.exists()]
    return [(name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in found]
