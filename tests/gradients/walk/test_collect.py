"""A corpus is walked once: shards that are there stay, broken ones leave nothing behind, others never mix."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from kedro.io import DatasetError

from social_provenance.artifacts import NODE_RANKS, SEAL
from social_provenance.datasets import PartsFolder, parts
from social_provenance.datasets.folders import DRAFT
from social_provenance.errors import AttributionError
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk import bergson_run, collect, finish
from social_provenance.gradients.walk.collect import Walk, Walker, plan_corpus, plan_queries, plan_store, shard_by_rank
from social_provenance.gradients.walk.store import NUMBERS, GradientStore
from social_provenance.language_model import LanguageModel
from social_provenance.source.reach import Code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datasets import Dataset

SETTINGS = GradientSettings(projection_dim=4, token_batch=128, max_tokens=128, ranks_per_shard=2)
RANKS = (0, 1, 2, 3, 4, 0, 1)
SHARDS = ["ranks-000000", "ranks-000002", "ranks-000004"]


@pytest.fixture(scope="module")
def documents(sequences: Dataset) -> Dataset:
    """Return the documents of two bins, of five ranks and of two."""
    return sequences.add_column("bin_rank", list(RANKS))


@pytest.fixture
def folder(tmp_path: Path) -> PartsFolder:
    return PartsFolder(path=str(tmp_path / "store"), keep=True)


@pytest.fixture
def weights(tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path) -> Callable[..., LanguageModel]:
    """Return a function that saves the tiny model after a change of it."""

    def save(change: Callable[[Any], object]) -> LanguageModel:
        with torch.no_grad():
            change(tiny_model)
        tiny_model.save_pretrained(tmp_path / "changed")
        tiny_tokenizer.save_pretrained(tmp_path / "changed")
        return LanguageModel(str(tmp_path / "changed"))

    return save


def _plan(rows: Dataset, model: LanguageModel, distributed: Distributed | None = None, **settings: Any) -> Any:
    return plan_corpus(rows, model, SETTINGS.model_copy(update=settings), distributed or Distributed())


def _digests(rows: Dataset, model: LanguageModel, **settings: Any) -> dict[str, str]:
    return dict(_plan(rows, model, **settings).digests)


def _bytes(folder: PartsFolder) -> dict[str, dict[str, bytes]]:
    return {
        name: {path.relative_to(part).as_posix(): path.read_bytes() for path in part.rglob("*") if path.is_file()}
        for name, part in folder.load().items()
    }


def _sealed(tmp_path: Path) -> dict[str, int]:
    """Return the shards that are finished, and when they were."""
    seals = (tmp_path / "store").glob(f"*/{SEAL}")
    return {seal.parent.name: seal.stat().st_mtime_ns for seal in seals if seal.parent.suffix != DRAFT}


def _names(sealed: dict[str, int]) -> list[str]:
    return sorted(name[: len(SHARDS[0])] for name in sealed)


def test_a_shard_is_a_range_of_ranks_of_every_bin(documents: Dataset) -> None:
    shards = shard_by_rank(documents, 2)
    assert list(shards) == SHARDS
    assert [list(rows["doc_id"]) for rows in shards.values()] == [
        ["doc-0", "doc-1", "doc-5", "doc-6"],
        ["doc-2", "doc-3"],
        ["doc-4"],
    ]
    assert list(shard_by_rank(documents, 100)) == ["ranks-000000"]


@pytest.mark.parametrize("ranks", [1, 3, 100])
def test_a_gradient_does_not_depend_on_the_shards(
    store: GradientStore, by_id: Any, documents: Dataset, model: LanguageModel, folder: PartsFolder, ranks: int
) -> None:
    folder.save(_plan(documents, model, ranks_per_shard=ranks))
    found, whole = by_id(GradientStore(folder.load())), by_id(store)
    assert set(found) == set(whole)
    for doc_id, gradient in whole.items():
        np.testing.assert_allclose(found[doc_id], gradient, rtol=0, atol=1e-5 * np.abs(gradient).max())


def test_a_larger_nested_sample_computes_its_new_shards_only(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, tmp_path: Path
) -> None:
    small = documents.filter(lambda row: row["bin_rank"] < 2, keep_in_memory=True)
    folder.save(_plan(small, model))
    before, content = _sealed(tmp_path), _bytes(folder)
    assert _names(before) == SHARDS[:1]
    grown = documents.filter(lambda row: row["bin_rank"] < 4, keep_in_memory=True)
    folder.save(_plan(grown, model))
    after = _sealed(tmp_path)
    assert _names(after) == SHARDS[:2]
    assert before.items() <= after.items()
    assert _bytes(folder)[SHARDS[0]] == content[SHARDS[0]]
    assert _digests(documents, model).items() >= _digests(grown, model).items() >= _digests(small, model).items()


def test_the_order_of_documents_changes_a_digest_and_another_copy_of_them_does_not(
    documents: Dataset, model: LanguageModel, tmp_path: Path
) -> None:
    from datasets import load_from_disk

    documents.save_to_disk(str(tmp_path / "copy"))
    before = _digests(documents, model)
    assert len(set(before.values())) == 3
    assert _digests(load_from_disk(str(tmp_path / "copy")), model) == before
    turned = _digests(documents.select([1, 0, 2, 3, 4, 5, 6]), model)
    assert {name for name in before if turned[name] != before[name]} == {SHARDS[0]}


@pytest.mark.parametrize(
    "change",
    [
        {"projection_dim": 8},
        {"projection_type": "normal"},
        {"loss_reduction": "mean"},
        {"store": "fp16"},
        {"token_batch": 256},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_makes_other_shards(documents: Dataset, model: LanguageModel, change: dict[str, Any]) -> None:
    before, after = _digests(documents, model), _digests(documents, model, **change)
    assert all(after[name] != before[name] for name in before)


def test_another_model_makes_other_shards(
    documents: Dataset, model: LanguageModel, llama_folder: Path, weights: Callable[..., LanguageModel]
) -> None:
    before = _digests(documents, model)
    scaled = weights(lambda net: net.lm_head.weight.mul_(1.001))
    for other in (LanguageModel(str(llama_folder)), scaled):
        assert not set(_digests(documents, other).values()) & set(before.values())


@pytest.mark.parametrize("column", ["input_ids", "doc_id"])
def test_a_changed_document_changes_its_shard_only(documents: Dataset, model: LanguageModel, column: str) -> None:
    values = list(documents[column])
    values[3] = "another" if column == "doc_id" else [*values[3][:-1], 7]
    before = _digests(documents, model)
    after = _digests(documents.remove_columns(column).add_column(column, values), model)
    assert {name for name in before if after[name] != before[name]} == {SHARDS[1]}


@pytest.mark.parametrize("column", ["labels", "block"])
def test_what_bears_loss_and_the_block_of_a_query_belong_to_its_identity(
    sequences: Dataset, model: LanguageModel, column: str
) -> None:
    values: list[Any] = list(sequences["input_ids"]) if column == "labels" else [0] * len(sequences)
    rows = sequences.rename_column("doc_id", "item").add_column(column, values)
    values[2] = [-100, *values[2][1:-1], -100] if column == "labels" else 1
    changed = rows.remove_columns(column).add_column(column, values)
    plans = [plan_queries({"a.items": each}, model, SETTINGS, Distributed()) for each in (rows, changed)]
    assert plans[0].digests != plans[1].digests


def test_the_processes_and_the_place_of_the_shards_do_not_change_a_digest(
    documents: Dataset, model: LanguageModel
) -> None:
    many = Distributed(nnode=2, nproc_per_node=8)
    assert _plan(documents, model, many).digests == _plan(documents, model).digests
    whole = _plan(documents, model, ranks_per_shard=5).digests
    assert whole == _plan(documents, model, ranks_per_shard=500).digests


def test_reading_gradients_otherwise_makes_another_store(
    documents: Dataset, model: LanguageModel, monkeypatch: pytest.MonkeyPatch, edited: Callable[..., Code]
) -> None:
    """The reader of ``store.py`` is behind the norms and moments of every shard; the docstring beside it is not."""
    before = _digests(documents, model)
    for old, new, same in (
        ("yield start, numbers[", "yield start, 2 * numbers[", False),
        ("Yield (first row, gradients in fp32)", "Yield (row, gradients in fp32)", True),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(Code, "own", lambda old=old, new=new: edited("gradients/walk/store.py", old, new))
            after = _digests(documents, model)
        assert (after == before) is same
        assert same or not set(after.values()) & set(before.values())


def test_shards_of_another_setting_stay_beside_and_come_back_without_work(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, tmp_path: Path
) -> None:
    folder.save(_plan(documents, model))
    first = folder.load()
    before = _sealed(tmp_path)
    folder.save(_plan(documents, model, loss_reduction="mean"))
    assert not set(folder.load().values()) & set(first.values())
    assert len(_sealed(tmp_path)) == 6
    folder.save(_plan(documents, model))
    assert folder.load() == first
    assert before.items() <= _sealed(tmp_path).items()


@pytest.mark.parametrize(
    "death",
    [
        (bergson_run._MeanStates, "__call__", 2),
        (bergson_run, "index_config", 1),
        (finish, "_norms", 1),
        (finish, "index_losses", 1),
        (parts, "seal", 1),
    ],
    ids=["in a walk", "before a walk", "in the second look", "before the rows", "before the seal"],
)
def test_a_killed_run_goes_on_at_the_shard_it_died_in_and_ends_with_the_same_bytes(
    documents: Dataset, model: LanguageModel, tmp_path: Path, folder: PartsFolder, death: tuple[Any, str, int]
) -> None:
    undisturbed = PartsFolder(path=str(tmp_path / "undisturbed"), keep=True)
    undisturbed.save(_plan(documents, model, token_batch=46, max_tokens=46))
    plan = _plan(documents, model, token_batch=46, max_tokens=46)
    owner, step, left = death
    real = getattr(owner, step)

    def die(*args: Any, **options: Any) -> Any:
        nonlocal left
        if (tmp_path / "store" / f"{SHARDS[0]}-{plan.digests[SHARDS[0]]}").exists():
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return real(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, step, die)
        with pytest.raises(KeyboardInterrupt):
            folder.save(plan)
    assert not folder.exists()
    done = _sealed(tmp_path)
    assert _names(done) == SHARDS[:1]
    folder.save(plan)
    assert done.items() <= _sealed(tmp_path).items()
    assert list(_bytes(folder)) == SHARDS
    assert _bytes(folder) == _bytes(undisturbed)
    assert not list((tmp_path / "store").glob(f"*{DRAFT}"))


def test_a_damaged_shard_is_computed_anew_and_the_others_stay(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, tmp_path: Path
) -> None:
    folder.save(_plan(documents, model))
    content, before = _bytes(folder), _sealed(tmp_path)
    damaged = folder.load()[SHARDS[1]] / NUMBERS
    numbers = bytearray(damaged.read_bytes())
    numbers[7] ^= 1
    damaged.write_bytes(numbers)
    folder.save(_plan(documents, model))
    after = _sealed(tmp_path)
    assert [name for name in after if after[name] != before[name]] == [damaged.parents[1].name]
    assert _bytes(folder) == content


def _only_in(place: int, sequences: Dataset) -> int:
    """Return a token that one document alone has."""
    others = {token for number, row in enumerate(sequences) if number != place for token in row["input_ids"]}
    return int(next(token for token in sequences[place]["input_ids"] if token not in others))


@pytest.mark.parametrize("value", [1e38, -1e30])  # finite, and too large for a gradient
def test_a_gradient_that_is_not_finite_is_refused_by_the_documents_name_and_other_shards_stay(
    documents: Dataset,
    weights: Callable[..., LanguageModel],
    folder: PartsFolder,
    tmp_path: Path,
    value: float,
) -> None:
    token = _only_in(3, documents)
    broken = weights(lambda net: net.get_input_embeddings().weight[token].fill_(value))
    said = r"the gradient of 'doc-3' is not finite \(and of 0 more in its shard\): check the weights of the model; fin"
    with pytest.raises(DatasetError, match=said) as caught:
        folder.save(_plan(documents, broken))
    assert isinstance(caught.value.__cause__, AttributionError)
    before = _sealed(tmp_path)
    assert _names(before) == SHARDS[:1]
    assert not folder.exists()
    folder.save(_plan(documents.filter(lambda row: row["doc_id"] != "doc-3", keep_in_memory=True), broken))
    assert before.items() <= _sealed(tmp_path).items()
    assert list(folder.load()) == SHARDS


def _overflow(monkeypatch: pytest.MonkeyPatch, places: dict[int, float], shard: int) -> None:
    """Make a walk write large numbers for some rows of a shard."""
    real, seen = Walker.collect, []

    def scaled(self: Walker, sequences: Dataset, folder: Path) -> None:
        real(self, sequences, folder)
        seen.append(folder)
        if len(seen) == shard + 1:
            numbers = np.fromfile(folder / NUMBERS, dtype=np.float32).reshape(len(sequences), -1)
            for place, value in places.items():
                numbers[place, 5] = value
            numbers.tofile(folder / NUMBERS)

    monkeypatch.setattr(Walker, "collect", scaled)


@pytest.mark.parametrize("value", [65_520.0, -1e30, np.inf])
def test_a_gradient_beyond_half_precision_is_refused_by_the_documents_name(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    _overflow(monkeypatch, {0: value, 1: value}, shard=1)
    said = (
        r"the gradient of 'doc-2' is not finite \(and of 1 more in its shard\): store fp32 numbers \(gradients\.store\)"
    )
    with pytest.raises(DatasetError, match=said):
        folder.save(_plan(documents, model, store="fp16"))


@pytest.mark.parametrize("value", [65_519.0, -65_519.0])
def test_the_largest_number_of_half_precision_is_kept(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    _overflow(monkeypatch, {1: value}, shard=1)
    folder.save(_plan(documents, model, store="fp16"))
    numbers = np.fromfile(folder.load()[SHARDS[1]] / NUMBERS, dtype=np.float16).reshape(2, -1)
    assert numbers[1, 5] == np.copysign(65_504, value)


@pytest.mark.parametrize("value", [np.finfo(np.float32).max, -np.finfo(np.float32).max, -np.inf, np.nan])
def test_what_bergson_cuts_to_the_largest_number_was_infinite(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    _overflow(monkeypatch, {1: value}, shard=1)
    with pytest.raises(DatasetError, match=r"the gradient of 'doc-3' is not finite \(and of 0 more in its shard\)"):
        folder.save(_plan(documents, model))


def test_half_precision_rounds_the_numbers_and_halves_the_file(
    collect: Callable[..., GradientStore], sequences: Dataset, store: GradientStore, by_id: Any
) -> None:
    half = collect(sequences, store="fp16")
    for doc_id, gradient in by_id(store).items():
        np.testing.assert_array_equal(by_id(half)[doc_id], gradient.astype(np.float16).astype(np.float32))
    sizes = [(each.shards["all"] / NUMBERS).stat().st_size for each in (half, store)]
    assert sizes[0] * 2 == sizes[1]
    assert half.identity == store.identity  # they can be compared
    assert half.digest != store.digest


def test_queries_keep_their_block_and_full_precision(
    sequences: Dataset, model: LanguageModel, folder: PartsFolder, store: GradientStore, by_id: Any
) -> None:
    rows = sequences.rename_column("doc_id", "item").add_column("block", [3, 1, 4, 1, 5, 9, 2])
    half = SETTINGS.model_copy(update={"store": "fp16"})
    folder.save(plan_queries({"siqa.items": rows}, model, half, Distributed()))
    queries = GradientStore(folder.load())
    assert list(queries.column("block")) == [3, 1, 4, 1, 5, 9, 2]
    assert list(queries.column("id")) == list(sequences["doc_id"])
    assert queries.identity == store.identity
    for item, gradient in by_id(store).items():
        np.testing.assert_array_equal(by_id(queries)[item], gradient)


@pytest.mark.parametrize(("id_column", "called"), [("doc_id", "doc"), ("item", "item")])
def test_a_row_longer_than_the_budget_is_named_before_the_walk(
    sequences: Dataset, model: LanguageModel, id_column: str, called: str
) -> None:
    rows = sequences.rename_column("doc_id", id_column) if id_column != "doc_id" else sequences
    settings = SETTINGS.model_copy(update={"max_tokens": 45})
    walk = Walk(model, settings, Distributed(), id_column)
    with pytest.raises(AttributionError) as caught:
        plan_store({"short": rows.select([0, 1]), "all": rows}, walk)
    assert str(caught.value) == (
        f"{id_column} 'doc-3' has 46 tokens, gradients.max_tokens is 45: raise it and gradients.token_batch, "
        f"or leave that {called} out"
    )
    plan_store({"all": rows}, Walk(model, SETTINGS.model_copy(update={"max_tokens": 46}), Distributed(), id_column))


def test_a_projection_larger_than_a_module_is_refused_before_the_walk(documents: Dataset, model: LanguageModel) -> None:
    said = r"module 'layers\.0\.self_attn\.q_proj' has 32 outputs and 32 inputs, gradients\.projection_dim is 33"
    with pytest.raises(AttributionError, match=said):
        _plan(documents, model, projection_dim=33)
    _plan(documents, model, projection_dim=32)


@pytest.mark.parametrize("kind", ["fp32", "fp16"])
@pytest.mark.parametrize(("dim", "length"), [(4, 40), (16, 2)], ids=["long documents", "short documents"])
def test_the_plan_is_near_what_the_shards_take(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, kind: str, dim: int, length: int
) -> None:
    many = documents.select(list(range(len(documents))) * 60).remove_columns(["input_ids", "length"])
    ids = [[number % 300, *range(length - 1)] for number in range(len(many))]
    many = many.add_column("input_ids", ids).add_column("length", [length] * len(many))
    plan = _plan(many, model, projection_dim=dim, store=kind, token_batch=512)
    assert list(plan.work) == SHARDS
    expected = [(60 * of_shard, 60 * of_shard * length) for of_shard in (4, 2, 1)]
    assert [(work.documents, work.tokens) for work in plan.work.values()] == expected
    folder.save(plan)
    taken = {name: sum(map(len, content.values())) for name, content in _bytes(folder).items()}
    for name, work in plan.work.items():
        assert work.bytes == pytest.approx(taken[name], rel=0.2)


def test_a_part_without_rows_is_named(documents: Dataset, model: LanguageModel) -> None:
    walk = Walk(model, SETTINGS, Distributed(), "doc_id")
    with pytest.raises(
        AttributionError, match=r"part 'none' has no rows: give it documents or items to take gradients of"
    ):
        plan_store({"all": documents, "none": documents.select([])}, walk)


@pytest.mark.parametrize("name", NODE_RANKS)
def test_a_second_node_does_not_take_what_one_node_takes(
    documents: Dataset, model: LanguageModel, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in NODE_RANKS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "1")
    with pytest.raises(AttributionError, match=r"this is node 1 of several and one node takes these gradients"):
        _plan(documents, model)
    _plan(documents, model, Distributed(nnode=2))
    monkeypatch.setenv(name, "0")
    _plan(documents, model)


def test_a_divided_model_needs_a_row_for_each_process(documents: Dataset, model: LanguageModel) -> None:
    said = r"part 'ranks-000004' has 1 rows and attribution\.distributed divides the model over 2 processes"
    with pytest.raises(AttributionError, match=said):
        _plan(documents, model, Distributed(nproc_per_node=2, fsdp=True))
    _plan(documents, model, Distributed(nproc_per_node=2))


def test_a_divided_model_is_not_tried_out_in_one_process(documents: Dataset, model: LanguageModel) -> None:
    assert _plan(documents, model, Distributed(fsdp=True)).pace is None


@pytest.mark.parametrize("value", [2e19, -2e19])
def test_a_gradient_whose_square_is_not_finite_is_refused(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    _overflow(monkeypatch, {1: value}, shard=1)
    with pytest.raises(DatasetError, match=r"the gradient of 'doc-3' is not finite \(and of 0 more in its shard\)"):
        folder.save(_plan(documents, model))


def test_the_warm_up_of_a_trial_does_not_count(
    documents: Dataset, model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step takes a second on a clock that is read twice a step, and not at all before."""
    ticks = iter(range(1000))
    plan = _plan(documents, model)
    monkeypatch.setattr(collect.time, "perf_counter", lambda: float(next(ticks)))
    lengths = documents.select([0, 1, 5, 6])["length"]  # the shard of most documents
    assert plan.pace() == pytest.approx(4 / sum(lengths))


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_trial_says_how_long_a_token_takes(documents: Dataset, model: LanguageModel, rows: int) -> None:
    one = _plan(documents.select(range(rows)), model).pace()
    assert 0 < one < 1
    many = _plan(documents.select(range(rows)), model, Distributed(nnode=10, nproc_per_node=100)).pace()
    assert 0 < many < one / 10


def test_the_walk_tells_how_far_it_is(
    documents: Dataset,
    model: LanguageModel,
    folder: PartsFolder,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collect, "SECONDS_BETWEEN_LINES", 0.0)
    caplog.set_level(logging.INFO)
    folder.save(_plan(documents, model))
    assert "store: 7 documents, 168 tokens, " in caplog.text
    told = [record.getMessage() for record in caplog.records if " a second, " in record.getMessage()]
    assert [message.split(",")[0] for message in told] == [
        f"{name}: {done} of 7 rows" for name, done in zip(SHARDS, (4, 6, 7), strict=True)
    ]
    assert told[-1].endswith(", 0 s left")


def test_a_walk_leaves_the_dataset_as_it_was(
    documents: Dataset, model: LanguageModel, folder: PartsFolder, tmp_path: Path
) -> None:
    from datasets import load_from_disk

    documents.save_to_disk(str(tmp_path / "tokens"))
    before = {path: path.read_bytes() for path in (tmp_path / "tokens").iterdir()}
    folder.save(_plan(load_from_disk(str(tmp_path / "tokens")), model))
    assert {path: path.read_bytes() for path in (tmp_path / "tokens").iterdir()} == before
