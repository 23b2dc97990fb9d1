"""What Bergson gives: gradients of the loss that is asked for, and the formulas of the paper."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from social_provenance.gradients.bergson_run import SEQUENCES, inverse_root, mixing_coefficient, read_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets import Dataset

    from social_provenance.gradients.store import GradientStore

    Collect = Callable[..., GradientStore]


def _masked(sequences: Dataset, keep: Callable[[int], bool]) -> Dataset:
    """Return the sequences with loss on the places that are kept."""
    labels = [[token if keep(place) else -100 for place, token in enumerate(ids)] for ids in sequences["input_ids"]]
    return sequences.remove_columns("labels").add_column("labels", labels)


def test_the_loss_is_the_models_own_summed_over_tokens(
    store: GradientStore, by_id: Any, sequences: Dataset, tiny_model: Any
) -> None:
    found = by_id(store, losses=True)
    for row in sequences:
        ids = torch.tensor([row["input_ids"]])
        loss = float(tiny_model(input_ids=ids, labels=ids).loss.detach()) * (row["length"] - 1)
        assert float(found[row["doc_id"]]) == pytest.approx(loss, rel=1e-5)


def test_gradients_add_up_over_the_tokens_that_bear_loss(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset
) -> None:
    whole = by_id(store)
    front = by_id(collect(_masked(sequences, lambda place: place < 6)))
    back = by_id(collect(_masked(sequences, lambda place: place >= 6)))
    for doc_id, gradient in whole.items():
        np.testing.assert_allclose(front[doc_id] + back[doc_id], gradient, atol=2e-6 * np.abs(gradient).max())
        assert np.abs(back[doc_id]).max() > 0.01 * np.abs(gradient).max()


def test_the_prompt_of_a_query_changes_its_gradient_only_as_context(
    collect: Collect, by_id: Any, sequences: Dataset
) -> None:
    """With loss on nothing but the last token, what comes after that token cannot matter."""
    longer = [[*ids, 9, 9, 9] for ids in sequences["input_ids"]]
    last = [[-100] * (len(ids) - 1) + [ids[-1]] for ids in sequences["input_ids"]]
    short = sequences.remove_columns("labels").add_column("labels", last)
    padded = sequences.remove_columns(["labels", "input_ids", "length"])
    padded = padded.add_column("input_ids", longer).add_column("length", [len(ids) for ids in longer])
    padded = padded.add_column("labels", [[*labels, -100, -100, -100] for labels in last])
    one, other = by_id(collect(short)), by_id(collect(padded))
    for doc_id, gradient in one.items():
        np.testing.assert_allclose(other[doc_id], gradient, atol=1e-5 * np.abs(gradient).max())


def test_a_mean_loss_divides_by_the_tokens(
    collect: Collect, by_id: Any, sequences: Dataset, store: GradientStore
) -> None:
    whole, mean = by_id(store), by_id(collect(sequences, loss_reduction="mean"))
    for row in sequences:
        expected = whole[row["doc_id"]] / (row["length"] - 1)
        np.testing.assert_allclose(mean[row["doc_id"]], expected, atol=1e-5 * np.abs(expected).max())


def test_inner_products_of_projected_gradients_are_near_those_of_whole_ones(
    collect: Collect, by_id: Any, sequences: Dataset, tiny_model: Any
) -> None:
    projected = by_id(collect(sequences, projection_dim=16))
    names = [name for name, _ in tiny_model.named_parameters() if "_proj" in name]
    whole = {}
    for row in sequences:
        ids = torch.tensor([row["input_ids"]])
        loss = tiny_model(input_ids=ids, labels=ids).loss * (row["length"] - 1)
        parts = torch.autograd.grad(loss, [tiny_model.get_parameter(name) for name in names])
        whole[row["doc_id"]] = torch.cat([part.reshape(-1) for part in parts]).numpy()
    pairs = [(one, other) for one in whole for other in whole if one <= other]
    theirs = np.array([projected[one] @ projected[other] for one, other in pairs])
    ours = np.array([whole[one] @ whole[other] for one, other in pairs])
    assert np.corrcoef(theirs, ours)[0, 1] > 0.95


def test_an_index_tells_its_modules_and_keeps_the_ids(store: GradientStore, sequences: Dataset) -> None:
    (folder,) = store.parts.values()
    gradients, sizes, columns = read_index(folder)
    projections = [f"self_attn.{name}_proj" for name in "qkvo"] + [
        f"mlp.{name}_proj" for name in ("gate", "up", "down")
    ]
    assert list(sizes) == [f"layers.0.{name}" for name in projections]
    assert set(sizes.values()) == {16}
    assert gradients.shape == (len(sequences), 16 * 7)
    assert list(columns["doc_id"]) == list(sequences["doc_id"])
    assert not (folder / SEQUENCES).exists()


def test_bergson_leaves_the_log_and_the_streams_as_they_were(
    collect: Collect, sequences: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (logging.root.level, list(logging.root.handlers), logging.root.manager.disable)
    collect(sequences.select([0]))
    assert (logging.root.level, list(logging.root.handlers), logging.root.manager.disable) == before
    assert capfd.readouterr() == ("", "")


def test_the_spectra_cross_at_the_component_that_is_asked_for() -> None:
    query = {"a": torch.tensor([1.0, 8.0]), "b": torch.tensor([2.0, 4.0])}
    corpus = {"a": torch.tensor([6.0, 3.0]), "b": torch.tensor([5.0, 1.0])}
    # Pooled and sorted: 8 4 2 1 and 6 5 3 1.
    for component, (q, c) in enumerate([(8, 6), (4, 5), (2, 3), (1, 1)], start=1):
        weight = mixing_coefficient(query, corpus, component)
        assert weight * q == pytest.approx((1 - weight) * c)
    assert mixing_coefficient(query, corpus, 99) == mixing_coefficient(query, corpus, 4)


@pytest.mark.parametrize("damping", [0.0, 0.1, 1.0])
def test_an_inverse_root_is_damped_in_units_of_the_mean_eigenvalue(damping: float) -> None:
    rng = np.random.default_rng(0)
    basis, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    values = np.array([0.5, 1.0, 2.0, 4.0, 10.0])
    moment = torch.from_numpy(basis * values @ basis.T)
    expected = basis * (values + damping * values.mean()) ** -0.5 @ basis.T
    np.testing.assert_allclose(inverse_root(moment, damping).numpy(), expected, rtol=1e-10, atol=1e-12)
