"""Columns and weights: learned once, rows of unit length in each group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from social_provenance.labelling.features import fit_features
from social_provenance.labelling.linear import inputs
from social_provenance.labelling.ngrams import GROUPS
from social_provenance.labelling.settings import Light

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

Inputs = tuple[list[str], list[str]]


@pytest.fixture
def read(make_pages: Callable[..., pd.DataFrame]) -> Inputs:
    return inputs(make_pages())


def test_rows_of_the_documents_learned_from_come_out_again(read: Inputs) -> None:
    features, rows = fit_features(*read, Light())
    again = features.rows(*read)
    assert (again != rows).nnz == 0


def test_each_group_has_unit_length_or_nothing(read: Inputs) -> None:
    features, rows = fit_features(*read, Light(min_documents=1))
    for place in range(len(GROUPS)):
        own = rows[:, np.flatnonzero(features.groups == place)]
        lengths = np.sqrt(own.multiply(own).sum(axis=1))
        assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)
    words = rows[:, np.flatnonzero(features.groups == 0)]
    assert (np.diff(words.indptr) > 0).all()


def test_rare_columns_and_the_less_common_are_left_out(read: Inputs) -> None:
    every, _ = fit_features(*read, Light(min_documents=1))
    some, rows = fit_features(*read, Light(min_documents=5))
    few, _ = fit_features(*read, Light(min_documents=1, max_columns=10))
    assert set(some.columns) < set(every.columns)
    assert (np.bincount(rows.indices) >= 5).all()
    assert np.bincount(few.groups).max() == 10
    assert few.idf.max() <= every.idf.max()


def test_of_unknown_words_only_the_shape_is_known(read: Inputs) -> None:
    features, _ = fit_features(*read, Light())
    row = features.rows(["東京 大阪"], [""])
    assert {GROUPS[place].stream for place in features.groups[row.indices]} == {"shapes"}
    assert features.rows([""], [""]).nnz == 0
