"""Nodes of the bench over worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.artifacts import Parts
from social_provenance.interventions import worlds as studies


def study_worlds(parameters: dict[str, Any], worlds: int) -> Parts:
    """Return the study of each world; each is made once, when saved."""
    return studies.plan_worlds(parameters, worlds)


def gather_worlds(folders: dict[str, Path]) -> tuple[Any, Any]:
    """Return how well each method found what was planted in each world, and what forgetting it did."""
    return studies.gather_metrics(folders), studies.gather_effects(folders)
