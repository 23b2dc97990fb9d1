"""Columns and bases that several schemas share."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.gradients.settings import METHODS
from social_provenance.regions.grid import FORMATS, TOPICS


class Table(pa.DataFrameModel):
    """A table with the columns of its schema and no others."""

    class Config:
        """Strict about columns; values are cast, because pandas has two types for texts."""

        strict = True
        coerce = True


class OptionalTable(Table):
    """A table of an optional dataset, which loads None where it has not been made."""

    @classmethod
    def validate(cls, check_obj: Any, *args: Any, **options: Any) -> Any:
        """Return the validated table, and None as it is."""
        return None if check_obj is None else super().validate(check_obj, *args, **options)


class IntervalTable(Table):
    """A table whose rows have an interval, null where there are too few documents for one."""

    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)

    @pa.dataframe_check(error="intervals are in order")
    @classmethod
    def in_order(cls, table: Any) -> Any:
        """Return whether the lower bound is not above the upper one."""
        return bounds_in_order(table)


def topic(**options: Any) -> Any:
    """Return a field of topic slugs."""
    return pa.Field(isin=TOPICS, **options)


def form(**options: Any) -> Any:
    """Return a field of format slugs."""
    return pa.Field(isin=FORMATS, **options)


def axis(**options: Any) -> Any:
    """Return a field of axes of the grid: ``topic`` or ``format``."""
    return pa.Field(isin=["topic", "format"], **options)


def method() -> Any:
    """Return a field of attribution methods."""
    return pa.Field(isin=METHODS)


def share(**options: Any) -> Any:
    """Return a field of shares, 0 to 1."""
    return pa.Field(ge=0, le=1, **options)


def count() -> Any:
    """Return a field of counts, at least 0."""
    return pa.Field(ge=0)


def bounds_in_order(table: Any, low: str = "ci_low", high: str = "ci_high") -> Any:
    """Return whether the interval of each row is in order; a row without one counts as in order."""
    return (table[low] <= table[high]) | (table[low].isna() & table[high].isna())
