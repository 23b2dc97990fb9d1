"""Contradictions in the plan of patches and retrainings are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.interventions.settings import Counterfactual, TailPatch


@pytest.mark.parametrize("doses", [(2, 1), (1, 1), ()])
def test_doses_rise(doses: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        TailPatch(doses=doses)


def test_the_defaults_are_plans() -> None:
    assert TailPatch().doses[-1] == max(TailPatch().doses)
    assert len(Counterfactual().seeds) == 2
