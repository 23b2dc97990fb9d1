"""Dataset for a language model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from social_provenance.datasets.folders import replacing
from social_provenance.datasets.identity import content_digest
from social_provenance.errors import ModelError
from social_provenance.language_model import HUB, LanguageModel, TrainedModel
from social_provenance.lineage import ABSENT, UnknownContentError

MARK = "made-by-pretraining.txt"

MOVING = (None, "main")
"""Revisions on the hub that move: their weights may change."""


class LanguageModelFolder(AbstractDataset[TrainedModel, LanguageModel]):
    """A causal language model: a local folder in the transformers format, or a name on the hub.

    Loading checks that the model is complete and returns its location; weights are read where they are
    needed. Saving writes weights (safetensors) and tokenizer, only ever to a folder that an earlier save
    made, and never to the hub.

    Example:
        .. code-block:: yaml

            language_model:
              type: social_provenance.datasets.LanguageModelFolder
              path: hf://allenai/Olmo-3-1025-7B
              revision: main

    >>> LanguageModelFolder(path="hf://allenai/Olmo-3-1025-7B").load().path
    'allenai/Olmo-3-1025-7B'
    """

    def __init__(self, *, path: str, revision: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Describe the model."""
        self._path = path
        self._revision = revision
        self.metadata = metadata

    def load(self) -> LanguageModel:
        return LanguageModel.at(self._path, self._revision)

    def save(self, data: TrainedModel) -> None:
        target = Path(self._path)
        if self._path.startswith(HUB):
            raise ModelError(
                f"{self._path} is on the hub and is not written: leave the pretraining pipeline out to use it"
            )
        if target.exists() and not (target / MARK).exists():
            raise ModelError(
                f"{target} is not a folder that the pretraining pipeline made, so it is not overwritten: "
                f"skip that pipeline to use the model there"
            )
        with replacing(target) as draft:
            data.save(draft)
            (draft / MARK).write_text("Trained by the pretraining pipeline, which overwrites this folder.\n")

    def location(self) -> Path | str:
        return self._path if self._path.startswith(HUB) else Path(self._path)

    def digest(self) -> str:
        return digest_of_model(self._path, self._revision)

    def _exists(self) -> bool:
        return Path(self._path).exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "revision": self._revision}


class OptionalModelFolder(AbstractDataset[TrainedModel, LanguageModel | None]):
    """A model as :class:`LanguageModelFolder` has it, or none: a null ``path`` loads None. It is never written.

    With ``must_exist: false`` a folder that is not there loads None, too.

    Example:
        .. code-block:: yaml

            query_model:
              type: social_provenance.datasets.OptionalModelFolder
              path: hf://allenai/Olmo-3-7B-Instruct
              revision: main

    >>> OptionalModelFolder(path=None).load() is None
    True
    >>> OptionalModelFolder(path="hf://allenai/Olmo-3-7B-Instruct").load().path
    'allenai/Olmo-3-7B-Instruct'
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        revision: str | None = None,
        must_exist: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the model, or that there is none."""
        if not must_exist and path and not path.startswith(HUB) and not Path(path).exists():
            path = None
        self._path = path
        self._revision = revision
        self.metadata = metadata

    def load(self) -> LanguageModel | None:
        return LanguageModel.at(self._path, self._revision) if self._path else None

    def save(self, data: TrainedModel) -> None:
        del data
        raise ModelError(f"{self._path} is not written: leave the node that makes it out")

    def location(self) -> Path | str | None:
        """Return the model's place; None, which is not persisted, if there is no model."""
        if not self._path:
            return None
        return self._path if self._path.startswith(HUB) else Path(self._path)

    def digest(self) -> str:
        return digest_of_model(self._path, self._revision) if self._path else ABSENT

    def _exists(self) -> bool:
        return self._path is None or Path(self._path).exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "revision": self._revision}


def digest_of_model(place: str, revision: str | None = None) -> str:
    """Return the digest of the model at a place given as in the catalog.

    Raises:
        UnknownContentError: If it is on the hub without a fixed revision.
    """
    if not place.startswith(HUB):
        return content_digest(Path(place))
    model = LanguageModel.at(place, revision)
    if model.revision in MOVING:
        raise UnknownContentError(f"{place} has no fixed revision: give a commit or a tag")
    return model.digest()
