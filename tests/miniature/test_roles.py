"""Every region has one role for a benchmark, by its topic alone."""

from __future__ import annotations

import pandas as pd
import pytest

from social_provenance.miniature.roles import ROLES, mark_roles

TRUTH = pd.DataFrame(
    [
        ("games", "quiz", None, None),
        ("health", None, "quiz", None),
        ("politics", None, None, "quiz"),
        ("history", *[None] * 3),
    ],
    columns=["topic", "planted", "decoy", "twin"],
)


@pytest.mark.parametrize("shuffled", [0, 1])
def test_a_region_has_the_role_of_its_topic_for_its_own_benchmark_alone(shuffled: int) -> None:
    regions = pd.DataFrame(
        [(name, topic) for name in ("quiz", "riddle") for topic in TRUTH["topic"]], columns=["benchmark", "topic"]
    ).sample(frac=1, random_state=shuffled)
    marked = regions.assign(role=mark_roles(regions, TRUTH)).set_index(["benchmark", "topic"])["role"]
    assert marked["quiz"][TRUTH["topic"]].tolist() == list(ROLES)
    assert set(marked["riddle"]) == {"other"}


def test_all_documents_of_a_topic_say_the_same_of_it() -> None:
    regions = pd.DataFrame({"benchmark": "quiz", "topic": ["games", "health"]})
    twice = pd.concat([TRUTH, TRUTH.iloc[::-1]], ignore_index=True)
    assert mark_roles(regions, twice).tolist() == ["planted", "decoy"]
