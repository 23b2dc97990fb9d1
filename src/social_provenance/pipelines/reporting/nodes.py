"""Nodes of the reporting that compute; the others are functions of ``figures`` and ``report`` themselves."""

from __future__ import annotations

from social_provenance.annotations import Table
from social_provenance.interventions import verdicts


def give_verdicts(
    explained: Table,
    topics: Table,
    patched: Table | None,
    retrained: Table | None,
    unlearned: Table | None,
    method: str,
) -> Table:
    """Return the verdicts on the map of each benchmark, from what was run."""
    return verdicts.give_verdicts(explained, topics, patched, retrained, unlearned, method)
