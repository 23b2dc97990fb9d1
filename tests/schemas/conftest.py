"""Sound tables, made up, and how a planted fault is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandera.errors
import pytest

from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


@pytest.fixture(scope="session")
def refuses() -> Callable[..., None]:
    """Return a function that asserts that a schema lets a table pass and refuses it with one fault."""

    def check(schema: Any, sound: pd.DataFrame, column: str, value: Any, message: str = "") -> None:
        schema.validate(sound, lazy=True)
        faulty = sound.copy()
        faulty[column] = [value, *faulty[column].tolist()[1:]]
        with pytest.raises(pandera.errors.SchemaErrors, match=message or column):
            schema.validate(faulty, lazy=True)

    return check


@pytest.fixture
def grid() -> list[tuple[str, str]]:
    return list(BINS)
