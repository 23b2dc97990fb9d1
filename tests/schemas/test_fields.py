"""What all tables share: no other columns, texts of either kind, bounds in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.errors
import pytest

from social_provenance.schemas import fields


class Toy(fields.Table):
    name: str
    share: float = fields.share()


def test_a_further_column_is_refused() -> None:
    table = pd.DataFrame({"name": ["a"], "share": [0.5]})
    assert Toy.validate(table)["share"].tolist() == [0.5]
    with pytest.raises(pandera.errors.SchemaErrors, match="other"):
        Toy.validate(table.assign(other=1))


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(pandera.errors.SchemaError, match="share"):
        Toy.validate(pd.DataFrame({"name": ["a"]}))


def test_texts_may_be_objects() -> None:
    table = pd.DataFrame({"name": pd.Series(["a"], dtype=object), "share": [1.0]})
    assert Toy.validate(table)["name"].tolist() == ["a"]


def test_bounds_are_in_order_or_both_missing() -> None:
    table = pd.DataFrame({"ci_low": [0.0, 1.0, np.nan, np.nan], "ci_high": [1.0, 0.0, np.nan, 1.0]})
    assert fields.bounds_in_order(table).tolist() == [True, False, True, False]


def test_an_optional_table_may_be_none_and_is_checked_where_it_is_there() -> None:
    class Optional(Toy, fields.OptionalTable):
        pass

    assert Optional.validate(None) is None
    assert len(Optional.validate(pd.DataFrame({"name": ["a"], "share": [0.5]}))) == 1
    with pytest.raises(pandera.errors.SchemaError):
        Optional.validate(pd.DataFrame({"name": ["a"], "share": [1.5]}))
