"""Contradictions in the plan of patches and retrainings are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.interventions.settings import Counterfactual, TailPatch


@pytest.mark.parametrize("doses", [(2, 1), (1, 1), ()])
def test_doses_rise(doses: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        TailPatch(doses=doses)


@pytest.mark.parametrize("given", [{"repeats": 1}, {"level": "format"}, {"items": 0}, {"topic": "games"}])
def test_a_patch_without_sense_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TailPatch.model_validate(given)


@pytest.mark.parametrize("given", [{"seeds": [0]}, {"seeds": [0, 0]}, {"topics": ["games", "games"]}])
def test_a_retraining_without_sense_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Counterfactual.model_validate(given)


def test_the_defaults_are_plans() -> None:
    assert TailPatch().doses[-1] == max(TailPatch().doses)
    assert len(Counterfactual().seeds) == 2
