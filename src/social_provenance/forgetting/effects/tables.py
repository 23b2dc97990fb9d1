"""Statistics of an unlearning study, from the tables of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.forgetting.effects.changes import RunTables, contrast_changes
from social_provenance.forgetting.effects.contrast import EFFECT_COLUMNS, SET_COLUMNS, effect_rows, set_rows, with_q
from social_provenance.forgetting.effects.equivalence import EQUIVALENCE_COLUMNS, equivalence_rows
from social_provenance.forgetting.effects.intervals import Draws

if TYPE_CHECKING:
    import pandas as pd

    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.forgetting.effect_settings import EffectSettings


@dataclass(frozen=True)
class EffectTables:
    """Statistics of a study, as tables.

    Attributes:
        effects: ``unlearning_effects``: difference in differences and influence minus random, one row per contrast,
            outcome and reading.
        sets: ``unlearning_sets``: mean change of every set on every benchmark.
        equivalence: ``unlearning_equivalence``: equivalence tests of arms.
    """

    effects: pd.DataFrame
    sets: pd.DataFrame
    equivalence: pd.DataFrame


def measure_effects(measured: RunTables, settings: EffectSettings, bootstrap: Bootstrap) -> EffectTables:
    """Compare the arms of every contrast.

    Contrasts are read one at a time, so memory beyond the tables is that of one contrast.

    Args:
        measured: Tables of the study; order of rows and names of runs do not matter.
        settings: Doses and equivalence margin.
        bootstrap: Replicates, level and seed.

    Raises:
        UnlearningError: If a run that did not fail has no trajectory, or lacks answers.
    """
    import pandas as pd

    draws, unit = Draws(bootstrap), measured.answers["normalisation"].iloc[0]
    effects: list[dict[str, Any]] = []
    sets: list[dict[str, Any]] = []
    equivalence: list[dict[str, Any]] = []
    for changes in contrast_changes(measured, settings):
        effects += effect_rows(changes, draws)
        sets += set_rows(changes)
        equivalence += equivalence_rows(changes, settings.equivalence_margin)
    return EffectTables(
        with_q(pd.DataFrame(effects, columns=list(EFFECT_COLUMNS)).assign(normalisation=unit)),
        pd.DataFrame(sets, columns=list(SET_COLUMNS)),
        pd.DataFrame(equivalence, columns=list(EQUIVALENCE_COLUMNS)),
    )
