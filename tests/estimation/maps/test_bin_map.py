"""The map alone is the map of the aggregation, and what it leaves out is the intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import AttributionError
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.maps.aggregate import aggregate
from social_provenance.estimation.maps.bin_map import bin_map
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable

    Tables = Callable[..., tuple[Any, Any, Any]]

KEY = ["benchmark", "method", "topic", "format"]


@pytest.fixture
def given(tables: Tables) -> tuple[Any, Any, Any]:
    """Return two benchmarks over a third of the bins, one to four documents in each."""
    rng = np.random.default_rng(0)
    sizes = {bin_: int(rng.integers(1, 5)) for bin_ in BINS[::3]}
    return tables({name: {bin_: rng.normal(size=n) for bin_, n in sizes.items()} for name in ("a", "b")})


def test_it_is_the_map_of_the_aggregation(given: tuple[Any, Any, Any]) -> None:
    scores, labels, prevalence = given
    other = scores.assign(method="influence", score=scores["score"] ** 3)
    both = pd.concat([scores, other], ignore_index=True)
    own = bin_map(both, labels).set_index(KEY)
    full = aggregate(both, labels, prevalence, Bootstrap(replicates=2)).bins().set_index(KEY)
    assert list(own) == ["n_documents", "potency", "z"]
    assert len(own) == 4 * len(BINS)
    pd.testing.assert_frame_equal(own, full.loc[own.index, list(own)], rtol=1e-12)


def test_neither_the_order_of_rows_nor_labels_of_other_documents_matter(given: tuple[Any, Any, Any]) -> None:
    scores, labels, _ = given
    more = pd.concat([labels.iloc[::-1], labels.head(3).assign(doc_id=["x", "y", "z"])])
    mixed = bin_map(scores.sample(frac=1, random_state=0), more.assign(text="long")).set_index(KEY)
    plain = bin_map(scores, labels).set_index(KEY)
    pd.testing.assert_frame_equal(mixed.loc[plain.index], plain, rtol=1e-12)


@pytest.mark.parametrize("bins", [BINS[:1], BINS[:5]])
def test_a_map_without_spread_has_no_standard_deviation_to_divide_by(
    tables: Tables, bins: list[tuple[str, str]]
) -> None:
    scores, labels, prevalence = tables({"a": {bin_: [2.0] for bin_ in bins}})
    table = bin_map(scores, labels)
    assert table["z"].dropna().tolist() == [0.0] * len(bins)
    known = aggregate(scores, labels, prevalence, Bootstrap(replicates=2)).bins() if len(bins) > 1 else table
    np.testing.assert_array_equal(table["z"], known["z"])


def test_a_document_without_a_label_is_refused(given: tuple[Any, Any, Any]) -> None:
    scores, labels, _ = given
    lost = labels["doc_id"].iloc[-1]
    with pytest.raises(AttributionError, match=f"document '{lost}' has scores and is not in the working set"):
        bin_map(scores, labels.iloc[:-1])
