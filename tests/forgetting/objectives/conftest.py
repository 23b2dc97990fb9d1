"""Fixtures: two sets of documents, a model that knows them, gradients and adapters."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.training.batches import mean_loss, pad
from social_provenance.training.loop import Optimiser, seeded, train

if TYPE_CHECKING:
    from collections.abc import Callable

FORGET = [[5, 6, 7, 8, 9, 10], [20, 21, 22], [30, 31, 32, 33]]
RETAIN = [[40, 41, 42, 43], [50, 51, 52, 53, 54], [60, 61]]


@pytest.fixture(scope="session")
def forget() -> list[list[int]]:
    """Return documents to forget, of several lengths."""
    return FORGET


@pytest.fixture(scope="session")
def retain() -> list[list[int]]:
    """Return documents to retain, of several lengths."""
    return RETAIN


@pytest.fixture(scope="session")
def _knowing(tiny_tokenizer: Any) -> Any:
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=len(tiny_tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        initializer_range=0.1,
        pad_token_id=0,
    )
    with seeded(0):
        model = transformers.LlamaForCausalLM(config)
    batch = pad(FORGET + RETAIN)

    def learn(_: Any) -> dict[str, float]:
        mean_loss(model, batch).backward()  # type: ignore[no-untyped-call]
        return {}

    train(model, range(30), learn, Optimiser(learning_rate=3e-3), lambda _: 1.0, lambda *_: True)
    return model


@pytest.fixture
def model(_knowing: Any) -> Any:
    """Return a Llama model of three layers that knows both sets, a fresh one each time."""
    return copy.deepcopy(_knowing)


@pytest.fixture(scope="session")
def gradient() -> Callable[..., torch.Tensor]:
    """Return a function that takes the gradient of a value by all parameters, as one vector."""

    def take(value: torch.Tensor, model: Any) -> torch.Tensor:
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        parts = torch.autograd.grad(value, parameters, allow_unused=True)
        return _flat(parts, parameters)

    return take


@pytest.fixture(scope="session")
def left() -> Callable[[Any], torch.Tensor]:
    """Return a function that reads the gradient that a step has left on a model, as one vector."""

    def read(model: Any) -> torch.Tensor:
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        return _flat([parameter.grad for parameter in parameters], parameters)

    return read


@pytest.fixture(scope="session")
def move() -> Callable[[Any], Any]:
    """Return a function that moves the trainable parameters a little, always the same way."""

    def moved(model: Any, scale: float = 0.05) -> Any:
        with torch.no_grad(), seeded(1):
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(scale * torch.randn_like(parameter))
        return model

    return moved


@pytest.fixture(scope="session")
def adapted() -> Callable[[Any], Any]:
    """Return a function that puts adapters on a copy of a model."""
    from peft import LoraConfig, get_peft_model

    def adapt(model: Any) -> Any:
        config = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM")
        with seeded(0):
            return get_peft_model(copy.deepcopy(model), config)

    return adapt


def _flat(parts: Any, parameters: Any) -> torch.Tensor:
    pairs = zip(parts, parameters, strict=True)
    return torch.cat([(torch.zeros_like(own) if part is None else part).reshape(-1) for part, own in pairs])
