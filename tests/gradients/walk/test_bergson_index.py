"""An index is rewritten in another precision with the nearest numbers, a few rows at a time."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social_provenance.errors import AttributionError
from social_provenance.gradients.walk.bergson_index import (
    INDEX,
    STATES,
    StatesOfRank,
    convert_index,
    index_layout,
    join_states,
)


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_halved_index_has_the_nearest_numbers_of_half_precision(tmp_path: Path, chunk: int) -> None:
    gradients = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32) * np.float32([1e-6, 1, 1e4])
    gradients[3, 2] = 1e6
    (tmp_path / INDEX).mkdir()
    gradients.tofile(tmp_path / INDEX / "gradients.bin")
    info = {"num_grads": 5, "grad_sizes": {"up": 1, "down": 2}, "base_dtype": "float32"}
    (tmp_path / INDEX / "info.json").write_text(json.dumps(info))
    convert_index(tmp_path, "fp16", chunk)
    assert index_layout(tmp_path) == ({"up": 1, "down": 2}, "float16")
    assert json.loads((tmp_path / INDEX / "info.json").read_text()) == info | {"base_dtype": "float16"}
    halved = np.fromfile(tmp_path / INDEX / "gradients.bin", dtype=np.float16).reshape(5, 3)
    assert np.isposinf(halved[3, 2])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(halved, gradients.astype(np.float16))
    assert sorted(path.name for path in (tmp_path / INDEX).iterdir()) == ["gradients.bin", "info.json"]


@pytest.mark.parametrize(("kind", "wanted"), [("fp32", np.float32), ("fp16", np.float16)])
def test_the_numbers_of_a_model_in_half_the_bits_are_read_by_numpy(tmp_path: Path, kind: str, wanted: type) -> None:
    gradients = np.random.default_rng(0).normal(size=(5, 3)).astype(ml_dtypes.bfloat16)
    (tmp_path / INDEX).mkdir()
    (tmp_path / INDEX / "gradients.bin").write_bytes(gradients.tobytes())
    info = {"num_grads": 5, "grad_sizes": {"up": 3}, "base_dtype": "bfloat16"}
    (tmp_path / INDEX / "info.json").write_text(json.dumps(info))
    convert_index(tmp_path, kind, 2)
    assert index_layout(tmp_path) == ({"up": 3}, np.dtype(wanted).name)
    found = np.fromfile(tmp_path / INDEX / "gradients.bin", dtype=wanted).reshape(5, 3)
    np.testing.assert_array_equal(found, gradients.astype(wanted))


def test_an_index_of_that_precision_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / INDEX).mkdir()
    info = {"num_grads": 5, "grad_sizes": {"up": 3}, "base_dtype": "float32"}
    (tmp_path / INDEX / "info.json").write_text(json.dumps(info))
    convert_index(tmp_path, "fp32", 2)  # would read gradients that are not there
    assert [path.name for path in (tmp_path / INDEX).iterdir()] == ["info.json"]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), max_size=8, unique=True), min_size=1, max_size=4))
def test_states_of_processes_are_joined_in_the_order_of_the_rows(shares: list[list[int]]) -> None:
    places = {row: rank for rank, rows in enumerate(shares) for row in rows}  # a divided model walks a batch twice
    rows = sorted(places)
    numbered = [[rows.index(row) for row in share] for share in shares]
    states = np.random.default_rng(0).standard_normal((len(rows), 3)).astype(np.float32)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for rank, share in enumerate(numbered):
            own = StatesOfRank(folder, rank, (len(share), 3))
            for start in range(0, len(share), 3):
                own.add(share[start : start + 3], states[share[start : start + 3]])
            own.close()
        join_states(folder, len(rows))
        if rows:
            np.testing.assert_array_equal(np.load(folder / STATES), states)
        assert {path.name for path in folder.iterdir()} <= {STATES}


def test_rows_that_no_process_has_walked_on_this_disk_are_an_error(tmp_path: Path) -> None:
    own = StatesOfRank(tmp_path, 0, (2, 3))
    own.add([0, 2], np.zeros((2, 3), dtype=np.float32))
    own.close()
    with pytest.raises(AttributionError, match=r"has the hidden states of 2 of 4 rows: a process has"):
        join_states(tmp_path, 4)
