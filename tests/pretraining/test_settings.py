"""Parameters of the pretraining."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.pretraining.settings import Pretraining


def test_a_decay_longer_than_the_training_is_refused_with_both_lengths() -> None:
    with pytest.raises(ValidationError, match=r"decay_steps \(61\) exceeds max_steps \(60\)"):
        Pretraining(max_steps=60, decay_steps=61)
