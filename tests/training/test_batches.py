"""Batches of documents: padding costs nothing, passes repeat, a seed gives its order again."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from social_provenance.training.batches import (
    document_losses,
    group,
    mean_loss,
    pad,
    pairs,
    read_losses,
    take,
)

DOCUMENTS = [[5, 6, 7], [8, 9, 10, 11, 12], [13, 14]]


def _rows(batch: Any) -> list[tuple[int, ...]]:
    return [tuple(row[mask == 1].tolist()) for row, mask in zip(batch.input_ids, batch.attention_mask, strict=True)]


def test_padding_is_no_context_and_is_not_predicted() -> None:
    batch = pad([[5, 6], [7, 8, 9]])
    assert batch.input_ids.tolist() == [[5, 6, 0], [7, 8, 9]]
    assert batch.attention_mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert batch.predicted == [1, 2]
    assert batch.positions(batch.predicted).tolist() == [0, 3, 4]


def test_a_token_that_equals_the_padding_is_a_token() -> None:
    batch = pad([[0, 5, 0], [7]])
    assert batch.predicted == [2, 0]
    assert batch.positions(batch.lengths).tolist() == [0, 1, 2, 3]


def test_the_loss_is_the_models_own_mean_over_tokens(tiny_model: Any) -> None:
    losses = [(float(tiny_model(**_one(document)).loss.detach()), len(document) - 1) for document in DOCUMENTS]
    expected = sum(loss * count for loss, count in losses) / sum(count for _, count in losses)
    assert float(mean_loss(tiny_model, pad(DOCUMENTS)).detach()) == pytest.approx(expected, rel=1e-5)


def test_each_document_has_its_own_loss_and_predicted_tokens(tiny_model: Any) -> None:
    losses, counts = document_losses(tiny_model, pad(DOCUMENTS))
    assert counts.tolist() == [len(document) - 1 for document in DOCUMENTS]
    expected = [float(tiny_model(**_one(document)).loss.detach()) * (len(document) - 1) for document in DOCUMENTS]
    assert losses.tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_losses_that_are_read_do_not_depend_on_the_batches(tiny_model: Any, size: int) -> None:
    losses, counts = document_losses(tiny_model, pad(DOCUMENTS))
    read = read_losses(tiny_model, DOCUMENTS, size)
    assert read[:, 0] == pytest.approx(losses.detach().numpy(), rel=1e-5)
    assert read[:, 1].tolist() == counts.tolist()


@pytest.mark.parametrize("tokens", [1, 6, 9, 100])
def test_losses_are_read_within_a_bound_of_tokens_and_returned_in_their_order(
    tiny_model: Any, monkeypatch: pytest.MonkeyPatch, tokens: int
) -> None:
    shapes: list[tuple[int, ...]] = []

    def watch(model: Any, batch: Any) -> Any:
        shapes.append(tuple(batch.input_ids.shape))
        return document_losses(model, batch)

    whole = read_losses(tiny_model, DOCUMENTS, 7)
    monkeypatch.setattr("social_provenance.training.batches.document_losses", watch)
    np.testing.assert_allclose(read_losses(tiny_model, DOCUMENTS, 7, tokens), whole, rtol=1e-5)
    assert all(rows * width <= tokens or rows == 1 for rows, width in shapes)
    assert [width for _, width in shapes] == sorted((width for _, width in shapes), reverse=True)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    documents=st.integers(1, 10),
    tokens=st.none() | st.integers(1, 200),
)
def test_groups_keep_the_order_within_both_bounds_and_are_no_smaller_than_they_must(
    lengths: list[int], documents: int, tokens: int | None
) -> None:
    groups = group(lengths, documents, tokens)
    assert [row for rows in groups for row in rows] == list(range(len(lengths)))

    def fits(rows: list[int]) -> bool:
        size = len(rows) * max(lengths[row] for row in rows)
        return len(rows) == 1 or (len(rows) <= documents and (tokens is None or size <= tokens))

    assert all(map(fits, groups))
    assert not any(fits([*one, other[0]]) for one, other in pairwise(groups))


def test_parts_are_narrow_and_know_their_rows() -> None:
    batch = dataclasses.replace(take(DOCUMENTS, [1, 2, 0]), tokens_at_once=6)
    parts = batch.parts()
    assert [_rows(part) for part in parts] == [[(8, 9, 10, 11, 12)], [(13, 14), (5, 6, 7)]]
    assert [part.rows for part in parts] == [(1,), (2, 0)]
    assert [part.input_ids.shape for part in parts] == [(1, 5), (2, 3)]
    assert pad(DOCUMENTS).parts()[0].input_ids.shape == (3, 5)


def test_reading_leaves_no_gradient_and_the_model_in_evaluation_mode(tiny_model: Any) -> None:
    read_losses(tiny_model.train(), DOCUMENTS, 2)
    assert all(parameter.grad is None for parameter in tiny_model.parameters())
    assert not tiny_model.training


def test_of_no_documents_nothing_is_read(tiny_model: Any) -> None:
    assert read_losses(tiny_model, [], 2).shape == (0, 2)


def test_rows_say_where_documents_stand() -> None:
    assert pad(DOCUMENTS).rows == (0, 1, 2)
    batch = take(DOCUMENTS, [2, 0])
    assert batch.rows == (2, 0)
    assert _rows(batch) == [tuple(DOCUMENTS[2]), tuple(DOCUMENTS[0])]
    for pair in pairs(DOCUMENTS, DOCUMENTS[:2], size=2, steps=5, seed=1):
        for dealt in pair:
            assert _rows(dealt) == [tuple(DOCUMENTS[row]) for row in dealt.rows]


def test_logits_do_not_depend_on_what_a_document_is_padded_with(tiny_model: Any) -> None:
    alone, padded = (
        tiny_model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits[0, :3]
        for batch in (pad(DOCUMENTS[:1]), pad(DOCUMENTS))
    )
    torch.testing.assert_close(padded, alone)


def test_each_pass_deals_every_document_once() -> None:
    forget, retain = [[n, n] for n in range(6)], [[n, n] for n in range(100, 108)]
    batches = list(pairs(forget, retain, size=2, steps=12, seed=0))
    assert len(batches) == 12
    dealt = [row for batch, _ in batches for row in _rows(batch)]
    for start in range(0, 24, 6):
        assert sorted(dealt[start : start + 6]) == sorted(map(tuple, forget))
    kept = Counter(row for _, batch in batches for row in _rows(batch))
    assert set(kept.values()) == {3}


def test_a_seed_gives_its_order_again_and_another_seed_another() -> None:
    documents = [[n, n] for n in range(20)]

    def order(seed: int) -> list[Any]:
        return [_rows(batch) for pair in islice(pairs(documents, documents, 4, 5, seed), 5) for batch in pair]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_the_retained_order_does_not_depend_on_what_is_forgotten() -> None:
    retain = [[n, n] for n in range(20)]

    def kept(forget: list[list[int]]) -> list[Any]:
        return [_rows(batch) for _, batch in pairs(forget, retain, 4, 5, seed=3)]

    assert kept([[1, 2]]) == kept([[n, n] for n in range(50, 60)])


def _one(document: list[int]) -> dict[str, Any]:
    ids = torch.tensor([document])
    return {"input_ids": ids, "labels": ids}
