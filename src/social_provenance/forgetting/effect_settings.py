"""Parameters of the statistics: doses at which runs are compared, and the equivalence margin."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import PositiveFloat, model_validator

from social_provenance.parameters import Parameters


class EffectSettings(Parameters):
    """Readings and equivalence margin of an unlearning study."""

    forget_rises: Sequence[PositiveFloat] = (0.05, 0.1, 0.2, 0.4)
    """Rises of the forget loss, nats per token, at which runs are compared at equal dose."""
    heldout_rises: Sequence[PositiveFloat] = (0.01, 0.05)
    """Rises of the mean held-out loss, nats per token, at which runs are compared at equal collateral damage."""
    equivalence_margin: PositiveFloat = 0.05
    """Equivalence margin, nats of the normalised gold log-probability: 0.05 is 5 percent of the right answer's
    probability (geometric mean over items)."""

    @model_validator(mode="after")
    def _rises_differ(self) -> EffectSettings:
        for name in ("forget_rises", "heldout_rises"):
            rises = list(getattr(self, name))
            if len(set(rises)) < len(rises):
                raise ValueError(f"{name} {rises} must be unique, as each is a reading of its own: name each once")
        return self
