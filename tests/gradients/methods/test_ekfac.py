"""EKFAC asks Bergson for what it is given; the formula itself is tested beside the adapter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.gradients.methods import ekfac
from social_provenance.gradients.methods.ekfac import Ekfac
from social_provenance.gradients.methods.model_methods import ModelCorpus
from social_provenance.gradients.settings import GradientSettings

if TYPE_CHECKING:
    from datasets import Dataset

    from social_provenance.language_model import LanguageModel


def test_the_damping_and_the_model_of_the_study_are_used(
    monkeypatch: pytest.MonkeyPatch, sequences: Dataset, model: LanguageModel
) -> None:
    asked: dict[str, Any] = {}

    def remember(documents: Any, queries: Any, *given: Any, **named: Any) -> Any:
        asked.update(documents=documents, queries=queries, given=given, **named)
        yield "siqa", np.ones((7, 2))

    monkeypatch.setattr(ekfac, "score_ekfac", remember)
    gradients = GradientSettings(loss_reduction="mean")
    corpus = ModelCorpus(sequences, None, {}, model, gradients, 0.3)
    ((name, blocks),) = Ekfac().score(corpus, sequences, {"siqa": sequences}, Path("somewhere"))
    assert (name, blocks.shape) == ("siqa", (7, 2))
    assert asked["given"] == (model, gradients)
    assert (asked["damping"], asked["folder"]) == (0.3, Path("somewhere"))


def test_it_is_undefined_without_damping() -> None:
    with pytest.raises(ValueError, match="damping 0 makes the inverse of ekfac unbounded"):
        Ekfac.check(0.0)
    Ekfac.check(1e-6)
