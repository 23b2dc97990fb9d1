"""Unlearning algorithms, one a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.forgetting.objectives.ngdiff import ngdiff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from social_provenance.forgetting.batches import Batch

    Objective = Callable[[Any, Batch, Batch], dict[str, float]]
    """(model, forget batch, retain batch) -> what was measured; leaves the gradient on the model."""

OBJECTIVES: Mapping[str, Objective] = {"ngdiff": ngdiff}
"""Name in the parameters -> algorithm."""
