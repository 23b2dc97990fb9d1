"""Dataset for a table that is written batch after batch and read from disk, never whole in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from social_provenance.artifacts import Stream
from social_provenance.datasets.folders import DRAFT
from social_provenance.datasets.identity import content_digest
from social_provenance.errors import ArtifactError, excerpt

if TYPE_CHECKING:
    from datasets import Dataset

END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""Last bytes of an Arrow stream. A reader does not miss them: of a stream that was cut it reads what is there."""


class ArrowFile(AbstractDataset[Stream, "Dataset"]):
    """Rows in one file, an Arrow stream.

    Saved from a :class:`~social_provenance.artifacts.Stream`, loaded as a memory-mapped ``datasets.Dataset``.

    Example:
        .. code-block:: yaml

            corpus_tokens:
              type: social_provenance.datasets.ArrowFile
              filepath: data/04_feature/corpus_tokens.arrow

    >>> import pyarrow as pa
    >>> from social_provenance.artifacts import Stream
    >>> rows = pa.RecordBatch.from_pydict({"doc_id": ["a", "b"], "input_ids": [[1, 2], [3]]})
    >>> file = ArrowFile(filepath=str(tmp_path / "tokens.arrow"))
    >>> file.save(Stream(rows.schema, lambda: iter([rows])))
    >>> file.load()["input_ids"][1]
    [3]
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Describe the file."""
        self._filepath = filepath
        self.metadata = metadata

    def save(self, data: Stream) -> None:
        import pyarrow as pa

        target = Path(self._filepath)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(target.name + DRAFT)
        try:
            with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_stream(sink, data.schema) as writer:
                for batch in data.batches():
                    writer.write_batch(batch)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def load(self) -> Dataset:
        import pyarrow as pa
        from datasets import Dataset

        try:
            _refuse_cut(Path(self._filepath))
            return Dataset.from_file(self._filepath)
        except (OSError, pa.ArrowException, ValueError, TypeError) as error:
            raise ArtifactError(
                f"{self._filepath} is not a complete Arrow stream ({type(error).__name__}: "
                f"{excerpt(str(error), 120)}): run the node that writes it again"
            ) from error

    def location(self) -> Path:
        return Path(self._filepath)

    def digest(self) -> str:
        return content_digest(Path(self._filepath))

    def _exists(self) -> bool:
        return Path(self._filepath).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


def _refuse_cut(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - len(END)))
        if file.read() != END:
            raise ValueError(f"its {size} bytes end without the mark of its end")
