"""Tables of discoveries: what they refuse."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest

from social_provenance.regions.grid import BINS
from social_provenance.schemas.attribution import OptionalNullScores
from social_provenance.schemas.discoveries import BinTests, MapParts


@pytest.fixture
def tests() -> pd.DataFrame:
    table = pd.DataFrame(BINS, columns=["topic", "format"]).assign(benchmark="quiz", method="influence")
    return table.assign(p=0.2, q=0.5, p_permutation=0.1, p_family=1.0, shrunk=0.0, shrunk_se=0.1)


def test_a_table_of_tests_is_accepted_with_nulls(tests: pd.DataFrame) -> None:
    tests.loc[0, ["p", "q", "p_permutation", "p_family", "shrunk", "shrunk_se"]] = None
    BinTests.validate(tests)


@pytest.mark.parametrize("change", [{"q": 0.1}, {"p_family": 0.05}, {"p": 1.2}, {"shrunk_se": -0.1}])
def test_a_corrected_p_below_its_own_and_what_is_no_probability_are_refused(
    tests: pd.DataFrame, change: dict[str, float]
) -> None:
    with pytest.raises(pa.errors.SchemaError):
        BinTests.validate(tests.assign(**change))


def test_a_missing_bin_is_refused(tests: pd.DataFrame) -> None:
    with pytest.raises(pa.errors.SchemaError, match="every bin has a row"):
        BinTests.validate(tests.iloc[1:])


@pytest.mark.parametrize("part", ["topics", "rest"])
def test_a_part_that_is_none_is_refused(part: str) -> None:
    row: dict[str, Any] = {"benchmark": "quiz", "method": "influence", "part": "noise", "share": 0.4}
    MapParts.validate(pd.DataFrame([row]))
    with pytest.raises(pa.errors.SchemaError):
        MapParts.validate(pd.DataFrame([row | {"part": part}]))


def test_a_null_that_was_not_made_is_no_table() -> None:
    assert OptionalNullScores().validate(None) is None
