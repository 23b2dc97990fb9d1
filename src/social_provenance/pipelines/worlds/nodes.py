"""Nodes of the studies of other worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from social_provenance.artifacts import Parts
from social_provenance.interventions import worlds as studies


def study_worlds(parameters: dict[str, Any], worlds: int) -> Parts:
    """Return a description of the study of each world; the catalog runs them when it saves it."""
    return studies.plan_worlds(parameters, worlds)


def gather_worlds(folders: dict[str, Path]) -> tuple[Any, Any]:
    """Return how well each method recovers the planted topics of each world, and the effects of unlearning there."""
    return studies.gather_metrics(folders), studies.gather_effects(folders)
