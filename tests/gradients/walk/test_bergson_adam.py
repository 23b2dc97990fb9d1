"""Gradients divided by the root of Adam's second moments."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.bergson_trial import walk_memory
from social_provenance.gradients.walk.collect import Walk, plan_store
from social_provenance.gradients.walk.store import GradientStore
from social_provenance.language_model import SECOND_MOMENTS, LanguageModel, TrainedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets import Dataset

    Moments = dict[str, torch.Tensor]

SETTINGS = GradientSettings(projection_dim=16, token_batch=128, max_tokens=128, normalizer="adam")


@pytest.fixture
def with_moments(
    tiny_model_folder: Path, tmp_path: Path
) -> Callable[[Callable[[str, torch.Tensor], Any]], LanguageModel]:
    """Return a function that copies the model and writes moments, a function of each weight and its name."""

    def write(moment: Callable[[str, torch.Tensor], Any]) -> LanguageModel:
        folder = tmp_path / "model"
        shutil.copytree(tiny_model_folder, folder, dirs_exist_ok=True)
        weights = load_file(folder / "model.safetensors")
        moments = {name: moment(name, weight) for name, weight in weights.items()}
        save_file({name: each for name, each in moments.items() if each is not None}, folder / SECOND_MOMENTS)
        return LanguageModel(str(folder))

    return write


def _gradients(model: LanguageModel, rows: Dataset, folder: Path, settings: GradientSettings = SETTINGS) -> np.ndarray:
    parts = PartsFolder(path=str(folder))
    parts.save(plan_store({"all": rows}, Walk(model, settings, Distributed(), "doc_id")))
    return np.concatenate([chunk.gradients for chunk in GradientStore(parts.load()).chunks(64)])


def _of_weights(model: Any, row: dict[str, Any], names: list[str]) -> dict[str, torch.Tensor]:
    ids = torch.tensor([row["input_ids"]])
    model.zero_grad()
    (model(input_ids=ids, labels=ids).loss * (len(row["input_ids"]) - 1)).backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if name in names}


def test_moments_of_one_size_scale_every_gradient_by_the_inverse_root(
    with_moments: Any, sequences: Dataset, tmp_path: Path
) -> None:
    model = with_moments(lambda _, weight: torch.full_like(weight, 0.25))
    plain = _gradients(model, sequences, tmp_path / "plain", SETTINGS.model_copy(update={"normalizer": "none"}))
    np.testing.assert_allclose(_gradients(model, sequences, tmp_path / "adam"), 2 * plain, rtol=1e-4, atol=1e-5)


def test_each_entry_is_divided_by_the_root_of_its_own_moment(
    with_moments: Any, sequences: Dataset, tmp_path: Path, tiny_model: Any
) -> None:
    """A projection keeps inner products approximately, so those of divided gradients tell how they were divided."""
    torch.manual_seed(0)
    model = with_moments(lambda _, weight: torch.exp(4 * torch.randn_like(weight)))
    moments = load_file(Path(model.path) / SECOND_MOMENTS)
    names = [name for name in moments if "layers" in name and moments[name].ndim == 2]
    whole = []
    for row in sequences:
        taken = _of_weights(tiny_model, row, names)
        whole.append(torch.cat([(taken[name] / moments[name].sqrt()).flatten() for name in names]).numpy())
    found = _gradients(model, sequences, tmp_path / "adam").astype(float)
    cosines = [each @ each.T / np.outer(*[np.linalg.norm(each, axis=1)] * 2) for each in (np.stack(whole), found)]
    above = np.triu_indices(len(found), 1)
    assert np.corrcoef(cosines[0][above], cosines[1][above])[0, 1] > 0.9
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.linalg.norm(whole, axis=1), rtol=0.5)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (
            lambda name, weight: None if "layers.0.mlp.up_proj" in name else weight**2,
            "nothing for layers.0.mlp.up_proj",
        ),
        (lambda name, weight: weight[:1] ** 2 if "q_proj" in name else weight**2, r"shape \(1, 32\) for .*q_proj"),
    ],
)
def test_moments_of_another_model_are_refused_before_the_walk(
    with_moments: Any, sequences: Dataset, moment: Any, said: str
) -> None:
    with pytest.raises(AttributionError, match=said):
        plan_store({"all": sequences}, Walk(with_moments(moment), SETTINGS, Distributed(), "doc_id"))


def test_a_model_without_moments_is_refused_before_the_walk(model: LanguageModel, sequences: Dataset) -> None:
    with pytest.raises(AttributionError, match=r"adam, and .* has no second_moments\.safetensors: set"):
        plan_store({"all": sequences}, Walk(model, SETTINGS, Distributed(), "doc_id"))


def test_gradients_of_two_kinds_are_no_one_store(model: LanguageModel) -> None:
    plain = SETTINGS.model_copy(update={"normalizer": "none"})
    identities = [Walk(model, settings, Distributed(), "doc_id").identity() for settings in (SETTINGS, plain)]
    assert identities[0] != identities[1]


def test_a_saved_model_has_its_moments_and_is_still_loaded(
    tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    moments = {name: weight.detach() ** 2 for name, weight in tiny_model.named_parameters()}
    TrainedModel(tiny_model, tiny_tokenizer, moments).save(tmp_path / "model")
    model = LanguageModel.at(str(tmp_path / "model"))
    assert load_file(Path(model.path) / SECOND_MOMENTS).keys() == moments.keys()
    for name, weight in model.load().named_parameters():
        assert torch.equal(weight, dict(tiny_model.named_parameters())[name])


def test_a_walk_with_moments_needs_the_memory_of_whole_gradients_too(model: LanguageModel) -> None:
    assert walk_memory(model, SETTINGS) > walk_memory(model, SETTINGS.model_copy(update={"normalizer": "none"}))
