"""A model to try: the study's own, else one of the shape that pretraining will give it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from social_provenance.errors import ModelError
from social_provenance.planning.shape import model_to_try

if TYPE_CHECKING:
    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study

TEXTS = ["Anna thanked Ben.", "The judge saw the contract."]


def test_a_known_model_is_tried_itself(model: LanguageModel, study: Study) -> None:
    with model_to_try(model, TEXTS, study.pretraining) as tried:
        assert tried == model


def test_without_one_its_shape_is_tried_and_gone_afterwards(study: Study) -> None:
    with model_to_try(None, TEXTS, study.pretraining) as tried:
        assert tried.config().hidden_size == study.pretraining.architecture.hidden_size
        assert tried.tokenizer()("Anna")["input_ids"]
    assert not Path(tried.path).exists()


def test_a_study_without_a_model_and_without_pretraining_is_refused() -> None:
    with (
        pytest.raises(ModelError, match="there is no model to plan for: give one with --params model=DIR"),
        model_to_try(None, TEXTS, None),
    ):
        pass
