"""Laws: in units of the machine, linear in their counts."""

from __future__ import annotations

import pytest

from social_provenance.planning.laws import REFERENCE_SECONDS, SHARE, Law, Machine, measure_machine

COUNTS = {"cells": 100.0}
LAW = Law(2.0, {"cells": 0.5})


def test_a_machine_half_as_fast_takes_twice_as_long() -> None:
    one, slow = Machine(REFERENCE_SECONDS, None), Machine(2 * REFERENCE_SECONDS, None)
    assert LAW.at(COUNTS, one) == pytest.approx(52.0)
    assert LAW.at(COUNTS, slow) == pytest.approx(104.0)


def test_passes_take_their_operations_by_the_share_of_the_rate() -> None:
    assert Machine(1.0, 1e9).passes(1e9) == pytest.approx(1 / SHARE)
    assert Machine(1.0, None).passes(1e9) is None


def test_a_machine_is_measured_as_far_as_it_has_the_device() -> None:
    here = measure_machine("fp32", None, has_device=True)
    assert here.flops is not None
    assert here.flops > 0
    assert here.tables > 0
    assert measure_machine("fp32", None, has_device=False).flops is None
    assert measure_machine("fp32", 2.0, has_device=False).flops == 2e12
