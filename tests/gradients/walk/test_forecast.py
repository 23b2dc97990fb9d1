"""A forecast: what a sample costs, scaled to all documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.forecast import forecast_walk
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = GradientSettings(projection_dim=4, max_tokens=64, token_batch=64)


@pytest.mark.slow
def test_the_walk_of_more_documents_is_longer_in_proportion(tiny_model_folder: Path) -> None:
    model = LanguageModel(str(tiny_model_folder))
    texts = ["Anna thanked Ben.", "The judge saw the contract near the court.", "Carl cooled the plate."]
    one, ten = (forecast_walk(texts, documents, model, SETTINGS, Distributed()) for documents in (300, 3000))
    tokens = sum(len(ids) for ids in model.tokenizer()(texts)["input_ids"])
    assert (one["documents"], one["tokens"], ten["tokens"]) == (300, 100 * tokens, 1000 * tokens)
    assert ten["bytes"] == pytest.approx(10 * one["bytes"])
    assert one["seconds"] == pytest.approx(one["tokens"] * one["token_seconds"])
    assert one["seconds"] > 0


def test_a_model_that_has_to_be_divided_is_not_tried(tiny_model_folder: Path) -> None:
    model = LanguageModel(str(tiny_model_folder))
    divided = Distributed(nproc_per_node=2, fsdp=True)
    found = forecast_walk(["Anna thanked Ben."] * 4, 8, model, SETTINGS, divided)
    assert (found["seconds"], found["token_seconds"]) == (None, None)
