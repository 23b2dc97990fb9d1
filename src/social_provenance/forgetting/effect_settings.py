"""At which doses runs are compared, and how small a difference counts as none."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, PositiveFloat, model_validator


class EffectSettings(BaseModel):
    """Readings and margin of the statistics of an unlearning study."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    forget_rises: Sequence[PositiveFloat] = (0.05, 0.1, 0.2, 0.4)
    """Rises of the forget loss, nats a token, at which runs are compared at equal dose."""
    heldout_rises: Sequence[PositiveFloat] = (0.01, 0.05)
    """Rises of the mean held-out loss, nats a token, at which runs are compared at equal damage elsewhere."""
    equivalence_margin: PositiveFloat = 0.05
    """Nats of the normalised gold log-probability within which two arms count as alike: .05 is 5 percent of
    the right answer's probability (geometric mean over items)."""

    @model_validator(mode="after")
    def _rises_differ(self) -> EffectSettings:
        for name in ("forget_rises", "heldout_rises"):
            rises = list(getattr(self, name))
            if len(set(rises)) < len(rises):
                raise ValueError(f"{name} {rises} repeat: each is a reading of its own, give each once")
        return self
