"""Columns and base classes that several tables share."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from social_provenance.capabilities.normalisation import NORMALISATIONS
from social_provenance.gradients.methods.registry import method_names
from social_provenance.regions.grid import FORMATS, TOPICS


class Table(pa.DataFrameModel):
    """A table with exactly the columns of its schema."""

    class Config:
        """Strict columns; texts are cast, because pandas has two types for them."""

        strict = True
        coerce = True


class OptionalTable(Table):
    """A table of an optional dataset, which loads None if it was not computed."""

    @classmethod
    def validate(cls, check_obj: Any, *args: Any, **options: Any) -> Any:
        """Validate the table; pass None through."""
        return None if check_obj is None else super().validate(check_obj, *args, **options)


class IntervalTable(Table):
    """A table whose rows have an interval, or nulls where it cannot be computed."""

    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)

    @pa.dataframe_check(error="intervals are in order")
    @classmethod
    def in_order(cls, table: Any) -> Any:
        """Check that the lower bound does not exceed the upper one."""
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
    """Return a column of attribution methods."""
    return pa.Field(isin=method_names())


def normalisation() -> Any:
    """Return a column with the unit of log-probabilities of answers: ``none``, ``token`` or ``byte``."""
    return pa.Field(isin=NORMALISATIONS)


def share(**options: Any) -> Any:
    """Return a column of shares, 0 to 1."""
    return pa.Field(ge=0, le=1, **options)


def count() -> Any:
    """Return a column of counts, from 0."""
    return pa.Field(ge=0)


def bounds_in_order(table: Any, low: str = "ci_low", high: str = "ci_high") -> Any:
    """Return for each row whether its interval is in order; true for a row without one."""
    return (table[low] <= table[high]) | (table[low].isna() & table[high].isna())
