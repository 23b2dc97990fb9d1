"""What holds for every algorithm: it measures, forgets, retains, repeats, and takes adapters."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.objectives.grad_ascent import GradAscent
from social_provenance.forgetting.objectives.grad_diff import GradDiff
from social_provenance.forgetting.objectives.npo import NPO
from social_provenance.forgetting.objectives.registry import Algorithm, find_algorithms
from social_provenance.forgetting.objectives.rmu import RMU
from social_provenance.forgetting.objectives.simnpo import SimNPO
from social_provenance.training.batches import Batch, mean_loss, pad, pairs, read_losses, take
from social_provenance.training.loop import Optimiser, seeded, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.forgetting.objectives.base import Objective

    Documents = list[list[int]]

EVERY = [
    *(kind() for kind in find_algorithms().values()),
    GradDiff(retain="kl"),
    NPO(per="sequence", beta=0.1, retain="nll"),
    SimNPO(retain="kl"),
    RMU(coefficient=6.5, alpha=100.0, trained_layers=(0, 1)),
]
every_algorithm = pytest.mark.parametrize(
    "algorithm", EVERY, ids=[" ".join(map(str, (one.name, *sorted(one.model_fields_set)))) for one in EVERY]
)


def _corpus_loss(model: Any, documents: Any, size: int) -> float:
    """Return the mean loss, nats a token."""
    losses = read_losses(model, documents, size).sum(axis=0)
    return float(losses[0] / losses[1])


def _run(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents, steps: int = 8
) -> list[dict[str, float]]:
    noted: list[dict[str, float]] = []
    step = algorithm.prepare(model, forget, retain, size=2)
    settings = Optimiser(learning_rate=algorithm.learning_rate or 1e-3, weight_decay=0.0)

    def after_step(_: int, measured: dict[str, float]) -> bool:
        noted.append(measured)
        return True

    with seeded(0):
        train(model, pairs(forget, retain, 2, steps, 0), lambda pair: step(*pair), settings, lambda _: 1.0, after_step)
    return noted


@every_algorithm
def test_the_losses_of_both_batches_are_measured(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents
) -> None:
    measured = algorithm.prepare(model, forget, retain, size=2)(pad(forget), pad(retain))
    assert measured["forget_loss"] == pytest.approx(float(mean_loss(model, pad(forget)).detach()), rel=1e-5)
    assert measured["retain_loss"] == pytest.approx(float(mean_loss(model, pad(retain)).detach()), rel=1e-5)


@every_algorithm
def test_a_few_steps_raise_the_forget_loss_and_leave_the_retain_loss(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents
) -> None:
    before = _corpus_loss(model, forget, 3), _corpus_loss(model, retain, 3)
    _run(model, algorithm, forget, retain)
    risen = _corpus_loss(model, forget, 3) - before[0]
    retained = _corpus_loss(model, retain, 3) - before[1]
    assert risen > 0.05
    assert retained < 0.5 * risen


@every_algorithm
def test_a_run_repeats_to_the_last_bit(model: Any, algorithm: Objective, forget: Documents, retain: Documents) -> None:
    again = copy.deepcopy(model)
    assert _run(model, algorithm, forget, retain, steps=4) == _run(again, algorithm, forget, retain, steps=4)
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


@every_algorithm
def test_padding_changes_nothing(
    model: Any,
    algorithm: Objective,
    forget: Documents,
    retain: Documents,
    left: Callable[..., Any],
    move: Callable[..., Any],
) -> None:
    step = algorithm.prepare(model, forget, retain, size=2)
    move(model)
    narrow = step(pad(forget), pad(retain))
    expected = left(model)
    assert step(_wider(pad(forget)), _wider(pad(retain))) == pytest.approx(narrow, rel=1e-4)
    torch.testing.assert_close(left(model), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@every_algorithm
def test_the_order_of_documents_in_a_batch_changes_nothing(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents, move: Callable[..., Any]
) -> None:
    step = algorithm.prepare(model, forget, retain, size=2)
    move(model)
    expected = step(pad(forget), pad(retain))
    assert step(take(forget, (2, 0, 1)), take(retain, (1, 2, 0))) == pytest.approx(expected, rel=1e-4)


@every_algorithm
def test_a_batch_in_parts_gives_the_step_of_the_whole(
    model: Any,
    algorithm: Objective,
    forget: Documents,
    retain: Documents,
    left: Callable[..., Any],
    move: Callable[..., Any],
) -> None:
    step = algorithm.prepare(model, forget, retain, size=2)
    move(model)
    whole, expected = step(pad(forget), pad(retain)), left(model)
    for tokens in (1, 7, 12):
        batches = [dataclasses.replace(pad(documents), tokens_at_once=tokens) for documents in (forget, retain)]
        assert all(len(batch.parts()) > 1 for batch in batches)
        assert step(*batches) == pytest.approx(whole, rel=1e-4)
        torch.testing.assert_close(left(model), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@every_algorithm
def test_a_step_forgets_the_gradient_of_the_step_before(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents, left: Callable[..., Any]
) -> None:
    step = algorithm.prepare(model, forget, retain, size=2)
    step(pad(forget), pad(retain))
    once = left(model)
    step(pad(forget), pad(retain))
    assert torch.equal(left(model), once)


@every_algorithm
def test_what_is_computed_once_leaves_the_model_as_it_was(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents, adapted: Callable[..., Any]
) -> None:
    for own in (model, adapted(model)):
        own.train()
        before = copy.deepcopy(own.state_dict())
        trainable = [parameter.requires_grad for parameter in own.parameters()]
        algorithm.prepare(own, forget, retain, size=2)
        assert own.training
        assert [parameter.requires_grad for parameter in own.parameters()] == trainable
        assert all(parameter.grad is None for parameter in own.parameters())
        assert all(torch.equal(value, before[name]) for name, value in own.state_dict().items())


@every_algorithm
def test_adapters_are_trained_against_the_same_reference(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents, adapted: Callable[..., Any]
) -> None:
    """The same adapters, once as adapters over frozen weights, once in a model that is copied."""
    own = adapted(model)
    merged = copy.deepcopy(model)
    adapter_step = algorithm.prepare(own, forget, retain, size=2)
    merged_step = algorithm.prepare(merged, forget, retain, size=2)
    for name, parameter in own.named_parameters():
        if "lora_B" in name:
            with torch.no_grad(), seeded(2):
                parameter.copy_(0.1 * torch.randn_like(parameter))
    merged.load_state_dict(copy.deepcopy(own).merge_and_unload().state_dict())
    measured, expected = (step(pad(forget), pad(retain)) for step in (adapter_step, merged_step))
    for name in expected:
        if not name.endswith("grad_norm"):  # these are of other parameters
            assert measured[name] == pytest.approx(expected[name], rel=1e-3), name
    touched = {name for name, parameter in own.named_parameters() if parameter.grad is not None}
    assert touched
    assert all("lora" in name for name in touched)


@every_algorithm
def test_adapters_forget(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents, adapted: Callable[..., Any]
) -> None:
    own = adapted(model)
    before = _corpus_loss(own, forget, 3)
    _run(own, algorithm.model_copy(update={"learning_rate": 1e-2}), forget, retain, steps=12)
    assert _corpus_loss(own, forget, 3) > before + 0.05
    with own.disable_adapter():
        assert _corpus_loss(own, forget, 3) == pytest.approx(before, rel=1e-6)


@every_algorithm
def test_an_empty_set_and_a_document_that_predicts_nothing_are_refused(
    model: Any, algorithm: Objective, forget: Documents, retain: Documents
) -> None:
    with pytest.raises(UnlearningError, match="the forget set is empty"):
        algorithm.prepare(model, [], retain, size=2)
    with pytest.raises(UnlearningError, match=r"document 3 of the retain set has 1 token\(s\)"):
        algorithm.prepare(model, forget, [*retain, [7]], size=2)


@pytest.mark.parametrize("name", find_algorithms())
def test_a_parameter_names_an_algorithm_and_its_hyperparameters(name: str) -> None:
    read: Any = TypeAdapter(Algorithm)
    assert read.validate_python({"name": name}) == find_algorithms()[name]()
    assert read.validate_python({"name": name, "learning_rate": 1e-4}).learning_rate == 1e-4
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        read.validate_python({"name": name, "bta": 1})
    with pytest.raises(ValidationError, match="greater than 0"):
        read.validate_python({"name": name, "learning_rate": 0})
    with pytest.raises(ValidationError, match="frozen"):
        find_algorithms()[name]().learning_rate = 1.0  # type: ignore[misc]


def test_an_unknown_algorithm_is_refused_with_the_known_ones() -> None:
    read: Any = TypeAdapter(Algorithm)
    with pytest.raises(ValidationError, match="'grad_ascent', 'grad_diff', 'ngdiff', 'npo', 'rmu', 'simnpo'"):
        read.validate_python({"name": "dpo"})


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        (GradAscent, "gamma", -1, "greater than or equal to 0"),
        (GradDiff, "retain", "mse", "'nll' or 'kl'"),
        (NPO, "beta", 0, "greater than 0"),
        (NPO, "per", "word", "'token' or 'sequence'"),
        (SimNPO, "alpha", -1, "greater than or equal to 0"),
        (RMU, "layer", -1, "greater than or equal to 0"),
        (RMU, "trained_layers", [], "at least 1 item"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name(kind: Any, field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate({field: value})
    assert field in str(caught.value)
    assert said in str(caught.value)


def _wider(batch: Batch) -> Batch:
    def more(tensor: torch.Tensor, value: int) -> torch.Tensor:
        return torch.nn.functional.pad(tensor, (0, 5), value=value)

    return Batch(more(batch.input_ids, 17), more(batch.attention_mask, 0), batch.rows, batch.lengths)
