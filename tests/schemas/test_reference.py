"""Tables of maps held against each other: sound ones pass, empty ones too, a planted fault does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.errors
import pytest

from social_provenance.schemas import reference

if TYPE_CHECKING:
    from collections.abc import Callable

MEASURES: dict[str, Any] = {
    "bin_correlation": [0.5, np.nan],
    "bin_rank_correlation": 0.4,
    "topic_correlation": 1.0,
    "topic_rank_correlation": -1.0,
    "shared_top_bins": 0.3,
    "n_bins": 500,
}
CARRIED: dict[str, Any] = {
    "leave_one_bin_out_min": -0.1,
    "leave_one_bin_out_max": 0.7,
    "extreme_topic": ["games", None],
    "extreme_format": ["faq", None],
    "without_extreme": [0.7, np.nan],
}
MEAN: dict[str, Any] = {
    "n_bins": 24,
    "median": 0.1,
    "leave_one_bin_out_min": -0.1,
    "leave_one_bin_out_max": 0.7,
    "extreme_format": ["faq", None],
    "extreme_value": [16.0, np.nan],
    "without_extreme": [-0.1, np.nan],
}
SIGNATURE: dict[str, Any] = {
    "source": "published",
    "benchmark": "quiz",
    "rank": [1, 2],
    "topic": "games",
    "format": "faq",
    "z": 2.0,
    "z_others": -1.0,
    "distinctiveness": 3.0,
    "topic_z": 0.5,
    "topic_z_without": [0.2, np.nan],
}
SOUND: dict[str, dict[str, Any]] = {
    "MethodAgreement": {"benchmark": ["quiz", "puzzle"], "method": "influence", "other": "length", **MEASURES},
    "ReferenceTopics": {"source": "published", "benchmark": "quiz", "topic": ["games", "health"], "z": 0.6, **MEAN},
    "ReferenceContrasts": {
        "kind": "reasoning",
        "source": "published",
        "topic": ["games", "health"],
        "difference": 0.9,
        **MEAN,
    },
    "ReferenceSignatures": SIGNATURE,
    "ReferenceSimilarity": {
        "source": "published",
        "benchmark": "quiz",
        "other": ["puzzle", "sums"],
        **MEASURES,
        **CARRIED,
    },
    "ReferenceAgreement": {"benchmark": ["quiz", "puzzle"], "method": "influence", **MEASURES, **CARRIED},
}


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("MethodAgreement", "other", "influence", "compared with another"),
        ("MethodAgreement", "n_bins", 577, "n_bins"),
        ("ReferenceTopics", "without_extreme", 0.9, "leave_one_bin_out_min <= without_extreme"),
        ("ReferenceTopics", "n_bins", 25, "n_bins"),
        ("ReferenceSimilarity", "without_extreme", 0.9, "leave_one_bin_out_min <= without_extreme"),
        ("ReferenceAgreement", "leave_one_bin_out_min", -1.5, "leave_one_bin_out_min"),
    ],
)
def test_faults(refuses: Callable[..., None], name: str, column: str, value: object, message: str) -> None:
    refuses(getattr(reference, name), pd.DataFrame(SOUND[name]), column, value, message)


@pytest.fixture
def bins(grid: list[tuple[str, str]]) -> pd.DataFrame:
    table = pd.DataFrame(grid, columns=["topic", "format"])
    return table.assign(benchmark="quiz", n_documents=10000, potency=1e-6, z=0.5)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("n_documents", 0, "n_documents"),
        ("benchmark", "puzzle", "every bin has a row"),
    ],
)
def test_bin_faults(refuses: Callable[..., None], bins: pd.DataFrame, column: str, value: object, message: str) -> None:
    refuses(reference.ReferenceBins, bins, column, value, message)


def test_a_missing_bin_is_refused(bins: pd.DataFrame) -> None:
    with pytest.raises(pandera.errors.SchemaError, match="every bin has a row"):
        reference.ReferenceBins.validate(bins.iloc[1:])


@pytest.mark.parametrize("name", [*SOUND, "ReferenceBins"])
def test_no_reference_at_all_is_sound(name: str, bins: pd.DataFrame) -> None:
    sound = bins if name == "ReferenceBins" else pd.DataFrame(SOUND[name])
    assert getattr(reference, name).validate(pd.DataFrame(columns=list(sound))).empty
