"""A model walks the queries of another if their weights and their tokens are at the same places."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.query_set import ITEMS
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.collect import plan_queries
from social_provenance.gradients.walk.query_model import choose_query_model
from social_provenance.gradients.walk.store import GradientStore
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datasets import Dataset

SETTINGS = GradientSettings(projection_dim=4, token_batch=128, max_tokens=128)
SCORING = ScoringSettings(methods=["influence"], default_method="influence", damping=1.0, target_component=4)


@pytest.fixture
def other(model: LanguageModel, tmp_path: Path) -> Callable[..., LanguageModel]:
    """Return a function that makes a model of the same configuration but for some changes, with other weights."""

    def make(add: str | None = None, **changes: Any) -> LanguageModel:
        config = AutoConfig.from_pretrained(model.path)
        config.update(changes)
        with torch.random.fork_rng():
            torch.manual_seed(5)
            AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "other")
        tokenizer = AutoTokenizer.from_pretrained(model.path)
        if add:
            tokenizer.add_special_tokens({"additional_special_tokens": [add]})
        tokenizer.save_pretrained(tmp_path / "other")
        return LanguageModel(str(tmp_path / "other"))

    return make


@pytest.fixture
def walk(sequences: Dataset, tmp_path: Path) -> Callable[..., GradientStore]:
    """Return a function that walks the documents as queries by one model beside another."""
    rows = sequences.rename_column("doc_id", "item").add_column("block", [0] * len(sequences))

    def collect(model: LanguageModel, query_model: LanguageModel | None = None) -> GradientStore:
        folder = PartsFolder(path=str(tmp_path / "queries"), keep=True)
        folder.save(plan_queries({f"toy.{ITEMS}": rows}, model, SETTINGS, Distributed(), query_model))
        return GradientStore(folder.load())

    return collect


def test_without_another_model_it_is_that_of_the_documents(
    model: LanguageModel, walk: Callable[..., GradientStore]
) -> None:
    assert choose_query_model(model, None) is model
    assert choose_query_model(model, LanguageModel(model.path)) is model
    assert walk(model).digest == walk(model, LanguageModel(model.path)).digest


def test_queries_have_the_gradients_of_their_own_model_and_are_compared_with_the_others(
    model: LanguageModel, other: Any, walk: Callable[..., GradientStore], store: GradientStore, by_id: Any
) -> None:
    asking = other()
    mixed, own = by_id(walk(model, asking)), by_id(walk(asking))
    for item, gradient in own.items():
        np.testing.assert_array_equal(mixed[item], gradient)
    assert plan_scores(store, {"toy": {ITEMS: walk(model, asking)}}, SCORING).inputs
    with pytest.raises(AttributionError, match="differ in model"):
        plan_scores(store, {"toy": {ITEMS: walk(asking)}}, SCORING)
    with pytest.raises(AttributionError, match="differ in model"):
        plan_scores(store, {"toy": {ITEMS: walk(asking, model)}}, SCORING)


def test_special_tokens_of_a_dialogue_may_differ(model: LanguageModel, other: Any) -> None:
    asking = other(add="<|user|>")
    assert choose_query_model(model, asking) == asking


def _refusal(model: LanguageModel, asking: LanguageModel) -> str:
    with pytest.raises(AttributionError) as caught:
        choose_query_model(model, asking)
    said = str(caught.value)
    assert said.startswith(f"query_model {asking.path} cannot walk queries beside language_model {model.path}")
    assert said.endswith("; give a model of the same architecture, shapes and vocabulary")
    return said


@pytest.mark.parametrize(
    ("changes", "shapes"),
    [
        ({"intermediate_size": 96}, "layers.0.mlp.gate_proj (96 x 32 and 64 x 32), layers.0.mlp.up_proj (96 x 32 and "),
        (
            {"num_hidden_layers": 2, "layer_types": ["full_attention"] * 2},
            "layers.1.self_attn.q_proj (32 x 32 and absent)",
        ),
        ({"vocab_size": 400}, "vocab_size (400 and 320)"),
    ],
)
def test_another_shape_is_refused_with_both_models_and_shapes(
    model: LanguageModel, other: Any, changes: dict[str, Any], shapes: str
) -> None:
    assert shapes in _refusal(model, other(**changes))


def test_another_vocabulary_is_refused_with_its_tokens(model: LanguageModel, tmp_path: Path) -> None:
    shutil.copytree(model.path, tmp_path / "other")
    file = tmp_path / "other" / "tokenizer.json"
    saved = json.loads(file.read_text())
    ids = saved["model"]["vocab"]
    ids["!"], ids["?"] = ids["?"], ids["!"]
    file.write_text(json.dumps(saved))
    said = _refusal(model, LanguageModel(str(tmp_path / "other")))
    assert f"token '!' ({ids['!']} and {ids['?']})" in said
    assert "token '?' (" in said
