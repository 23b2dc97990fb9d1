"""Base class of all parameter models: a value has the type of its field, or is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PositiveInt, Strict


class Parameters(BaseModel):
    """A block of parameters, immutable, without unknown fields.

    Nothing is converted, because what would be is a slip more often than a wish: ``true`` is not 1, ``"5"`` and ``5.0``
    are not 5, 5 is not text. A whole number is taken where a real one is asked for. Infinity and NaN are refused.

    >>> class Walk(Parameters):
    ...     steps: int = 1
    >>> Walk.model_validate({"steps": 2})
    Walk(steps=2)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _at_home(place: str) -> str:
    path = os.path.expanduser(place)
    if path.startswith("~"):
        raise ValueError(f"{place!r} is the home of no user: write ./{place} for a folder of that name")
    return path


Place = Annotated[str, AfterValidator(_at_home)]
"""Folder, or an address; ``~`` is the home folder."""

Folder = Annotated[Path, Strict(False), AfterValidator(lambda path: Path(_at_home(str(path))))]
"""Folder of this machine; ``~`` is the home folder."""

SizeKey = Annotated[PositiveInt, Strict(False)]
"""Key of a mapping from sizes, which is text on the command line (``--params BLOCK.sizes.2=0.5``)."""
