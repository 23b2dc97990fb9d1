"""Expensive artifacts come in parts, each written once for its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Part:
    """A piece of an artifact that is not computed yet.

    Attributes:
        digest: Identity of everything that the piece depends on: inputs, settings, code.
        write: Computes the piece into an empty folder. Called only where no finished piece of this
            digest is there.
    """

    digest: str
    write: Callable[[Path], None]
