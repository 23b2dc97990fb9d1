"""A column's name means the same in every table, and every table refuses what breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pandera.pandas as pa
import pytest

from guards.meaning import ABOVE, KEYLESS, NEVER_NULL, OTHERWISE
from guards.tables import (
    Schema,
    loose_columns,
    loose_keys,
    read_schema,
    read_schemas,
    unclassified_numbers,
    unsound_schemas,
)
from social_provenance.regions.grid import TOPICS
from social_provenance.schemas import fields
from social_provenance.schemas.large import LargeTable, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guards.project import Project


@pytest.fixture(scope="module")
def schemas(project: Project) -> list[Schema]:
    return read_schemas(project)


class Loose(pa.DataFrameModel):
    """A table whose class does without strictness, bounds, a key, and a null that is refused."""

    topic: str
    accuracy: float
    n_things: int
    widgets: float = pa.Field(coerce=True)


class ReferenceBins(fields.Table):
    """A table of a name whose potency always exists."""

    benchmark: str = pa.Field(unique=True)
    potency: float = pa.Field(nullable=True)


class Narrow(fields.Table):
    benchmark: str = pa.Field(unique=True)
    power: float = pa.Field(ge=0, lt=1)


class LooseLarge(LargeTable):
    columns: ClassVar[Mapping[str, str]] = {"doc_id": "string", "topic": "string", "loss": "float64"}
    rules: ClassVar[Rules] = {"topic is a topic": lambda table: ~table.topic.isin(TOPICS)}
    key: ClassVar[tuple[str, ...]] = ()


class Contradictory(fields.Table):
    benchmark: str = pa.Field(unique=True)
    low: float

    @pa.dataframe_check(error="never")
    @classmethod
    def never(cls, table: Any) -> Any:
        return table["low"] < table["low"]


@pytest.mark.parametrize("find", [unsound_schemas, loose_keys, loose_columns, unclassified_numbers])
def test_every_table_of_the_catalog_refuses_what_its_names_rule_out(
    schemas: list[Schema], find: Callable[[list[Schema]], list[str]]
) -> None:
    assert len(schemas) > 60
    assert find(schemas) == []


def test_exceptions_are_of_tables_and_columns_that_are_there(schemas: list[Schema]) -> None:
    named = {schema.name: schema for schema in schemas}
    assert [name for name in KEYLESS if name not in named] == []
    measures = [(name, column) for name, columns in NEVER_NULL.items() for column in columns]
    assert [
        (name, column) for name, column in [*OTHERWISE, *ABOVE, *measures] if column not in named[name].columns
    ] == []


def test_a_column_without_its_bounds_or_with_others_is_found() -> None:
    assert loose_columns([read_schema(Loose)]) == [
        "Loose.accuracy: accepts -0.001",
        "Loose.accuracy: accepts 1.001",
        "Loose.n_things: accepts -1",
        "Loose.topic: accepts 'no_such_word'",
    ]
    assert loose_columns([read_schema(ReferenceBins)]) == ["ReferenceBins.potency: may be null"]
    assert loose_columns([read_schema(Narrow)]) == ["Narrow.power: refuses 1"]
    assert loose_columns([read_schema(LooseLarge)]) == [
        "LooseLarge.loss: accepts -0.001",
        "LooseLarge.topic: accepts None",
    ]


def test_a_number_whose_name_says_nothing_is_found() -> None:
    assert unclassified_numbers([read_schema(Loose)]) == ["Loose.widgets: a number of no known meaning"]


def test_a_table_without_a_key_is_found() -> None:
    found = loose_keys([read_schema(Loose), read_schema(LooseLarge)])
    assert found == ["Loose: nothing tells its rows apart", "LooseLarge: nothing tells its rows apart"]


def test_a_table_that_takes_further_columns_and_one_that_takes_nothing_are_found() -> None:
    assert unsound_schemas([read_schema(Loose)]) == ["Loose: accepts another column"]
    assert unsound_schemas([read_schema(Contradictory)]) == [
        "Contradictory: refuses a sound table: ('', 'never')",
    ]
