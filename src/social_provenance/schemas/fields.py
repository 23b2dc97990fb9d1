"""Columns that several tables have."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.gradients.methods.registry import method_names
from social_provenance.regions.grid import FORMATS, TOPICS


class Table(pa.DataFrameModel):
    """A table that has its schema's columns and no others."""

    class Config:
        """Strict; texts are cast because pandas has two types for them."""

        strict = True
        coerce = True


class OptionalTable(Table):
    """A table of an optional dataset, which loads None where it has not been made."""

    @classmethod
    def validate(cls, check_obj: Any, *args: Any, **options: Any) -> Any:
        """Return the table as the schema has it, and None as it is."""
        return None if check_obj is None else super().validate(check_obj, *args, **options)


class IntervalTable(Table):
    """A table whose rows have an interval, or none where there is nothing to make one of."""

    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)

    @pa.dataframe_check(error="intervals are in order")
    @classmethod
    def in_order(cls, table: Any) -> Any:
        """Compare bounds."""
        return bounds_in_order(table)


def topic(**options: Any) -> Any:
    """Return a column of topic slugs."""
    return pa.Field(isin=TOPICS, **options)


def form(**options: Any) -> Any:
    """Return a column of format slugs."""
    return pa.Field(isin=FORMATS, **options)


def axis(**options: Any) -> Any:
    """Return a column of axes of the grid."""
    return pa.Field(isin=["topic", "format"], **options)


def method() -> Any:
    """Return a column of attribution methods."""
    return pa.Field(isin=method_names())


def share(**options: Any) -> Any:
    """Return a column of numbers from 0 to 1."""
    return pa.Field(ge=0, le=1, **options)


def count() -> Any:
    """Return a column of numbers of things."""
    return pa.Field(ge=0)


def bounds_in_order(table: Any, low: str = "ci_low", high: str = "ci_high") -> Any:
    """Say of each row whether its interval, where it has one, is in order."""
    return (table[low] <= table[high]) | (table[low].isna() & table[high].isna())
