"""Dataset for a table in parts: written shard by shard, in parallel where it can be, and read as one table."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset
from kedro_datasets.ibis import FileDataset

from social_provenance.artifacts import Parts
from social_provenance.datasets.literal import read_parquet
from social_provenance.datasets.parts import PartsFolder
from social_provenance.datasets.spread import spread_over
from social_provenance.documents.records import RECORDS, ReadShards
from social_provenance.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir


class RecordFolder(AbstractDataset[Parts, Any]):
    """A table with a part for each shard: a :class:`PartsFolder` that reads as one Ibis table.

    Saving computes only the parts of new and changed shards. Records are read in as many processes as the engine
    has threads, or in Spark's Python workers. So a killed run resumes with the next shard.

    The current parts are read, in the order of their list, not whatever files are in the folder: so what is loaded
    is what :meth:`digest` identifies.

    Example:
        .. code-block:: yaml

            records:
              type: social_provenance.datasets.RecordFolder
              path: data/02_intermediate/records
              connection: {backend: duckdb, threads: 2}

    >>> from social_provenance.documents.records import plan_records
    >>> from social_provenance.documents.settings import DocumentSettings
    >>> from social_provenance.documents.shards import find_shards
    >>> _ = (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "one"}')
    >>> folder = RecordFolder(path=str(tmp_path / "records"))
    >>> folder.save(plan_records(find_shards(str(tmp_path / "a.jsonl")), DocumentSettings(min_chars=1)))
    >>> folder.load().text.execute().tolist()
    ['one']
    """

    def __init__(
        self,
        *,
        path: str,
        file: str = RECORDS,
        connection: dict[str, Any] | None = None,
        accept: str | Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the folder.

        Args:
            path: Folder, with one folder per shard.
            file: Name of the Parquet file in each of them.
            connection: Ibis backend that reads the records as a table.
            accept: Digests of earlier code whose parts are kept; see :class:`PartsFolder`.
            metadata: For kedro-viz.
        """
        self._path = Path(path)
        self._file = file
        self._parts = PartsFolder(path=path, accept=accept)
        self._connection = connection or {"backend": "duckdb"}
        self.metadata = metadata

    def save(self, data: Parts) -> None:
        if isinstance(data.write, ReadShards):
            sizes = {name: shard.size for name, shard in data.write.shards.items()}
            data = replace(data, write=partial(data.write, spread=spread_over(self._connection, sizes)))
        self._parts.save(data)

    def load(self) -> ir.Table:
        folders = self._parts.load()
        if not folders:
            raise ArtifactError(f"{self._path} has no parts: run the pipeline that writes it")
        files = [str(folder / self._file) for folder in folders.values()]
        engine = FileDataset(filepath=files[0], connection=self._connection).connection
        return read_parquet(engine, files)

    def location(self) -> Path:
        return self._path

    def digest(self) -> str:
        return self._parts.digest()

    def accepted(self) -> dict[str, str]:
        """Return digest of the code that made parts -> digest of the code that they were accepted as."""
        return self._parts.accepted()

    def _exists(self) -> bool:
        return self._parts.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "file": self._file}
