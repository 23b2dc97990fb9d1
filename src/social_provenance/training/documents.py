"""Documents that stay on disk and are read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from social_provenance.training.batches import Tokens

if TYPE_CHECKING:
    from collections.abc import Collection

    from datasets import Dataset


@dataclass(frozen=True)
class StoredTokens(Sequence[Tokens]):
    """Token ids of some documents, in an order.

    Attributes:
        rows: Rows with ``input_ids``.
        places: Rows of the documents.
    """

    rows: Dataset
    places: Sequence[int]

    @overload
    def __getitem__(self, place: int) -> Tokens: ...

    @overload
    def __getitem__(self, place: slice) -> StoredTokens: ...

    def __getitem__(self, place: int | slice) -> Tokens | StoredTokens:
        if isinstance(place, slice):
            return StoredTokens(self.rows, self.places[place])
        tokens: Tokens = self.rows[self.places[place]]["input_ids"]
        return tokens

    def __len__(self) -> int:
        return len(self.places)


class DocumentTokens(Mapping[str, Tokens]):
    """Document id -> token ids.

    Sent to another process, it takes its places in the file with it and not the tokens: all processes of a machine
    share one memory map.
    """

    def __init__(self, rows: Dataset, wanted: Collection[str]) -> None:
        """Find documents.

        Args:
            rows: Rows with ``doc_id`` and ``input_ids``.
            wanted: Ids of the documents; those that are not among the rows are left out.
        """
        self._rows = rows.select_columns(["input_ids"])
        self._places = {name: place for place, name in enumerate(rows["doc_id"]) if name in wanted}

    def __getitem__(self, doc_id: str) -> Tokens:
        tokens: Tokens = self._rows[self._places[doc_id]]["input_ids"]
        return tokens

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def places(self) -> list[int]:
        """Rows of the documents, in their order."""
        return list(self._places.values())
