"""Costs of stages that run the model: by its device where it is not tried, shared by its processes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from social_provenance.planning.costs import estimate_costs
from social_provenance.planning.laws import REFERENCE_SECONDS, Machine

if TYPE_CHECKING:
    from social_provenance.planning.found import Found


def test_without_trials_a_slower_device_takes_longer_and_an_unknown_one_is_unknown(found: Found) -> None:
    untried = replace(found, trials={})
    fast = estimate_costs(untried, ["attribution"])["walk"]
    slow = estimate_costs(replace(untried, machine=Machine(REFERENCE_SECONDS, 1e10)), ["attribution"])["walk"]
    unknown = estimate_costs(replace(untried, machine=Machine(REFERENCE_SECONDS, None)), ["attribution"])["walk"]
    assert fast.seconds is not None
    assert slow.seconds == pytest.approx(10 * fast.seconds)
    assert (unknown.seconds, unknown.by) == (None, "unknown")
    assert (fast.tokens, fast.disk) == (unknown.tokens, unknown.disk)


def test_two_processes_halve_the_runs(found: Found) -> None:
    settings = found.study.unlearning
    times = []
    for processes in (1, 2):
        study = replace(found.study, unlearning=settings.model_copy(update={"processes": processes}))
        cost = estimate_costs(replace(found, study=study), ["unlearning"])["unlearn"]
        times.append(cost.seconds)
    starts, runs = 3.0, found.sizes.runs * 2.0
    assert times[0] - times[1] == pytest.approx(runs / 2 - starts)  # type: ignore[operator]
