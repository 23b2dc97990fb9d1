"""Dataset for a corpus on the Hugging Face hub, streamed: nothing is downloaded before it is read."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from social_provenance.documents.fields import with_defaults
from social_provenance.documents.shards import Shard
from social_provenance.errors import CorpusError
from social_provenance.fingerprint import digest_of, digest_of_path, files_below
from social_provenance.paths import is_wild, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from social_provenance.documents.fields import Place


class HubCorpus(AbstractDataset[Any, list[Shard]]):
    """Shards of a dataset that the ``datasets`` library can stream; read only.

    Example:
        .. code-block:: yaml

            raw_documents:
              type: social_provenance.datasets.HubCorpus
              name: OWNER/NAME
              revision: 0123456789abcdef0123456789abcdef01234567
              fields: {url: url, given_topic: topic, given_format: format}

    >>> _ = (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "one"}')
    >>> (shard,) = HubCorpus(name=str(tmp_path)).load()
    >>> list(shard.rows())
    [{'id': 'a', 'text': 'one'}]
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        name: str,
        revision: str | None = None,
        config: str | None = None,
        split: str = "train",
        fields: dict[str, Place] | None = None,
        load_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the dataset.

        Args:
            name: ``OWNER/NAME`` on the hub, or a folder of data files.
            revision: Commit or tag; required on the hub, because branches move.
            config: Name of the configuration, if there are several.
            split: Name of the split.
            fields: Field -> its place in a row; overrides the Dolma places in ``FIELDS``.
            load_args: Further arguments of ``datasets.load_dataset``, such as ``data_files``.
            metadata: For kedro-viz.

        Raises:
            CorpusError: If a field is unknown, or a dataset on the hub has no revision.
        """
        self._folder = Path(name) if Path(name).exists() else None
        if self._folder is None and not revision:
            raise CorpusError(
                f"raw_documents: {name} has no revision, so its content may change unnoticed: give a commit or a tag"
            )
        self._name, self._revision = name, revision
        self._asked = {"name": config, "split": split, **(load_args or {})}
        self.fields = with_defaults(fields)
        self.metadata = metadata

    def load(self) -> list[Shard]:
        if self._folder is not None and "data_files" not in self._asked:
            refuse_linked_folders(self._folder)
        count = int(open_stream(self._name, self._revision, self._asked).num_shards)
        version = self.digest()
        return [
            Shard(
                f"{self._asked['split']}-{number:06d}-of-{count:06d}",
                f"{self._name} ({self._asked['split']}, shard {number} of {count})",
                version,
                partial(_rows, self._name, self._revision, self._asked, count, number),
                self.fields,
            )
            for number in range(count)
        ]

    def save(self, data: Any) -> None:
        del data
        raise CorpusError(f"{self._name} is read, not written: give raw_documents a folder")

    def location(self) -> Path | str:
        return self._folder or f"hf-datasets://{self._name}"

    def digest(self) -> str:
        """Return the digest of the files of a folder, or of a name on the hub with its revision."""
        content = [digest_of_path(self._folder)] if self._folder else [self._name, self._revision]
        return digest_of(*content, self._asked)

    def _describe(self) -> dict[str, Any]:
        return {"name": self._name, "revision": self._revision, **self._asked}


def refuse_linked_folders(folder: Path) -> None:
    """Refuse links to folders, which the library passes over without a word; links to files are read.

    Raises:
        CorpusError: Naming the first link.
    """
    for file in sorted(files_below(folder) if folder.is_dir() else ()):
        above = [place for place in file.parents if place != folder and place.is_relative_to(folder)]
        link = next((place for place in reversed(above) if place.is_symlink()), None)
        if link is not None:
            raise CorpusError(
                f"{link} is a link to a folder, whose files the datasets library passes over: put the folder itself "
                f"there, name all files in load_args.data_files, or read the corpus as a ShardFolder"
            )


def open_stream(name: str, revision: str | None, asked: dict[str, Any]) -> Any:
    """Return the dataset as a stream.

    Raises:
        CorpusError: If it cannot be opened.
    """
    from datasets import load_dataset

    try:
        return load_dataset(name, revision=revision, streaming=True, **asked, **_literal_files(name, asked))
    except Exception as error:  # the library raises many kinds
        reason = " ".join(str(error).split())
        raise CorpusError(
            f"the dataset {name} cannot be opened ({type(error).__name__}: {reason}): check its name, revision, "
            f"config and split; a dataset on the hub needs offline: false in conf/*/engines.yml"
        ) from error


def _literal_files(name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the argument ``data_files``, files per split, of a folder that the library would take for a pattern."""
    from datasets.data_files import get_data_patterns

    folder = Path(name).resolve()
    if not is_wild(str(folder)) or not folder.exists() or "data_files" in asked:
        return {}
    above = literal(folder)
    return {
        "data_files": {
            str(split): [f"{above}/{pattern}" for pattern in patterns]
            for split, patterns in get_data_patterns(above).items()
        }
    }


def _rows(name: str, revision: str | None, asked: dict[str, Any], count: int, number: int) -> Iterator[Any]:
    stream = open_stream(name, revision, asked)
    yield from stream.shard(num_shards=count, index=number) if count > 1 else stream
