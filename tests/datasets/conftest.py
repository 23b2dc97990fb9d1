"""How a dataset refuses: Kedro wraps the error that the user can put right."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from kedro.io import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from social_provenance.errors import ProvenanceError


@contextmanager
def refused(kind: type[ProvenanceError], *pieces: str) -> Iterator[None]:
    """Expect a dataset to refuse with an error of a kind whose one line has all pieces."""
    with pytest.raises(DatasetError) as caught:
        yield
    cause = caught.value.__cause__
    assert type(cause) is kind
    assert "\n" not in str(cause)
    assert [piece for piece in pieces if piece not in str(cause)] == []


@pytest.fixture(scope="session", name="refused")
def _refused_fixture() -> Callable[..., AbstractContextManager[None]]:
    """Return :func:`refused`."""
    return refused
