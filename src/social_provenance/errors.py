"""Errors that the user can put right.

The message of each is one line that names the place, quotes the value and says the fix; the
command line prints that line alone, without a traceback.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ProvenanceError(Exception):
    """Base of every error that wrong input, settings or files can cause."""


class CorpusError(ProvenanceError):
    """A corpus folder, a shard or a record cannot be used."""


class LabelError(ProvenanceError):
    """A topic or format label is outside the taxonomy, or labels are missing."""


class SamplingError(ProvenanceError):
    """The corpus cannot give the working set that was asked for."""


class BenchmarkError(ProvenanceError):
    """A benchmark's definition, file or item cannot be used."""


class ModelError(ProvenanceError):
    """A model or its tokenizer cannot be used."""


class PretrainingError(ProvenanceError):
    """Training did not reach what the study needs."""


class ArtifactError(ProvenanceError):
    """An artifact cannot be written, or is not what it was."""


class AttributionError(ProvenanceError):
    """Gradients or scores cannot be computed, or do not belong together."""


class UnlearningError(ProvenanceError):
    """An unlearning study cannot be planned or run."""


class ReferenceFileError(ProvenanceError):
    """A file of the published reference cannot be used."""


class TailPatchError(ProvenanceError):
    """A tail-patch cannot be made."""


class CounterfactualError(ProvenanceError):
    """A retraining cannot be planned, or does not fit what it is compared with."""


class WorldError(ProvenanceError):
    """Another world cannot be studied."""


class LineageError(ProvenanceError):
    """Artifacts of different runs would be mixed, or one is not whole."""


class SettingsError(ProvenanceError):
    """A parameter or a catalog entry is unknown or contradicts another."""


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known value nearest to ``value``, or an empty string."""
    near = get_close_matches(value, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def excerpt(value: object, limit: int = 60) -> str:
    """Quote ``value`` on one line of at most ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
