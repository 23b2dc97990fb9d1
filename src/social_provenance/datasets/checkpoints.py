"""Dataset for the checkpoints of one training run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from social_provenance.datasets.folders import replacing
from social_provenance.datasets.identity import content_digest
from social_provenance.datasets.models import MARK, digest_of_model
from social_provenance.errors import ModelError, SettingsError
from social_provenance.fingerprint import digest_of
from social_provenance.language_model import HUB, LanguageModel, TrainedModel

if TYPE_CHECKING:
    from collections.abc import Iterable

LABEL = re.compile(r"[\w-]+")
"""Pattern of a checkpoint's label, without dots: parts of artifacts are named ``<label>.<name>``."""


class CheckpointFolder(AbstractDataset[dict[str, TrainedModel], dict[str, LanguageModel]]):
    """Models in training order: the checkpoints of the pretraining pipeline, or a list of your own.

    ``path`` is a folder with one model folder per label. Saving replaces all of them, and only ever those
    that an earlier save made; they are loaded in the order of their labels. With ``places`` (label ->
    folder, or ``hf://OWNER/NAME@REVISION``) nothing is saved, and they are loaded in the order of the
    list. As for a single model, loading checks that each is complete and returns its location, not its weights.

    Example:
        .. code-block:: yaml

            checkpoints:
              type: social_provenance.datasets.CheckpointFolder
              places:
                early: hf://allenai/Olmo-3-1025-7B@stage1-step10000
                late: /path/to/a/model

    >>> early = {"early": "hf://allenai/Olmo-3-1025-7B@stage1-step10000"}
    >>> CheckpointFolder(places=early).load()["early"].revision
    'stage1-step10000'
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        places: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the checkpoints.

        Raises:
            SettingsError: If both or neither of ``path`` and ``places`` are given, or a label cannot
                be part of a file's name.
        """
        if (path is None) == (places is None):
            raise SettingsError(
                f"a CheckpointFolder takes either path or places (got path {path!r} and places {places!r}): "
                f"give one of them"
            )
        self._path = Path(path) if path else None
        self._places = {str(label): place for label, place in (places or {}).items()}
        _check_labels(self._places)
        self.metadata = metadata

    def load(self) -> dict[str, LanguageModel]:
        places = self._find()
        if not places:
            raise ModelError(
                f"there are no checkpoints in {self._path or 'places'}: give pretraining.checkpoints steps that the "
                f"training reaches and run the pretraining pipeline, or list models under places in the catalog entry"
            )
        _check_labels(places)
        return {label: _open(label, place) for label, place in places.items()}

    def save(self, data: dict[str, TrainedModel]) -> None:
        if self._path is None:
            raise ModelError(
                f"checkpoints under places ({', '.join(self._places)}) are not written: leave the pretraining pipeline "
                f"out to use them"
            )
        if self._path.exists() and not (self._path / MARK).exists():
            raise ModelError(
                f"{self._path} is not a folder that the pretraining pipeline made, so it is not overwritten: "
                f"skip that pipeline to use the checkpoints there"
            )
        _check_labels(data)
        with replacing(self._path) as draft:
            for label, model in data.items():
                model.save(draft / label)
            (draft / MARK).write_text("Kept by the pretraining pipeline, which overwrites this folder.\n")

    def location(self) -> Path | str:
        return self._path or ", ".join(f"{label}: {place}" for label, place in self._places.items())

    def digest(self) -> str:
        if self._path is not None:
            return content_digest(self._path)
        return digest_of([(label, digest_of_model(place)) for label, place in self._places.items()])

    def _find(self) -> dict[str, str]:
        if self._path is None or not self._path.is_dir():
            return self._places
        return {folder.name: str(folder) for folder in sorted(self._path.iterdir()) if folder.is_dir()}

    def _exists(self) -> bool:
        return bool(self._find())

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path) if self._path else None, "places": self._places or None}


def _open(label: str, place: str) -> LanguageModel:
    if not place.startswith(HUB) and not Path(place).exists():
        raise ModelError(
            f"checkpoint {label!r}: there is nothing at {place}: give a folder, or {HUB}OWNER/NAME@REVISION"
        )
    try:
        return LanguageModel.at(place)
    except ModelError as error:
        raise ModelError(f"checkpoint {label!r}: {error}") from error


def _check_labels(labels: Iterable[str]) -> None:
    for label in labels:
        if not LABEL.fullmatch(label):
            raise SettingsError(f"checkpoint {label!r}: a label has letters, digits, _ and - only; choose another")
