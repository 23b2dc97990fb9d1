"""What Bergson gives: gradients of the loss that is asked for, and the formulas of the paper."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from social_provenance.errors import AttributionError
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.bergson_index import INDEX, STATES, index_layout, index_losses
from social_provenance.gradients.walk.bergson_run import (
    Walker,
    deal_batches,
    index_config,
    inverse_root,
    mixing_coefficient,
)
from social_provenance.gradients.walk.store import GradientStore, refuse_others

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.language_model import LanguageModel

    Collect = Callable[..., GradientStore]

SETTINGS = GradientSettings(projection_dim=4, token_batch=128, max_tokens=128)


def _masked(sequences: Dataset, keep: Callable[[int], bool]) -> Dataset:
    """Return the sequences with loss on the places that are kept."""
    labels = [[token if keep(place) else -100 for place, token in enumerate(ids)] for ids in sequences["input_ids"]]
    return sequences.add_column("labels", labels)


def _folder(store: GradientStore) -> Path:
    (folder,) = store.shards.values()
    return folder


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


def test_labels_on_every_token_are_what_a_document_without_labels_has(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset, assert_near: Any
) -> None:
    assert_near(by_id(store), by_id(collect(_masked(sequences, lambda _: True))))


def test_the_prompt_of_a_query_changes_its_gradient_only_as_context(
    collect: Collect, by_id: Any, sequences: Dataset, assert_near: Any
) -> None:
    """With loss on nothing but the last token, what comes after that token cannot matter."""
    longer = [[*ids, 9, 9, 9] for ids in sequences["input_ids"]]
    last = [[-100] * (len(ids) - 1) + [ids[-1]] for ids in sequences["input_ids"]]
    short = sequences.add_column("labels", last)
    padded = sequences.remove_columns(["input_ids", "length"])
    padded = padded.add_column("input_ids", longer).add_column("length", [len(ids) for ids in longer])
    padded = padded.add_column("labels", [[*labels, -100, -100, -100] for labels in last])
    assert_near(by_id(collect(short)), by_id(collect(padded)))


def test_a_mean_loss_divides_by_the_tokens(
    collect: Collect, by_id: Any, sequences: Dataset, store: GradientStore, assert_near: Any
) -> None:
    mean = collect(sequences, loss_reduction="mean")
    predicted = {row["doc_id"]: row["length"] - 1 for row in sequences}
    assert_near({doc_id: whole / predicted[doc_id] for doc_id, whole in by_id(store).items()}, by_id(mean))
    np.testing.assert_allclose(mean.column("loss"), store.column("loss") / (mean.column("tokens") - 1), rtol=1e-5)


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


@pytest.mark.parametrize("token_batch", [46, 128, 4096], ids=["small", "mixed", "beyond the model"])
def test_a_gradient_and_a_state_do_not_depend_on_the_batch(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset, token_batch: int, assert_near: Any
) -> None:
    other = collect(sequences, token_batch=token_batch, max_tokens=46)
    assert_near(by_id(store), by_id(other))
    np.testing.assert_allclose(np.load(_folder(other) / STATES), np.load(_folder(store) / STATES), atol=1e-6)


def test_a_gradient_does_not_depend_on_the_order_or_on_its_neighbours(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset, assert_near: Any
) -> None:
    whole = by_id(store)
    assert_near(whole, by_id(collect(sequences.select([4, 6, 0, 2, 5, 3, 1]))))
    assert_near({"doc-3": whole["doc-3"]}, by_id(collect(sequences.select([3]))))


def test_a_document_twice_has_the_same_gradient_twice(
    store: GradientStore, collect: Collect, by_id: Any, sequences: Dataset, assert_near: Any
) -> None:
    twice = sequences.select([0, 1, 2, 3, 4, 5, 6, 2])
    names = [*sequences["doc_id"], "again"]
    found = by_id(collect(twice.remove_columns("doc_id").add_column("doc_id", names)))
    assert_near({"again": found["doc-2"]}, {"again": found["again"]})
    assert_near(by_id(store), {name: gradient for name, gradient in found.items() if name != "again"})


def test_the_mean_hidden_state_is_that_of_a_direct_pass(
    store: GradientStore, sequences: Dataset, tiny_model: Any
) -> None:
    from bergson.data import allocate_batches

    lengths = list(sequences["length"])
    batches = allocate_batches(lengths, SETTINGS.token_batch)
    assert max(len({lengths[row] for row in batch}) for batch in batches) > 1  # some rows are padded
    states = np.load(_folder(store) / STATES)
    assert states.dtype == np.float32
    for state, row in zip(states, sequences, strict=True):
        with torch.no_grad():
            direct = tiny_model.base_model(input_ids=torch.tensor([row["input_ids"]])).last_hidden_state[0]
        np.testing.assert_allclose(state, direct.mean(dim=0).numpy(), atol=1e-6)


def test_an_index_tells_its_modules_and_keeps_the_ids(store: GradientStore, sequences: Dataset) -> None:
    from datasets import load_from_disk

    sizes, kind = index_layout(_folder(store))
    projections = [f"self_attn.{name}_proj" for name in "qkvo"] + [
        f"mlp.{name}_proj" for name in ("gate", "up", "down")
    ]
    assert list(sizes) == [f"layers.0.{name}" for name in projections]
    assert set(sizes.values()) == {16}
    assert kind == "float32"
    kept = load_from_disk(str(_folder(store) / INDEX / "data.hf"))
    assert list(kept["doc_id"]) == list(sequences["doc_id"])
    np.testing.assert_array_equal(index_losses(_folder(store)), store.column("loss"))


@pytest.mark.parametrize("kind", ["fp32", "fp16"])
def test_bergson_reads_the_same_numbers_from_a_shard(
    collect: Collect, by_id: Any, sequences: Dataset, kind: str
) -> None:
    from bergson.data import column_offsets, load_gradients

    store = collect(sequences, store=kind)
    theirs = load_gradients(_folder(store) / INDEX)
    assert theirs.dtype == {"fp32": np.float32, "fp16": np.float16}[kind]
    for row, gradient in zip(theirs, by_id(store).values(), strict=True):
        np.testing.assert_array_equal(row.astype(np.float32), gradient)
    sizes = index_layout(_folder(store))[0]
    assert column_offsets(sizes) == {name: (each.start, each.stop) for name, each in store.modules.items()}


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")  # it maps the file for reading
@pytest.mark.parametrize("kind", ["fp32", "fp16"])
def test_bergsons_attributor_finds_a_document_in_a_shard_by_its_gradient(
    collect: Collect, by_id: Any, sequences: Dataset, tiny_model: Any, kind: str
) -> None:
    from bergson import Attributor

    store = collect(sequences, store=kind)
    attributor = Attributor(index_path=_folder(store) / INDEX, unit_norm=True)
    gradients = torch.from_numpy(np.stack(list(by_id(store).values())))
    queries = {name: gradients[:, columns] for name, columns in store.modules.items()}
    scores, found = attributor.search(queries, k=1)
    assert found[:, 0].tolist() == list(range(len(sequences)))
    np.testing.assert_allclose(scores[:, 0], 1, atol=1e-4)
    for place in (2, 5):  # from the text itself: the projection is that of the index
        ids = torch.tensor([sequences[place]["input_ids"]])
        with attributor.trace(tiny_model.base_model, k=1) as traced:
            tiny_model(input_ids=ids, labels=ids).loss.backward()
        tiny_model.zero_grad()
        assert traced.indices.tolist() == [[place]]
        assert float(traced.scores) == pytest.approx(1, abs=1e-4)


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")  # it maps the file for reading
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # it leaves info.json open
def test_bergsons_faiss_index_is_made_of_a_shard(
    collect: Collect, by_id: Any, sequences: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    import faiss
    from bergson import Attributor, FaissConfig

    # Bergson asks whether an index is of this class, which the CPU build lacks.
    monkeypatch.setattr(faiss, "GpuIndex", type("GpuIndex", (), {}), raising=False)

    store = collect(sequences)
    attributor = Attributor(index_path=_folder(store) / INDEX, unit_norm=True, faiss_cfg=FaissConfig())
    gradients = torch.from_numpy(np.stack(list(by_id(store).values())))
    _, found = attributor.search({name: gradients[:, columns] for name, columns in store.modules.items()}, k=1)
    assert found[:, 0].tolist() == list(range(len(sequences)))


def test_a_model_is_loaded_once_and_tells_what_it_has_walked(
    model: LanguageModel, sequences: Dataset, tmp_path: Path
) -> None:
    seen: list[int] = []
    walker = Walker(model, SETTINGS, Distributed(), seen.append)
    loaded = []
    for name, rows in (("one", sequences.select([0, 1])), ("two", sequences)):
        (tmp_path / name).mkdir()
        walker.collect(rows, tmp_path / name)
        loaded.append(walker._loaded[0])
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == [STATES, INDEX]
    assert loaded[0] is loaded[1]
    assert sum(seen) == 2 + len(sequences)
    assert all(parameter.grad is None for parameter in loaded[0].parameters())


def test_bergson_gets_a_fresh_configuration_and_never_more_than_the_model_takes(
    model: LanguageModel, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"token_batch": 100_000, "moe_experts": "*.experts"})
    config, other = (
        index_config(model, settings, tmp_path / "index", Distributed(nnode=2, nproc_per_node=3, fsdp=True))
        for _ in range(2)
    )
    assert config is not other
    assert config.distributed is not other.distributed
    assert config.token_batch_size == 512
    assert (config.distributed.nnode, config.distributed.nproc_per_node, config.fsdp) == (2, 3, True)
    assert (config.projection_dim, config.projection_type, config.loss_reduction) == (4, "rademacher", "sum")
    assert (config.moe_experts, config.precision, config.model) == ("*.experts", "fp32", model.path)


def test_bergson_leaves_the_log_and_the_streams_as_they_were(
    collect: Collect, sequences: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (logging.root.level, list(logging.root.handlers), logging.root.manager.disable)
    formats = [(handler.formatter, handler.level) for handler in logging.root.handlers]
    collect(sequences.select([0]))
    assert (logging.root.level, list(logging.root.handlers), logging.root.manager.disable) == before
    assert [(handler.formatter, handler.level) for handler in logging.root.handlers] == formats
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
def test_processes_share_the_batches_of_one(processes: int) -> None:
    lengths = [9, 2, 30, 4, 17, 8, 8, 3, 25]
    (alone,) = deal_batches(lengths, 34, 1, fsdp=False)
    shares = deal_batches(lengths, 34, processes, fsdp=False)
    assert len(shares) == processes
    assert sorted(batch for share in shares for batch in share) == sorted(alone)
    assert sorted(place for batch in alone for place in batch) == list(range(len(lengths)))


@pytest.mark.parametrize("processes", [1, 2, 4, 7, 9])
@pytest.mark.parametrize("batch_tokens", [30, 64, 1000])
def test_the_processes_of_a_divided_model_keep_in_step_and_share_no_row(processes: int, batch_tokens: int) -> None:
    lengths = [9, 2, 30, 4, 17, 8, 8, 3, 25]
    shares = deal_batches(lengths, batch_tokens, processes, fsdp=True)
    assert len({len(share) for share in shares}) == 1
    assert all(max(lengths[place] for place in batch) * len(batch) <= batch_tokens for own in shares for batch in own)
    rows = [{place for batch in share for place in batch} for share in shares]
    assert all(rows)
    # Losses are summed over processes, so a row that two of them walk would count twice.
    assert sorted(place for own in rows for place in own) == list(range(len(lengths)))


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


@pytest.mark.parametrize(("precision", "inside"), [("fp32", "highest"), ("tf32", "high"), ("bf16", "highest")])
def test_products_are_rounded_in_the_walk_and_nowhere_else(
    model: LanguageModel, sequences: Dataset, tmp_path: Path, precision: str, inside: str
) -> None:
    seen: list[str] = []
    settings = SETTINGS.model_copy(update={"precision": precision})
    walker = Walker(model, settings, Distributed(), lambda _: seen.append(torch.get_float32_matmul_precision()))
    before = torch.get_float32_matmul_precision()
    walker.collect(sequences, tmp_path)
    assert set(seen) == {inside}
    assert torch.get_float32_matmul_precision() == before
    kinds = {weight.dtype for weight in walker._loaded[0].parameters()}
    assert kinds == {torch.bfloat16 if precision == "bf16" else torch.float32}


def test_half_the_bits_give_nearly_the_same_gradients_in_a_store_of_their_own(
    collect: Collect, sequences: Dataset, store: GradientStore, by_id: Any
) -> None:
    half = collect(sequences, precision="bf16")
    for doc_id, gradient in by_id(store).items():
        own = by_id(half)[doc_id]
        assert 0.98 < own @ gradient / np.linalg.norm(own) / np.linalg.norm(gradient) < 1
    assert half.identity["precision"] == "bf16"
    with pytest.raises(AttributionError, match="precision"):
        refuse_others("one", store.identity, "other", half.identity)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_attention_is_computed_as_asked(
    model: LanguageModel, sequences: Dataset, tmp_path: Path, attention: str
) -> None:
    walker = Walker(model, SETTINGS.model_copy(update={"attention": attention}), Distributed())
    walker.collect(sequences, tmp_path)
    assert walker._loaded[0].config._attn_implementation == attention
