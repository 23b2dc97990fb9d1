"""Memory that is counted from shapes is that which a real computation takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from social_provenance.device_memory import BLOCK, counted, found, memory_of_gpu

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 256
MATRIX = 4 * SIDE**2


def _chain() -> None:
    one = torch.ones(SIDE, SIDE)
    two = one + 1
    del one
    three = two + 1
    del two, three


def _views() -> None:
    one = torch.ones(SIDE, SIDE)
    assert one.T[:10].reshape(-1).shape == (10 * SIDE,)
    one.add_(1)


def _backward() -> None:
    weight = torch.ones(SIDE, SIDE, requires_grad=True)
    (weight @ weight).sum().backward()


@pytest.mark.parametrize(
    ("compute", "matrices"),
    [
        (_chain, 2),  # never more than two at once
        (_views, 1 + 10 / SIDE),  # a view takes nothing, a transposed copy does
        (_backward, 4),  # weight, product, and two terms of the gradient; that of the sum is one number
    ],
)
def test_what_is_alive_at_once_counts(compute: Callable[[], None], matrices: float) -> None:
    with counted() as tally:
        compute()
    assert tally.peak == pytest.approx(matrices * MATRIX, abs=8 * BLOCK)


def test_nothing_is_left_and_the_peak_starts_anew() -> None:
    with counted() as tally:
        kept = torch.ones(SIDE, SIDE)
        _chain()
        assert (tally.now, tally.peak) == (MATRIX, 3 * MATRIX)
        tally.restart()
        assert tally.peak == MATRIX
        del kept
        assert tally.now == 0


def test_small_tensors_take_a_block() -> None:
    with counted() as tally:
        kept = [torch.ones(1) for _ in range(3)]
        assert tally.now == len(kept) * BLOCK


def test_what_cannot_be_followed_is_unknown_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    def select() -> int:
        with counted() as tally:
            ones = torch.ones(SIDE)
            return int(ones[ones > 0].sum()) + tally.peak

    assert found(select, "a step") is None
    assert "the GPU memory of a step is not known (DynamicOutputShapeException: " in caplog.text
    assert found(lambda: 7, "a step") == 7


def test_the_smallest_gpu_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory_of_gpu() is None or torch.cuda.is_available()
    sizes = {0: 80, 1: 24}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(sizes))
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda gpu: type("Properties", (), {"total_memory": sizes[gpu]})
    )
    assert memory_of_gpu() == 24
