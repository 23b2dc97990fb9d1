"""What cannot be unlearned is refused as soon as there are documents and a model, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pytest

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.runs.memory import run_memory
from social_provenance.forgetting.settings import Unlearning
from social_provenance.language_model import LanguageModel
from social_provenance.pipelines.unlearning import nodes

if TYPE_CHECKING:
    from pathlib import Path

LORA = {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": ["q_proj"]}


@pytest.fixture
def model(tiny_model_folder: Path) -> LanguageModel:
    return LanguageModel.at(str(tiny_model_folder))


@pytest.mark.parametrize(("characters", "refused"), [(10, False), (1000, True)])
def test_documents_count_as_long_as_they_can_be(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch, characters: int, refused: bool
) -> None:
    settings = Unlearning()
    longest = 4 * 10 + 16
    needed = max(run_memory(model.config(), settings, longest).values())
    monkeypatch.setattr(nodes, "memory_of_gpu", lambda: needed + nodes.memory.RESERVE)
    documents = ibis.memtable({"text": ["a", "é" * characters]})
    if not refused:
        nodes.foresee_runs(documents, model, 512, settings)
        return
    with pytest.raises(UnlearningError, match=r"an unlearning run takes .* documents of 512 tokens"):
        nodes.foresee_runs(documents, model, 512, settings)


def test_an_adapter_of_no_module_is_refused_without_a_gpu(model: LanguageModel) -> None:
    documents = ibis.memtable({"text": ["a"]})
    nodes.foresee_runs(documents, model, 512, Unlearning.model_validate({"lora": LORA}))
    wrong = Unlearning.model_validate({"lora": {**LORA, "targets": ["q_proj", "k_projj"]}})
    with pytest.raises(UnlearningError, match=r"unlearning\.lora\.targets: the model has no module 'k_projj'"):
        nodes.foresee_runs(documents, model, 512, wrong)
