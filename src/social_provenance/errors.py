"""Errors that the user can fix.

The message of each is one line that names the location, quotes the value and gives the fix; the
command line prints only that line, without a traceback.
"""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ProvenanceError(Exception):
    """Base of all errors caused by invalid input, settings or files."""


class CorpusError(ProvenanceError):
    """A corpus folder, a shard or a record cannot be used."""


class LabelError(ProvenanceError):
    """A topic or format label is outside the taxonomy, or labels are missing."""


class SamplingError(ProvenanceError):
    """The corpus cannot provide the requested working set."""


class BenchmarkError(ProvenanceError):
    """A benchmark's definition, file or item cannot be used."""


class ModelError(ProvenanceError):
    """A model or its tokenizer cannot be used."""


class PretrainingError(ProvenanceError):
    """Pretraining did not reach the required accuracy, or cannot start."""


class ArtifactError(ProvenanceError):
    """An artifact cannot be written, or has changed since it was."""


class AttributionError(ProvenanceError):
    """Gradients or scores cannot be computed, or do not belong together."""


class UnlearningError(ProvenanceError):
    """An unlearning study cannot be planned or run."""


class ReferenceFileError(ProvenanceError):
    """A file of the published reference cannot be used."""


class TailPatchError(ProvenanceError):
    """A tail-patch cannot be run."""


class CounterfactualError(ProvenanceError):
    """A retraining cannot be planned, or does not match the checks it is compared with."""


class WorldError(ProvenanceError):
    """Another world cannot be studied."""


class LineageError(ProvenanceError):
    """Artifacts of different runs would be mixed, or one is incomplete."""


class SettingsError(ProvenanceError):
    """A parameter or a catalog entry is unknown or contradicts another."""


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known value nearest to ``value``, or an empty string."""
    near = get_close_matches(value, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def among(value: str, known: Iterable[str]) -> str:
    """Return what to say after an unknown value: the nearest known one, or all of them."""
    every = sorted(known)
    return did_you_mean(value, every) or f"; name one of {', '.join(every)}"


def repeated(names: Sequence[str]) -> list[str]:
    """Return the names that are given more than once, each once, in the order of their first place."""
    return [name for name, times in Counter(names).items() if times > 1]


def excerpt(value: object, limit: int = 60) -> str:
    """Quote ``value`` on one line, truncated to ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
