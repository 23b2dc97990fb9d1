"""A corpus as a folder of shards."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets.ibis import FileDataset

from social_provenance.datasets.folders import replacing
from social_provenance.documents.shards import FIELDS, Shard, find_shards, write_shards
from social_provenance.errors import CorpusError

JSON_READER: dict[str, Any] = {
    "columns": {"json": "JSON"},
    "records": "false",
    "format": "newline_delimited",
    "ignore_errors": True,
    "maximum_object_size": 1 << 26,
}
MARK = "made-by-miniature.txt"


class ShardFolder(AbstractDataset[list[dict[str, Any]], list[Shard]]):
    """Shards of a corpus: JSON lines (plain, .gz, .zst) or Parquet, below a folder.

    Loading returns the shards, each to be opened as an Ibis table; saving (rows of JSON records)
    writes zstd-compressed JSON lines, and only ever into a folder that an earlier save made.

    Example:
        .. code-block:: yaml

            raw_documents:
              type: social_provenance.datasets.ShardFolder
              path: data/01_raw/corpus
              fields: {doc_id: id, text: content, url: meta.url}
              connection: {backend: duckdb}

    >>> folder = ShardFolder(path=str(tmp_path / "corpus"), shards=2)
    >>> folder.save([{"id": "a", "text": "one"}, {"id": "b", "text": "two"}])
    >>> [shard.name for shard in folder.load()]
    ['shard-00.jsonl.zst', 'shard-01.jsonl.zst']
    """

    def __init__(
        self,
        *,
        path: str,
        fields: dict[str, str] | None = None,
        connection: dict[str, Any] | None = None,
        shards: int = 4,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the folder.

        Args:
            path: Folder (or single file) of shards.
            fields: Where shards keep each field, over the Dolma places in ``FIELDS``.
            connection: Ibis backend that reads the shards; the one of the tables made from them.
            shards: Files to write on save.
            metadata: For kedro-viz.

        Raises:
            CorpusError: If ``fields`` names a field that documents do not have.
        """
        unknown = set(fields or {}) - set(FIELDS)
        if unknown:
            raise CorpusError(f"raw_documents.fields: unknown field {min(unknown)!r}; fields are {', '.join(FIELDS)}")
        self._path = Path(path)
        self.fields = FIELDS | (fields or {})
        self._connection = connection
        self._shards = shards
        self.metadata = metadata

    def load(self) -> list[Shard]:
        base = self._path if self._path.is_dir() else self._path.parent
        return [
            Shard(path.relative_to(base).as_posix(), path, partial(self._open, path), self.fields)
            for path in find_shards(self._path)
        ]

    def save(self, data: list[dict[str, Any]]) -> None:
        if self._path.exists() and not (self._path / MARK).exists():
            raise CorpusError(
                f"{self._path} is not a folder that the miniature pipeline made, so it is left alone: "
                f"for a corpus of your own run --pipelines pretraining,provenance"
            )
        with replacing(self._path) as draft:
            write_shards(draft, data, self._shards)
            (draft / MARK).write_text(
                "Documents of a miniature world; the miniature pipeline writes this folder anew.\n"
            )

    def _open(self, path: Path) -> Any:
        parquet = path.suffix == ".parquet"
        reader = FileDataset(
            filepath=str(path),
            file_format="parquet" if parquet else "json",
            connection=self._connection,
            load_args={} if parquet else JSON_READER,
        )
        return reader.load()

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "fields": self.fields}
