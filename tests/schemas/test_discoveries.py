"""Tables of discoveries: what they refuse."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest

from social_provenance.schemas.attribution import OptionalNullScores
from social_provenance.schemas.discoveries import MapParts


@pytest.mark.parametrize("part", ["topics", "rest"])
def test_a_part_that_is_none_is_refused(part: str) -> None:
    row: dict[str, Any] = {"benchmark": "quiz", "method": "influence", "part": "noise", "share": 0.4}
    MapParts.validate(pd.DataFrame([row]))
    with pytest.raises(pa.errors.SchemaError):
        MapParts.validate(pd.DataFrame([row | {"part": part}]))


def test_a_null_that_was_not_made_is_no_table() -> None:
    assert OptionalNullScores().validate(None) is None
