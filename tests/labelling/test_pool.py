"""Several processes say what one says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from social_provenance.labelling import pool
from social_provenance.labelling.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from social_provenance.labelling.linear import LinearLabeller


def test_the_number_of_processes_changes_nothing(
    labeller: LinearLabeller,
    make_pages: Callable[..., pd.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labeller.save(tmp_path)
    pages = make_pages(50, seed=4).sample(frac=1, random_state=0)
    monkeypatch.setattr(pool, "PIECE", 7)
    with Pool(tmp_path, 2) as several:
        found, formats = several.predict(pages), several.predict(pages, ["format"])
    pd.testing.assert_frame_equal(found, labeller.predict(pages), check_exact=True)
    pd.testing.assert_frame_equal(formats, found[["format", "format_confidence"]], check_exact=True)
