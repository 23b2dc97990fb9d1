"""Nodes of the reporting that compute; the others are functions of ``figures`` and ``report`` themselves."""

from __future__ import annotations

from social_provenance.annotations import Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.interventions import verdicts


def give_verdicts(
    explained: Table, retrained: Table | None, unlearned: Table, evaluation: Evaluation, method: str
) -> Table:
    """Return the verdicts on the map of each benchmark, from what was run."""
    names = [benchmark.name for benchmark in evaluation.benchmarks]
    return verdicts.give_verdicts(explained, retrained, unlearned, names, method)
