"""Costs: complete, finite, and growing with what is processed; unknown is null, not nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from social_provenance.planning.costs import COSTS, estimate_costs
from social_provenance.planning.sizes import Sizes
from social_provenance.planning.stages import STAGES

if TYPE_CHECKING:
    from social_provenance.planning.found import Found

ALL = [stage.pipeline for stage in STAGES]


def test_every_stage_has_hours_memory_and_disk(found: Found) -> None:
    costs = estimate_costs(found, ALL)
    assert list(costs) == list(COSTS)
    assert all(cost.seconds is not None and cost.seconds > 0 for cost in costs.values())
    assert all(min(cost.host, cost.disk, cost.spill) >= 0 for cost in costs.values())


def test_only_the_stages_of_the_pipelines_that_run_are_planned(found: Found) -> None:
    assert list(estimate_costs(found, ["corpus", "reporting"])) == ["read", "clean", "report"]


@pytest.mark.parametrize("tried", [True, False])
def test_more_of_everything_takes_no_less(found: Found, *, tried: bool) -> None:
    found = found if tried else replace(found, trials={})
    doubled = Sizes(**{name: 2 * count for name, count in vars(found.sizes).items()})
    less, more = estimate_costs(found, ALL), estimate_costs(replace(found, sizes=doubled), ALL)
    for stage in less:
        pair = less[stage].seconds, more[stage].seconds
        assert None not in pair
        assert pair[0] <= pair[1], stage  # type: ignore[operator]
        assert less[stage].disk <= more[stage].disk
