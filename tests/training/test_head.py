"""Losses do not depend on how many logits are in memory at once, and no more of them ever are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from social_provenance.training.batches import pad
from social_provenance.training.head import LOGITS_AT_ONCE, chunk_of, hidden_states, in_chunks, token_losses
from social_provenance.training.loop import seeded

DOCUMENTS = [[5, 6, 7], [8, 9, 10, 11, 12, 13], [14, 15], [16]]
VOCABULARY = 60
SHAPE = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
INNER = {"intermediate_size": 24, "num_key_value_heads": 1}
ARCHITECTURES = {
    "Olmo3": INNER,
    "GPT2": {},
    "OPT": {"ffn_dim": 24, "word_embed_proj_dim": 8},  # its decoder is below another module
    "Gemma2": INNER | {"head_dim": 8, "final_logit_softcapping": 2.0},
    "Granite": INNER | {"logits_scaling": 3.0},
    "Cohere": INNER | {"logit_scale": 0.2},
    "Mixtral": INNER | {"num_local_experts": 2},
}


def _model(name: str) -> Any:
    config = getattr(transformers, f"{name}Config")(**SHAPE, **SPECIAL, **ARCHITECTURES[name])
    with seeded(0):
        return transformers.AutoModelForCausalLM.from_config(config).eval()


def _own_losses(model: Any) -> torch.Tensor:
    """Return the losses by the logits of the whole batch."""
    batch = pad(DOCUMENTS)
    logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    targets = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)[:, 1:]
    losses = functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view_as(targets)


def _gradient(losses: torch.Tensor, model: Any) -> torch.Tensor:
    weights = torch.linspace(1, 2, losses.numel()).view_as(losses)
    parts = torch.autograd.grad((losses * weights).sum(), list(model.parameters()), allow_unused=True)
    return torch.cat([part.flatten() for part in parts if part is not None])


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("at_once", [1, 4 * VOCABULARY, LOGITS_AT_ONCE])
def test_losses_and_their_gradients_are_those_of_the_models_own_logits(name: str, at_once: int) -> None:
    model = _model(name)
    losses, expected = token_losses(model, pad(DOCUMENTS), at_once), _own_losses(model)
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(_gradient(losses, model), _gradient(expected, model), rtol=1e-4, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=7), min_size=1, max_size=4),
    at_once=st.integers(1, 20 * VOCABULARY),
)
def test_no_chunk_changes_a_loss_or_has_more_logits_than_the_bound(documents: list[list[int]], at_once: int) -> None:
    model = _model("Olmo3")
    made: list[int] = []
    model.lm_head.register_forward_hook(lambda _module, _inputs, output: made.append(output.numel()))
    chunked = token_losses(model, pad(documents), at_once)
    assert max(made) <= max(at_once, VOCABULARY)
    assert sum(made) == sum(len(document) - 1 for document in documents) * VOCABULARY  # none of padding
    torch.testing.assert_close(chunked, token_losses(model, pad(documents), 10**9))


def test_a_loss_stands_at_the_token_before_the_predicted_one_and_is_zero_on_padding() -> None:
    losses = token_losses(_model("Olmo3"), pad(DOCUMENTS))
    assert (losses > 0).tolist() == [
        [place < len(document) - 1 for place in range(losses.shape[1])] for document in DOCUMENTS
    ]


def test_the_logits_of_half_the_bits_are_taken_in_fp32() -> None:
    batch = pad(DOCUMENTS)
    model = _model("Olmo3").bfloat16()
    hidden = hidden_states(model, batch, batch.positions(batch.predicted))
    assert hidden.states.dtype == torch.bfloat16
    assert hidden.logits(hidden.states).dtype == torch.float32
    assert token_losses(model, batch).dtype == torch.float32


def test_adapters_of_body_and_head_are_part_of_the_losses() -> None:
    from peft import LoraConfig, get_peft_model

    base = _model("Olmo3")
    before = token_losses(base, pad(DOCUMENTS))
    model = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj", "lm_head"], task_type="CAUSAL_LM")).eval()
    with torch.no_grad(), seeded(1):
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.3 * torch.randn_like(parameter))
    losses = token_losses(model, pad(DOCUMENTS), 2 * VOCABULARY)
    torch.testing.assert_close(losses, _own_losses(model))
    assert (losses - before).abs().max() > 0.01


def test_the_model_is_left_as_it_was_and_a_forward_of_its_own_with_it() -> None:
    model = _model("Olmo3")
    token_losses(model, pad(DOCUMENTS), 1)
    assert "forward" not in model.model.__dict__
    calls: list[Any] = []
    own = model.model.forward
    model.model.forward = lambda **given: calls.append(given) or own(**given)
    hooked = model.model.forward
    token_losses(model, pad(DOCUMENTS), 1)
    assert model.model.forward is hooked
    assert len(calls) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_chunks_are_of_their_size_and_are_computed_again_in_the_backward_pass(size: int) -> None:
    sizes: list[int] = []
    rows = torch.arange(7.0, requires_grad=True)

    def square(part: torch.Tensor) -> torch.Tensor:
        sizes.append(len(part))
        return part**2

    found = in_chunks(square, rows, size=size)
    assert found.tolist() == [float(n * n) for n in range(7)]
    chunks = [min(size, 7 - start) for start in range(0, 7, size)]
    assert sizes == chunks
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert rows.grad is not None
    assert rows.grad.tolist() == [2.0 * n for n in range(7)]
    assert sorted(sizes) == sorted(chunks * (1 if len(chunks) == 1 else 2))  # one chunk is kept


@pytest.mark.parametrize(("vocabulary", "at_once", "tokens"), [(100, 1000, 10), (100, 99, 1), (100_278, 2**25, 334)])
def test_a_chunk_has_as_many_tokens_as_the_bound_allows_and_at_least_one(
    vocabulary: int, at_once: int, tokens: int
) -> None:
    assert chunk_of(vocabulary, at_once) == tokens
