"""Dataset that may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset

from social_provenance.datasets.identity import Identified, accepted_by, identity_of, kept_at
from social_provenance.lineage import UnknownContentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class OptionalDataset(AbstractDataset[Any, Any]):
    """A wrapper that loads another dataset, or None if it was not computed.

    The report compares with the planted truth if there is one; a study on real pages has none.

    Example:
        .. code-block:: yaml

            validation:
              type: social_provenance.datasets.OptionalDataset
              filepath: data/08_reporting/validation.json
              dataset: {type: json.JSONDataset}

    >>> dataset = OptionalDataset(filepath=str(tmp_path / "v.json"), dataset={"type": "json.JSONDataset"})
    >>> dataset.load() is None
    True
    >>> dataset.save({"seed": 42})
    >>> dataset.load()
    {'seed': 42}
    """

    def __init__(self, *, filepath: str, dataset: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        """Describe the dataset: ``dataset`` is a catalog entry without its ``filepath``."""
        self._filepath = filepath
        self._inner = AbstractDataset.from_config("inner", {**dataset, "filepath": filepath})
        self.metadata = metadata
        if hasattr(self._inner, "preview"):
            self.preview = self._inner.preview  # kedro-viz shows what the dataset itself shows

    def load(self) -> Any:
        return self._inner.load() if self._inner.exists() else None

    def save(self, data: Any) -> None:
        self._inner.save(data)

    def location(self) -> Path | str:
        return kept_at(self._inner, self._filepath).location()

    def digest(self) -> str:
        if self._identity is None:
            raise UnknownContentError("it is not persisted")
        return self._identity.digest()

    def accepted(self) -> Mapping[str, str]:
        return accepted_by(self._identity) if self._identity else {}

    @property
    def _identity(self) -> Identified | None:
        return identity_of(self._inner)

    def _exists(self) -> bool:
        return bool(self._inner.exists())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
