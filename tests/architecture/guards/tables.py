"""Tables: a column's name means the same in every schema that the catalog names, and a break of it is refused.

A sound table is made up from a schema's own declaration; one fault at a time is put into it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
import pandera.errors

from guards.meaning import ABOVE, FREE, KEYLESS, NEVER_NULL, OTHERWISE, RANGES, SOUND, UNWRITTEN, WORDS
from social_provenance.errors import ArtifactError
from social_provenance.regions.grid import BINS
from social_provenance.schemas.large import LargeTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guards.project import Project

SMALL = 1e-3
"""How far beyond a bound a fraction is tried; a whole number is tried at the next one."""


@dataclass(frozen=True)
class Schema:
    """A schema that the catalog names: Pandera's, or one of ours for large tables.

    Attributes:
        name: Of its class.
        kind: The class.
        columns: Name -> ``int``, ``float``, ``bool``, ``str``, ``object``, ``array`` or ``binary``.
        words: Column -> what its schema lets stand in it.
        nullable: Columns that may be null; None for large tables, which do not say.
        key: Columns that tell rows apart, together; empty: there are none.
        rules: What it says of whole rows, or of the whole table.
    """

    name: str
    kind: Any
    columns: Mapping[str, str]
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    nullable: frozenset[str] | None = None
    key: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def large(self) -> bool:
        """Whether it is one of ours, for large tables."""
        return issubclass(self.kind, LargeTable)

    def sound(self) -> pd.DataFrame:
        """Return a table that the schema has to let pass: two rows, or one for each bin."""
        bins = any("every bin has a row" in rule for rule in self.rules)
        rows = BINS if bins else BINS[:2]
        free = [name for name in self.key if self.columns[name] == "str" and name not in self.words]
        free = free or [name for name in self.key if self.columns[name] == "str"]
        table = {}
        for name in self.columns:
            values = [self._value(name, row if name in free and not bins else 0) for row in range(len(rows))]
            table[name] = SOUND.get(self.name, {}).get(name, values)
        frame = pd.DataFrame(table, index=range(len(rows)))
        if bins:
            frame[["topic", "format"]] = [list(pair) for pair in BINS]
        return frame

    def _value(self, name: str, row: int) -> Any:
        if name in UNWRITTEN and self.nullable is not None:
            return None
        words = self.words.get(name) or _meant(WORDS, name)
        if words:
            return list(words)[row]
        low, high = _meant(RANGES, name) or (1, None)
        number = next(value for value in (1, 2, 0) if (high is None or value <= high) and (low is None or value >= low))
        return {
            "str": f"{name} {row}",
            "int": int(number),
            "float": float(number),
            "bool": True,
            "object": [f"{name} {row}"],
            "array": [1],
            "binary": b"1",
        }[self.columns[name]]

    def complaints(self, table: pd.DataFrame) -> set[tuple[str, str]]:
        """Return what the schema says against a table: (column, rule), the column empty for rules of whole rows."""
        if self.large:
            try:
                self.kind().validate(self._large(table))
            except ArtifactError as error:
                return {("", str(error))}
            return set()
        try:
            self.kind.validate(table, lazy=True)
        except pandera.errors.SchemaErrors as error:
            return {
                ("" if case.schema_context == "DataFrameSchema" else str(case.column), str(case.check))
                for case in error.failure_cases.itertuples()
            }
        return set()

    def refuses(self, values: Mapping[str, Any]) -> set[str]:
        """Return the columns whose value a check of theirs refuses; the checks are asked themselves, all at once."""
        if not values:
            return set()
        if not self.large:
            checks = {name: self.kind.to_schema().columns[name].checks for name in values}
            return {
                name
                for name, value in values.items()
                if not all(check(pd.Series([value])).check_output.all() for check in checks[name])
            }
        # A row for each value: a null is no answer of a rule, and so no break of it.
        sound = {name: self._value(name, 0) for name in self.columns} | SOUND.get(self.name, {})
        rows = pd.DataFrame([{**sound, name: value} for name, value in values.items()], columns=[*self.columns])
        table = self._large(rows.assign(place_of_value=range(len(values))))
        rules = {f"rule_{place}": rule(table) for place, rule in enumerate(self.kind.rules.values())}
        answers = table.select("place_of_value", **rules).execute().sort_values("place_of_value")
        broken = answers.drop(columns="place_of_value").fillna(False).any(axis=1)
        return {name for name, lost in zip(values, broken, strict=True) if lost}

    def _large(self, table: pd.DataFrame) -> Any:
        kinds = {str(name): self.kind.columns.get(name, "int64") for name in table}
        return ibis.memtable(table, schema=ibis.schema(kinds))


def read_schemas(project: Project) -> list[Schema]:
    """Return every schema that a catalog entry names, once."""
    found = {}
    for entry in project.catalog.values():
        validator = entry.get("validator")
        if validator:
            module, _, name = (validator if isinstance(validator, str) else validator["class"]).rpartition(".")
            found[name] = read_schema(getattr(import_module(module), name))
    return [found[name] for name in sorted(found)]


def read_schema(kind: Any) -> Schema:
    """Return a schema as it declares itself."""
    if issubclass(kind, LargeTable):
        names = {"string": "str", "int64": "int", "float64": "float", "binary": "binary"}
        columns = {name: names.get(own, "array") for name, own in kind.columns.items()}
        return Schema(kind.__name__, kind, columns, key=tuple(kind.key), rules=tuple(kind.rules))
    declared = kind.to_schema()
    own = declared.columns
    unique = [name for name, column in own.items() if column.unique]
    return Schema(
        kind.__name__,
        kind,
        {name: _kind(str(column.dtype)) for name, column in own.items()},
        {name: words for name, column in own.items() if (words := _words(column))},
        frozenset(name for name, column in own.items() if column.nullable),
        tuple(unique or declared.unique or ()),
        tuple(str(check.error) for check in declared.checks),
    )


def unsound_schemas(schemas: Sequence[Schema]) -> list[str]:
    """Find schemas that refuse a table which is as they declare it, or accept one that is of other columns."""
    found = []
    for schema in schemas:
        sound = schema.sound()
        found += [f"{schema.name}: refuses a sound table: {said}" for said in sorted(schema.complaints(sound))]
        needed = [name for name in schema.columns if schema.nullable is None or name not in schema.nullable]
        first = next(iter(schema.key), needed[0])
        others = {f"no {first}": sound.drop(columns=first), "another column": sound.assign(one_more=1)}
        found += [f"{schema.name}: accepts {what}" for what, table in others.items() if not schema.complaints(table)]
        unfit = {} if schema.large else _unfit(schema, needed)
        refused = {name for name, _ in schema.complaints(_with_first(sound, unfit))} if unfit else set()
        found += [f"{schema.name}.{name}: accepts {value!r}" for name, value in unfit.items() if name not in refused]
    return found


def _unfit(schema: Schema, needed: Sequence[str]) -> dict[str, Any]:
    """Return a null and a text, each in a column that must not have it."""
    number = next((name for name in needed if schema.columns[name] in ("int", "float")), None)
    # A null that is cast to a truth value is false.
    strict = next((name for name in needed if schema.columns[name] != "bool" and name != number), None)
    return {name: value for name, value in ((strict, None), (number, "no_number")) if name}


def _with_first(table: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    cells = {name: [value, *table[name].tolist()[1:]] for name, value in values.items()}
    return table.assign(**{name: pd.Series(own, dtype=object) for name, own in cells.items()})


def loose_keys(schemas: Sequence[Schema]) -> list[str]:
    """Find schemas that do not say what tells rows apart, or accept two rows that nothing does."""
    found = []
    for schema in schemas:
        if not schema.key:
            if schema.name not in KEYLESS:
                found.append(f"{schema.name}: nothing tells its rows apart")
            continue
        sound = schema.sound()
        said = schema.complaints(pd.concat([sound.iloc[[0, 0]], sound.iloc[2:]], ignore_index=True))
        if not any("unique" in rule or "another row has" in rule for _, rule in said):
            found.append(f"{schema.name}: accepts two rows of one {' and '.join(schema.key)}")
        if schema.large:
            for name in schema.key:
                if not schema.complaints(schema.sound().assign(**{name: None})):
                    found.append(f"{schema.name}: accepts a null in its key, {name}")
    return found


def loose_columns(schemas: Sequence[Schema]) -> list[str]:
    """Find columns that accept what their name rules out, or refuse what it allows."""
    found = []
    for schema in schemas:
        must = NEVER_NULL.get(schema.name, ())
        found += [f"{schema.name}.{name}: may be null" for name in must if name in (schema.nullable or ())]
        for faults in _faults(schema):
            found += [
                f"{schema.name}.{name}: accepts {faults[name]!r}" for name in faults.keys() - schema.refuses(faults)
            ]
        for fine in _bounds(schema):
            found += [f"{schema.name}.{name}: refuses {fine[name]!r}" for name in schema.refuses(fine)]
    return sorted(found)


def unclassified_numbers(schemas: Sequence[Schema]) -> list[str]:
    """Find numbers whose name means nothing yet: each has a range, or is said to be free."""
    return [
        f"{schema.name}.{name}: a number of no known meaning"
        for schema in schemas
        for name, kind in schema.columns.items()
        if kind in ("int", "float") and _meant(RANGES, name) is None and not re.fullmatch(FREE, name)
    ]


def _faults(schema: Schema) -> list[dict[str, Any]]:
    """Return values of columns that are to be refused: below their range, above it, no word that they may have."""
    beyond = [
        {
            name: span[end] + step * (1 if schema.columns[name] == "int" else SMALL)
            for name, span in _ranges(schema).items()
            if span[end] is not None
        }
        for end, step in ((0, -1), (1, 1))
    ]
    worded = [name for name in schema.columns if _meant(WORDS, name) and (schema.name, name) not in OTHERWISE]
    faults = [*beyond, dict.fromkeys([*schema.words, *worded], "no_such_word")]
    # Pandera asks for nulls itself; rules of large tables have to.
    return [*faults, dict.fromkeys(name for name in worded if name not in schema.key)] if schema.large else faults


def _bounds(schema: Schema) -> list[dict[str, Any]]:
    """Return least and largest values; of counts and the like a table may ask for more than their name does."""
    spans = {name: span for name, span in _ranges(schema).items() if None not in span}
    return [
        {name: span[end] for name, span in spans.items() if end or (schema.name, name) not in ABOVE} for end in (0, 1)
    ]


def _ranges(schema: Schema) -> dict[str, tuple[float | None, float | None]]:
    return {
        name: span
        for name, kind in schema.columns.items()
        if kind in ("int", "float") and (schema.name, name) not in OTHERWISE
        if not re.fullmatch(FREE, name) and (span := _meant(RANGES, name))
    }


def _meant(table: Mapping[str, Any], name: str) -> Any:
    """Return what a table of names says of one, or None."""
    return next((meaning for names, meaning in table.items() if re.fullmatch(names, name)), None)


def _kind(dtype: str) -> str:
    return next((kind for kind in ("int", "float", "bool", "object") if dtype.startswith(kind)), "str")


def _words(column: Any) -> tuple[str, ...]:
    return next((tuple(check.statistics["allowed_values"]) for check in column.checks if check.name == "isin"), ())
