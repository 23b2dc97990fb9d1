"""The query audit: every rendering of a benchmark is scored as a benchmark of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.registry import choose, method_names
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.query_set import ITEMS
from social_provenance.gradients.walk.store import GradientStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from social_provenance.artifacts import Parts
    from social_provenance.gradients.methods.settings import ScoringSettings


def plan_audit(corpus: GradientStore, renderings: Mapping[str, Path], settings: ScoringSettings) -> Parts:
    """Describe the scores of documents for every rendering, each with a preconditioner from its own items.

    A preconditioner shared by all renderings would make their maps more alike than they are.

    Args:
        corpus: Gradients of the documents.
        renderings: ``<benchmark>.<rendering>`` -> folder of its query gradients.
        settings: Methods and their parameters.

    Returns:
        A part for each ``<benchmark>.<rendering>``, which is also what its tables call the benchmark.

    Raises:
        AttributionError: If no method compares gradients, a store is empty, or queries and corpus do
            not belong together.
    """
    require_gradient_method(settings)
    return plan_scores(
        corpus, {name: {ITEMS: GradientStore({name: folder})} for name, folder in renderings.items()}, settings
    )


def require_gradient_method(settings: ScoringSettings) -> None:
    """Refuse settings without a method on stored gradients, whose map would not depend on queries or model.

    Raises:
        AttributionError: If no method compares stored gradients.
    """
    if not choose(settings.methods, "store"):
        raise AttributionError(
            f"scoring.methods {list(settings.methods)} has none that compares stored gradients: "
            f"add one of {', '.join(method_names('store'))}"
        )
