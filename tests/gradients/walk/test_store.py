"""A store reads the same however it was divided, and refuses damage and strangers."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from social_provenance.artifacts import SEAL, part_digest
from social_provenance.errors import AttributionError
from social_provenance.gradients.walk.store import (
    NUMBERS,
    ROWS,
    STORE,
    GradientStore,
    gradients_of,
    query_stores,
    refuse_others,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Maker = Callable[..., GradientStore]


@pytest.fixture
def gradients() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(11, 13)).astype(np.float32)


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def _joined(*stores: GradientStore) -> GradientStore:
    """Return one store of the first shards of several."""
    return GradientStore({f"s{number}": next(iter(store.shards.values())) for number, store in enumerate(stores)})


@pytest.mark.parametrize("shards", [1, 2, 5, 11])
@pytest.mark.parametrize("rows", [1, 2, 7, 100])
def test_pieces_hold_every_row_once_in_order(make_store: Maker, gradients: np.ndarray, rows: int, shards: int) -> None:
    store = make_store(gradients=gradients, shards=shards, blocks=range(11))
    pieces = list(store.chunks(rows))
    np.testing.assert_array_equal(np.concatenate([piece.gradients for piece in pieces]), gradients)
    assert [name for piece in pieces for name in piece.rows["id"]] == [f"d{number:03d}" for number in range(11)]
    for name in ("tokens", "loss", "norm", "block"):
        found = np.concatenate([piece.rows[name].to_numpy() for piece in pieces])
        np.testing.assert_array_equal(found, store.column(name))
    for piece in pieces:
        assert len(piece.rows) == len(piece.gradients) <= rows
        assert list(piece.rows.index) == list(range(len(piece.rows)))
        assert piece.gradients.dtype == np.float32


def test_the_shards_do_not_change_what_a_store_tells(make_store: Maker, gradients: np.ndarray) -> None:
    whole, divided = (make_store(gradients=gradients, shards=shards, blocks=range(11)) for shards in (1, 4))
    assert divided.identity == whole.identity
    assert divided.modules == whole.modules
    for name in ("tokens", "loss", "norm", "block", "id"):
        np.testing.assert_array_equal(divided.column(name), whole.column(name))
    for name, total in whole.sums().items():
        np.testing.assert_allclose(divided.sums()[name], total, rtol=1e-6, atol=1e-6)
    states = np.concatenate([states for _, states in divided.states()])
    np.testing.assert_array_equal(states, next(whole.states())[1])
    assert [name for rows, _ in divided.states() for name in rows["id"]] == list(whole.column("id"))


def test_modules_are_columns_one_after_the_other(make_store: Maker) -> None:
    store = make_store(3)
    assert store.modules == {"up": slice(0, 4), "down": slice(4, 13)}
    assert store.width == 13


def test_sums_are_the_outer_products_of_all_rows(make_store: Maker, gradients: np.ndarray) -> None:
    sums = make_store(gradients=gradients, shards=3).sums()
    assert set(sums) == {"up", "down"}
    for name, columns in (("up", slice(0, 4)), ("down", slice(4, 13))):
        expected = gradients[:, columns].T @ gradients[:, columns]
        torch.testing.assert_close(sums[name], torch.from_numpy(expected), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_half_precision_is_read_as_full(make_store: Maker, gradients: np.ndarray, rows: int) -> None:
    store = make_store(gradients=gradients)
    (folder,) = store.shards.values()
    gradients.astype(np.float16).tofile(folder / NUMBERS)
    info = folder / "index/info.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "base_dtype": "float16"}))
    pieces = list(gradients_of(folder, rows))
    assert [start for start, _ in pieces] == list(range(0, 11, rows))
    found = np.concatenate([piece for _, piece in pieces])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, gradients.astype(np.float16).astype(np.float32))


def test_a_store_without_shards_says_how_to_fill_it() -> None:
    for ask in (lambda: GradientStore({}).modules, lambda: GradientStore({}).width):
        with pytest.raises(AttributionError, match="the gradient store is empty: run the attribution pipeline"):
            ask()


@pytest.mark.parametrize("rows", [1, 4, 100])
@pytest.mark.parametrize("place", [0, 250, -1])
def test_a_flipped_bit_is_told_with_its_file_and_the_fix(make_store: Maker, rows: int, place: int) -> None:
    store = make_store(12, shards=3)
    folder = store.shards["shard-1"]
    _flip(folder / NUMBERS, place % (folder / NUMBERS).stat().st_size)
    read = []
    with pytest.raises(AttributionError) as caught:
        read.extend(len(piece.rows) for piece in store.chunks(rows))
    assert str(caught.value) == (
        f"{folder / NUMBERS} is damaged: it has other bytes than when it was finished; run the node that makes "
        f"{folder.parent.name} again, which recomputes this shard and keeps the others"
    )
    assert sum(read) == 8  # the third shard is not read


@pytest.mark.parametrize("added", [b"", bytes(4), bytes(52)], ids=["shorter", "a number longer", "a row longer"])
def test_a_file_of_another_length_is_damage(make_store: Maker, gradients: np.ndarray, added: bytes) -> None:
    store = make_store(gradients=gradients)
    file = store.shards["shard-0"] / NUMBERS
    file.write_bytes(file.read_bytes() + added if added else file.read_bytes()[:-52])
    with pytest.raises(AttributionError, match=r"gradients\.bin is damaged"):
        list(store.chunks(4))


def test_a_sound_store_is_read_with_its_checksum_and_one_without_a_seal_has_none(make_store: Maker) -> None:
    store = make_store(5)
    (folder,) = store.shards.values()
    assert sum(len(piece.rows) for piece in store.chunks(2)) == 5
    (folder / SEAL).unlink()
    _flip(folder / NUMBERS, 0)
    assert sum(len(piece.rows) for piece in store.chunks(2)) == 5
    assert store.digest == {"shard-0": None}


def test_a_shard_is_known_by_what_it_was_made_from(make_store: Maker) -> None:
    expected = {name: part_digest(name, "code") for name in ("shard-0", "shard-1")}
    assert make_store(6, shards=2).digest == expected


def test_a_store_stays_readable_where_it_is_moved(make_store: Maker, gradients: np.ndarray, tmp_path: Path) -> None:
    store = make_store(gradients=gradients, shards=2)
    moved = {name: tmp_path / name for name in store.shards}
    for name, folder in store.shards.items():
        shutil.move(folder, moved[name])
    found = np.concatenate([piece.gradients for piece in GradientStore(moved).chunks(3)])
    np.testing.assert_array_equal(found, gradients)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("model", "n", "model (m and n)"),
        ("projection_dim", 8, "projection_dim (4 and 8)"),
        ("loss_reduction", "mean", "loss_reduction (sum and mean)"),
        ("modules", {"up": 4, "down": 4, "gate": 5}, "modules"),
    ],
)
def test_shards_of_different_stores_are_refused_with_both_named(
    make_store: Maker, key: str, value: Any, said: str
) -> None:
    mixed = _joined(make_store(3), make_store(3), make_store(3, **{key: value}))
    for ask in (lambda: mixed.identity, lambda: mixed.modules, lambda: mixed.width):
        with pytest.raises(AttributionError) as caught:
            ask()
        assert str(caught.value) == (
            f"gradients of shard s0 and shard s2 differ in {said}: they come from different models or settings; "
            f"run the attribution pipeline from its start"
        )


def test_two_stores_of_one_model_can_be_compared_and_others_cannot(make_store: Maker) -> None:
    corpus, queries = make_store(3), make_store(5, seed=1)
    refuse_others("the corpus", corpus.identity, "the queries of siqa", queries.identity)
    other = make_store(3, model="n").identity
    said = r"gradients of the corpus and the queries of siqa differ in model \(m and n\): they come from different"
    with pytest.raises(AttributionError, match=said):
        refuse_others("the corpus", corpus.identity, "the queries of siqa", other)
    lacking = {key: value for key, value in corpus.identity.items() if key != "loss_reduction"}
    with pytest.raises(AttributionError, match=r"differ in loss_reduction \(sum and None\)"):
        refuse_others("the corpus", corpus.identity, "the queries", lacking)


def test_a_real_store_tells_what_it_was_made_with(store: GradientStore, collect: Maker, sequences: Any) -> None:
    assert store.identity["projection_dim"] == 4
    assert (store.identity["projection_type"], store.identity["loss_reduction"]) == ("rademacher", "sum")
    assert store.width == 7 * 16
    assert json.loads((store.shards["all"] / STORE).read_text()) == store.identity
    other = collect(sequences.select([0]), loss_reduction="mean")
    with pytest.raises(AttributionError, match=r"shard s0 and shard s1 differ in loss_reduction \(sum and mean\)"):
        _ = _joined(store, other).identity


def test_query_stores_are_by_benchmark_and_variant(make_store: Maker) -> None:
    names = ["siqa.items", "siqa.shuffled_answers", "arc_challenge.items", "mmlu_stem.with.dots"]
    parts = {name: make_store(2, seed=seed).shards["shard-0"] for seed, name in enumerate(names)}
    stores = query_stores(parts)
    assert {benchmark: list(own) for benchmark, own in stores.items()} == {
        "siqa": ["items", "shuffled_answers"],
        "arc_challenge": ["items"],
        "mmlu_stem": ["with.dots"],
    }
    assert stores["siqa"]["shuffled_answers"].shards == {"siqa.shuffled_answers": parts["siqa.shuffled_answers"]}
    assert query_stores({}) == {}


def test_rows_and_gradients_of_a_real_store_belong_together(store: GradientStore) -> None:
    assert (store.shards["all"] / ROWS).exists()
    for piece in store.chunks(2):
        np.testing.assert_allclose(np.linalg.norm(piece.gradients, axis=1), piece.rows["norm"], rtol=1e-6)


def test_hidden_states_come_by_name_in_the_order_asked_for(make_store: Maker, gradients: np.ndarray) -> None:
    store = make_store(gradients=gradients, shards=2)
    names = np.array(["d003", "d000", f"d{len(gradients) - 1:03d}"])
    np.testing.assert_array_equal(store.states_of(names), gradients[[3, 0, len(gradients) - 1], :3].astype(np.float32))
    with pytest.raises(AttributionError, match="document 'x' is not in the gradient store: scores and store are of"):
        store.states_of(np.array(["d001", "x"]))
