"""A finished shard tells norms, second moments and documents of what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

from social_provenance.gradients.walk.store import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets import Dataset

    from social_provenance.gradients.walk.store import GradientStore


@pytest.mark.parametrize("kind", ["fp32", "fp16"])
@pytest.mark.parametrize("chunk", [1, 3, 4096])
def test_norms_and_second_moments_are_those_of_what_is_stored(
    collect: Callable[..., GradientStore],
    sequences: Dataset,
    by_id: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    chunk: int,
) -> None:
    monkeypatch.setattr("social_provenance.gradients.walk.finish.CHUNK", chunk)
    store = collect(sequences, store=kind)
    gradients = np.stack(list(by_id(store).values())).astype(np.float64)
    np.testing.assert_allclose(store.column("norm"), np.linalg.norm(gradients, axis=1), rtol=1e-6)
    sums = store.sums()
    assert set(sums) == set(store.modules)
    for name, columns in store.modules.items():
        block = gradients[:, columns]
        assert sums[name].dtype == torch.float32
        np.testing.assert_allclose(sums[name], block.T @ block, rtol=1e-6, atol=1e-6 * (block**2).sum())


def test_the_rows_of_a_shard_tell_its_documents(store: GradientStore, sequences: Dataset) -> None:
    rows = pd.read_parquet(store.shards["all"] / ROWS)
    assert list(rows) == ["id", "tokens", "loss", "norm"]
    assert list(rows["id"]) == list(sequences["doc_id"])
    assert list(rows["tokens"]) == list(sequences["length"])
    assert rows["loss"].dtype == rows["norm"].dtype == np.float32
