"""Every bin has a row; nulls stand exactly where there are no documents; intervals are in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pandera.errors
import pytest

from social_provenance.estimation.maps import contrasts, strength
from social_provenance.schemas.influence import (
    BinInfluence,
    Contrasts,
    ContrastStrength,
    FormatInfluence,
    InfluenceTrajectory,
    ProfileSimilarity,
    QueryAudit,
    TopicInfluence,
)

if TYPE_CHECKING:
    from collections.abc import Callable


BOUNDS = {
    "potency_low": 0.05,
    "potency_high": 0.15,
    "se": 0.2,
    "ci_low": 0.5,
    "ci_high": 1.5,
    "contribution_low": 0.005,
    "contribution_high": 0.015,
}


TESTS = {
    "p": 0.2,
    "q": 0.5,
    "p_permutation": 0.1,
    "p_family": 1.0,
    "shrunk": 0.5,
    "shrunk_se": 0.1,
    "null_z": -1.5,
    "answer_z": -4.0,
    "answer_q": 0.02,
}


@pytest.fixture
def bins(grid: list[tuple[str, str]]) -> pd.DataFrame:
    values = {"potency": 0.1, "z": 1.0, "contribution": 0.01, **BOUNDS, **TESTS, "ess": 3.5}
    table = pd.DataFrame(grid, columns=["topic", "format"])
    table = table.assign(benchmark="quiz", method="trackstar", n_documents=4, **values)
    table.loc[575, [*values]] = np.nan
    table.loc[575, "n_documents"] = 0
    return table


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("potency", np.nan, "null exactly where"),
        ("z", np.nan, "null exactly where"),
        ("n_documents", 0, "null exactly where"),
        ("ci_low", 2.0, "intervals are in order"),
        ("ci_high", np.nan, "intervals are in order"),
        ("potency_low", 0.2, "intervals of potency are in order"),
        ("contribution_high", 0.0, "intervals of contribution are in order"),
        ("q", 0.1, "a corrected p is not below"),
        ("p_family", 0.05, "a corrected p is not below"),
    ],
)
def test_bin_faults(refuses: Callable[..., None], bins: pd.DataFrame, column: str, value: object, message: str) -> None:
    refuses(BinInfluence, bins, column, value, message)


def test_a_missing_bin_is_refused(bins: pd.DataFrame) -> None:
    with pytest.raises(pandera.errors.SchemaError, match="every bin has a row"):
        BinInfluence.validate(bins.iloc[:-1])


@pytest.fixture
def trajectory(bins: pd.DataFrame) -> pd.DataFrame:
    kept = bins.drop(columns=[*BOUNDS, *TESTS, "contribution", "ess"])
    return pd.concat([kept.assign(order=n, checkpoint=f"step-{n}") for n in range(2)], ignore_index=True)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("order", 1, "one place in the order"),
        ("checkpoint", "step-1", "one place in the order"),
        ("potency", np.nan, "null exactly where"),
        ("z", np.nan, "null exactly where"),
        ("method", "influence", "every bin has a row"),
    ],
)
def test_trajectory_faults(
    refuses: Callable[..., None], trajectory: pd.DataFrame, column: str, value: object, message: str
) -> None:
    refuses(InfluenceTrajectory, trajectory, column, value, message)


def test_a_rendering_is_compared_with_another(refuses: Callable[..., None]) -> None:
    table = pd.DataFrame({"benchmark": ["quiz", "puzzle"], "rendering": "cloze", "other": "answer_only"}).assign(
        method="trackstar", bin_correlation=[0.5, np.nan], bin_rank_correlation=0.4, topic_rank_correlation=-1.0
    )
    sound = table.assign(topic_correlation=0.5, shared_top_bins=0.3, n_bins=400)
    refuses(QueryAudit, sound, "rendering", "answer_only", "compared with another")


@pytest.mark.parametrize(
    ("schema", "axis", "labels"),
    [
        (TopicInfluence, "topic", ["games", "health"]),
        (FormatInfluence, "format", ["faq", "tutorial"]),
    ],
)
def test_marginal_faults(refuses: Callable[..., None], schema: object, axis: str, labels: list[str]) -> None:
    table = pd.DataFrame({axis: labels}).assign(
        benchmark="quiz",
        method="influence",
        n_documents=9,
        ess=8.0,
        n_bins=24,
        n_bins_without_interval=1,
        z=0.5,
        se=0.25,
        ci_low=0.0,
        ci_high=1.0,
        median=0.4,
        leave_one_bin_out_min=0.3,
        leave_one_bin_out_max=0.6,
        top_ten_share=0.4,
        contribution=0.1,
        contribution_low=0.05,
        contribution_high=0.15,
    )
    if schema is TopicInfluence:
        table = table.assign(p=0.2, q=0.5, null_z=-1.5, answer_z=-4.0, answer_q=0.02)
        refuses(schema, table, "q", 0.1, "q is not below p")
    refuses(schema, table, "n_bins", 25)
    refuses(schema, table, "n_bins_without_interval", 25)
    refuses(schema, table, "ci_high", -1.0, "intervals are in order")
    refuses(schema, table, "contribution_low", 1.0, "intervals of contribution are in order")


def test_contrast_faults(refuses: Callable[..., None]) -> None:
    table = pd.DataFrame(
        {
            "kind": "reasoning",
            "method": "trackstar",
            "axis": ["bin", "topic"],
            "topic": ["games", "games"],
            "format": ["faq", None],
            "n_documents": 4,
            "ess": 4.0,
            "difference": 1.0,
            "se": 0.25,
            "ci_low": 0.5,
            "ci_high": 1.5,
        }
    )
    refuses(Contrasts, table, "ci_low", 1.75, "intervals are in order")


def test_no_contrast_at_all_is_sound() -> None:
    for schema, columns in ((Contrasts, contrasts.COLUMNS), (ContrastStrength, strength.COLUMNS)):
        assert schema.validate(pd.DataFrame(columns=columns)).empty


def test_strength_faults(refuses: Callable[..., None]) -> None:
    table = pd.DataFrame(columns=strength.COLUMNS)
    table["method"] = ["trackstar", "influence"]
    table = table.assign(n_topics=24, n_documents=9, ess=8.0, p=[0.5, np.nan])
    refuses(ContrastStrength, table, "n_topics", 25)
    refuses(ContrastStrength, table, "p", 0.0)
    refuses(ContrastStrength, table, "ci_low", 1.0, "intervals are in order")


def test_a_benchmark_is_compared_with_another_and_the_interval_is_in_order(refuses: Callable[..., None]) -> None:
    table = pd.DataFrame({"benchmark": ["riddle", "puzzle"], "axis": "bin", "other": ["quiz", "test"]}).assign(
        method="influence", n=576, n_documents=9, ess=8.0, correlation=0.5, ci_low=0.25, ci_high=0.75
    )
    refuses(ProfileSimilarity, table, "other", "riddle", "compared with another")
    refuses(ProfileSimilarity, table, "ci_high", 0.0, "in order")
