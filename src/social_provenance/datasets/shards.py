"""Dataset for a corpus as shards: files in a folder, of a glob or in an object store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from social_provenance.datasets.folders import replacing
from social_provenance.datasets.identity import without_secrets
from social_provenance.documents.fields import with_defaults
from social_provenance.documents.shards import Shard, find_shards, write_shards
from social_provenance.errors import CorpusError
from social_provenance.fingerprint import digest_of
from social_provenance.lineage import ABSENT
from social_provenance.paths import split_local

if TYPE_CHECKING:
    from social_provenance.documents.fields import Place

MARK = "made-by-miniature.txt"


class ShardFolder(AbstractDataset[list[dict[str, Any]], list[Shard]]):
    """Shards of a corpus: JSON lines (plain, .gz, .zst) or Parquet.

    ``path`` is a folder, a file or a glob (``**`` for any depth), on disk or at any URL that fsspec
    supports; what exists under exactly this name is literal. Loading returns the shards; saving rows of JSON records
    writes zstd-compressed JSON lines, only ever to a folder that an earlier save made.

    Example:
        .. code-block:: yaml

            raw_documents:
              type: social_provenance.datasets.ShardFolder
              path: s3://bucket/corpus/**/*.jsonl.zst
              fields: {doc_id: id, text: content, url: meta.url, given_topic: ["meta.topic", "path:^([a-z_]+)-"]}
              storage_options: {anon: true}

    >>> folder = ShardFolder(path=str(tmp_path / "corpus"), shards=2)
    >>> folder.save([{"id": "a", "text": "one"}, {"id": "b", "text": "two"}])
    >>> [shard.name for shard in folder.load()]
    ['shard-00.jsonl.zst', 'shard-01.jsonl.zst']
    """

    def __init__(
        self,
        *,
        path: str,
        fields: dict[str, Place] | None = None,
        storage_options: dict[str, Any] | None = None,
        credentials: dict[str, Any] | None = None,
        shards: int = 4,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the folder.

        Args:
            path: Folder, file, glob or URL of shards.
            fields: Field -> its place in a row; overrides the Dolma places in ``FIELDS``.
            storage_options: Options of fsspec's file system: endpoint, region, anonymous access.
            credentials: Overrides of ``storage_options``, from Kedro's ``credentials.yml``.
            shards: Number of files to write on save.
            metadata: For kedro-viz.

        Raises:
            CorpusError: If ``fields`` names a field that documents do not have.
        """
        self._path = str(path)
        self.fields = with_defaults(fields)
        self._options = {**(storage_options or {}), **(credentials or {})}
        self._shards = shards
        self.metadata = metadata

    def load(self) -> list[Shard]:
        return find_shards(self._path, self.fields, self._options, announce=True)

    def save(self, data: list[dict[str, Any]]) -> None:
        folder = Path(self._path)
        if self._is_pattern_or_address() or (folder.exists() and not (folder / MARK).exists()):
            raise CorpusError(
                f"{self._path} is not a folder that the miniature pipeline made, so it is not overwritten: "
                f"for your own corpus, run --pipelines pretraining,provenance"
            )
        with replacing(folder) as draft:
            write_shards(draft, data, self._shards)
            (draft / MARK).write_text(
                "Documents of a miniature world; the miniature pipeline overwrites this folder.\n"
            )

    def location(self) -> Path | str:
        return without_secrets(self._path) if "://" in self._path else Path(self._path)

    def digest(self) -> str:
        """Return the digest of the current shards."""
        try:
            shards = find_shards(self._path, self.fields, self._options)
        except CorpusError:
            return ABSENT
        return digest_of([(shard.name, shard.version) for shard in shards])

    def _exists(self) -> bool:
        # An address is not asked, and a pattern that fits nothing is an error of its own on loading.
        return self._is_pattern_or_address() or Path(self._path).exists()

    def _is_pattern_or_address(self) -> bool:
        return "://" in self._path or bool(split_local(self._path)[1])

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "fields": self.fields}
