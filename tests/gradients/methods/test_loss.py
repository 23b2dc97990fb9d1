"""The loss of a document is its own, whatever the benchmark asks."""

from __future__ import annotations

import numpy as np

from social_provenance.gradients.methods.loss import Loss
from social_provenance.gradients.methods.text_methods import Queries, Texts

DOCUMENTS = Texts([[5, 6], [7, 7, 7], [8]], np.ones((3, 2)), np.array([4.0, 0.5, 2.5], dtype=np.float32))


def test_every_block_of_every_benchmark_sees_the_same() -> None:
    method = Loss()
    for blocks in ([0], [0, 1, 1, 2]):
        queries = Queries([[1]] * len(blocks), np.random.default_rng(0).normal(size=(len(blocks), 2)), blocks)
        found = method.multiply(method.describe(DOCUMENTS, None), method.aim(queries, None))
        assert np.array_equal(found, np.repeat([[4.0], [0.5], [2.5]], max(blocks) + 1, axis=1))
