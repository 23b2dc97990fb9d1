"""The light classifier in several processes."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from social_provenance.labelling.linear import AXES, LinearLabeller
from social_provenance.processes import worker_pool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

PIECE = 256
"""Documents per task of a process."""

_own: list[LinearLabeller] = []


class Pool:
    """A labeller that runs the classifier of a folder in several processes."""

    source = LinearLabeller.source

    def __init__(self, folder: Path, processes: int) -> None:
        """Take the folder of the classifier (see :meth:`LinearLabeller.save`)."""
        self._stack = ExitStack()
        self._pool = self._stack.enter_context(worker_pool(processes, _load, (folder,)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)

    def predict(self, documents: pd.DataFrame, axes: Sequence[str] = AXES) -> pd.DataFrame:
        """Predict labels and confidences on ``axes``, on the index of the input."""
        import pandas as pd

        read = documents[["text", "url"]]
        pieces = [read.iloc[start : start + PIECE] for start in range(0, len(read), PIECE)]
        return pd.concat(self._pool.map(partial(_predict, axes=tuple(axes)), pieces))


def _load(folder: Path) -> None:
    _own[:] = [LinearLabeller.load(folder)]


def _predict(documents: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    return _own[0].predict(documents, axes)
