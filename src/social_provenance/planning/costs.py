"""The cost of each stage of a study: hours, memory, disk, spill, and how each was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.planning import corpus_costs, model_costs
from social_provenance.planning.found import Cost, Found
from social_provenance.planning.stages import stages_of
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REGIONS = len(BINS) + len(TOPICS) + len(FORMATS)
CELL = 100
"""Bytes in memory of a score: document, benchmark, method (``resample_scores``, benchmarks/scale.py)."""
ON_DEVICE = {"pretrain", "queries", "walk", "random_weights", "tail_patch", "unlearn"}
"""Stages whose model runs on a GPU where there is one."""


def estimate_costs(found: Found, pipelines: Sequence[str]) -> dict[str, Cost]:
    """Return the cost of each stage of some pipelines, in their order."""
    return {stage.name: COSTS[stage.name](found) for stage in stages_of(pipelines)}


def _aggregate(found: Found) -> Cost:
    counts = found.counts
    replicates = round(8 * counts["replicated"] * REGIONS)
    disk = replicates + round(30 * counts["cells"]) + 3_000_000
    held = CELL * counts["cells"] + 3 * replicates
    return Cost(found.law("aggregate"), "law", round(held), disk, 0, found.sizes.attributed)


def _effects(found: Found) -> Cost:
    return Cost(found.law("effects"), "law", 100_000_000, 1_000_000)


def _validate(found: Found) -> Cost:
    return Cost(found.law("validate"), "law", 50_000_000, 300_000)


def _report(found: Found) -> Cost:
    return Cost(found.law("report"), "law", 200_000_000, 8_000_000)


COSTS: Mapping[str, Callable[[Found], Cost]] = {
    "make_world": corpus_costs.make_world,
    "read": corpus_costs.read,
    "clean": corpus_costs.clean,
    "label": corpus_costs.label,
    "draw": corpus_costs.draw,
    "pretrain": model_costs.pretrain,
    "tokenise": model_costs.tokenise,
    "queries": model_costs.queries,
    "walk": model_costs.walk,
    "compare": model_costs.compare,
    "random_weights": model_costs.random_weights,
    "aggregate": _aggregate,
    "tail_patch": model_costs.tail_patch,
    "unlearn": model_costs.unlearn,
    "effects": _effects,
    "validate": _validate,
    "report": _report,
}
"""Stage -> function that estimates its cost."""
