"""Normalisation of answers by their lengths: by which number each choice's log-probability is divided.

A sum over tokens is mostly a length: of two equally likely words a choice with four more tokens loses many nats. Per
token or byte it is not. What is chosen holds for all benchmarks of a study, because they are compared with each
other, and is written beside each choice, so that everything that scores these requests normalises alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    import pandas as pd

Normalisation = Literal["none", "token", "byte"]
Normalise = Literal["none", "token", "byte", "auto"]
NORMALISATIONS: tuple[Normalisation, ...] = get_args(Normalisation)

COLUMN, UNITS, BYTES = "normalisation", "units", "bytes"


def normalise_choices(choices: pd.DataFrame, normalise: Normalise) -> pd.DataFrame:
    """Add what the log-probability of each choice is divided by.

    Args:
        choices: Choices of all benchmarks: ``completion_ids`` (token ids, at least one), ``bytes`` (of the text
            without its delimiter), ``benchmark``, ``item``, ``completion``.
        normalise: ``token``, ``byte``, ``none``; or ``auto``: none if all choices have the same number of tokens,
            else ``token``.

    Returns:
        The choices without ``bytes``, with ``normalisation`` (``none``, ``token`` or ``byte``, the same throughout)
        and ``units``: 1, or the number of tokens or bytes.

    Raises:
        BenchmarkError: If a choice has no bytes to be divided by.
    """
    lengths = choices["completion_ids"].map(len)
    by: Normalisation = normalise if normalise != "auto" else "none" if lengths.nunique() < 2 else "token"
    units = {"none": lengths * 0 + 1, "token": lengths, "byte": choices[BYTES]}[by]
    for row in choices[units == 0].itertuples():
        raise BenchmarkError(
            f"benchmark {row.benchmark}, item {row.item}: choice {row.completion!r} has no bytes to be normalised by; "
            f"leave the item out of the file, or set evaluation.normalise to 'token' instead of {normalise!r}"
        )
    return choices.drop(columns=BYTES).assign(**{COLUMN: by, UNITS: units})
