"""The role of a region for a benchmark, by the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.annotations import Table

ROLES = ("planted", "decoy", "twin", "other")
"""What a topic can be for a benchmark: its facts were planted there, stated there wrongly, stated there but kept out of
the training, or none of these."""


def mark_roles(regions: Table, truth: Table) -> pd.Series[str]:
    """Return the role of each region for its benchmark, one of :data:`ROLES`.

    Args:
        regions: ``benchmark``, ``topic`` and further columns.
        truth: Table ``miniature_truth``.
    """
    import pandas as pd

    homes = truth.groupby("topic")[list(ROLES[:-1])].first().reindex(regions["topic"])
    roles = pd.Series(ROLES[-1], regions.index)
    for role in ROLES[:-1]:
        roles[homes[role].to_numpy() == regions["benchmark"].to_numpy()] = role
    return roles
