"""EKFAC is what its formula says: the same from dense matrices, linear in queries, blind to order and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from datasets import Dataset

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.bergson_ekfac import DRAWS, Engine, score_ekfac
from social_provenance.gradients.settings import GradientSettings
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Gradient = dict[str, np.ndarray]

SETTINGS = GradientSettings(token_batch=128, max_tokens=128)
TEXTS = (
    "Anna thanked Ben. Ben felt glad.",
    "The judge saw the contract.",
    "Any rod that is heated becomes hot. Carl cooled the plate until it became cold.",
    "In Velda every guest brings salt. The judge saw the contract near the court. Ben felt glad.",
    "The flame of burning dorite is red.",
    "Carl cooled the plate.",
    "Salt, salt and salt again, near the court in Velda.",
)
ITEMS = {
    "social": [("Anna thanked Ben. Ben felt", " glad.", 1), ("Every guest brings", " salt.", 0)],
    "stem": [
        ("Any rod that is heated becomes", " hot.", 0),
        ("Carl cooled the plate until it became", " cold.", 1),
        ("The flame of dorite is", " red.", 0),
    ],
}


@pytest.fixture(scope="module")
def documents(tiny_tokenizer: Any) -> Dataset:
    ids = tiny_tokenizer(list(TEXTS))["input_ids"]
    names = [f"doc-{number}" for number in range(len(TEXTS))]
    return Dataset.from_dict({"doc_id": names, "input_ids": ids, "length": [len(row) for row in ids]})


@pytest.fixture(scope="module")
def queries(tiny_tokenizer: Any) -> dict[str, Dataset]:
    sets = {}
    for benchmark, items in ITEMS.items():
        prompts, answers = ([tiny_tokenizer(item[place])["input_ids"] for item in items] for place in (0, 1))
        columns = {
            "block": [block for *_, block in items],
            "input_ids": [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)],
            "labels": [[-100] * len(prompt) + answer for prompt, answer in zip(prompts, answers, strict=True)],
            "length": [len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True)],
        }
        sets[benchmark] = Dataset.from_dict(columns)
    return sets


@pytest.fixture(scope="module")
def score(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path, documents: Dataset, queries: dict[str, Dataset]
) -> Callable[..., dict[str, np.ndarray]]:
    """Return a function that scores, by default the documents for the queries, and looks for what it leaves."""

    def run(rows: Dataset = documents, sets: dict[str, Dataset] = queries, **changes: Any) -> dict[str, np.ndarray]:
        folder = tmp_path_factory.mktemp("ekfac")
        model = LanguageModel(str(changes.pop("model", tiny_model_folder)))
        damping = changes.pop("damping", 0.1)
        settings = SETTINGS.model_copy(update=changes)
        found = dict(score_ekfac(rows, sets, model, settings, damping=damping, folder=folder))
        assert not list(folder.iterdir())
        return found

    return run


@pytest.fixture(scope="module")
def scores(score: Callable[..., dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return score()


@pytest.fixture
def engine(tiny_model_folder: Path, tmp_path: Path) -> Engine:
    return Engine.load(LanguageModel(str(tiny_model_folder)), SETTINGS, tmp_path)


@pytest.fixture
def save(tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that saves the tiny model as a test has changed it."""

    def write() -> Path:
        tiny_model.save_pretrained(tmp_path / "changed")
        tiny_tokenizer.save_pretrained(tmp_path / "changed")
        return tmp_path / "changed"

    return write


class Dense:
    """EKFAC by hand: inputs and output derivatives of every linear module, seen by plain hooks."""

    def __init__(self, model: Any, documents: Dataset, drawn: Dataset, *, mean: bool) -> None:
        self._model, self._mean = model, mean
        self._seen: dict[str, list[torch.Tensor]] = {}
        self.modules = [name for name, part in model.model.named_modules() if isinstance(part, torch.nn.Linear)]
        for name in self.modules:
            model.model.get_submodule(name).register_forward_hook(self._watch(name))
        self.documents = [self.gradient(ids, ids) for ids in documents["input_ids"]]
        self.values: dict[str, np.ndarray] = {}
        self.bases: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._fit(documents, drawn)

    def _watch(self, name: str) -> Callable[..., None]:
        def hook(_: Any, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
            self._seen[name] = [inputs[0].detach()[0]]
            output.register_hook(lambda derivative: self._seen[name].append(derivative[0]))

        return hook

    def _walk(self, ids: Sequence[int], labels: Sequence[int], power: float) -> dict[str, list[np.ndarray]]:
        """Return module -> inputs and derivatives of the loss over its number of tokens to a power."""
        logits = self._model(input_ids=torch.tensor([ids])).logits[0, :-1]
        targets = torch.tensor(labels[1:])
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
        (loss / float((targets != -100).sum()) ** (power if self._mean else 0)).backward()
        # The last place predicts nothing: its derivatives are zero and its inputs no data.
        return {name: [part[:-1].double().numpy() for part in parts] for name, parts in self._seen.items()}

    def gradient(self, ids: Sequence[int], labels: Sequence[int]) -> Gradient:
        return {name: d.T @ a for name, (a, d) in self._walk(ids, labels, 1).items()}

    def _fit(self, documents: Dataset, drawn: Dataset) -> None:
        walks = [
            [self._walk(ids, labels, 0.5) for ids, labels in zip(documents["input_ids"], drawn[column], strict=True)]
            for column in DRAWS
        ]
        for name in self.modules:
            a, d = (np.concatenate([walk[name][place] for walk in walks[0]]) for place in (0, 1))
            left, right = np.linalg.eigh(d.T @ d)[1], np.linalg.eigh(a.T @ a)[1]
            rotated = [left.T @ walk[name][1].T @ walk[name][0] @ right for walk in walks[1]]
            self.values[name] = np.mean([part**2 for part in rotated], axis=0)
            self.bases[name] = left, right

    def invert(self, gradient: Gradient, damping: float) -> Gradient:
        inverse = {}
        for name, (left, right) in self.bases.items():
            damped = self.values[name] + damping * self.values[name].mean()
            inverse[name] = left @ ((left.T @ gradient[name] @ right) / damped) @ right.T if damped.any() else 0
        return inverse

    def score(self, rows: Dataset, damping: float) -> np.ndarray:
        """Return documents x blocks."""
        return self.products(rows, lambda gradient: self.invert(gradient, damping))

    def products(self, rows: Dataset, change: Callable[[Gradient], Gradient]) -> np.ndarray:
        """Return documents x blocks: mean inner product with changed gradients of queries."""
        blocks = np.array(rows["block"])
        columns = []
        for ids, labels in zip(rows["input_ids"], rows["labels"], strict=True):
            sent = change(self.gradient(ids, labels))
            columns.append([sum((own[name] * sent[name]).sum() for name in own) for own in self.documents])
        return np.array([np.mean(np.array(columns)[blocks == block], axis=0) for block in np.unique(blocks)]).T


@pytest.fixture
def by_hand(tmp_path: Path, documents: Dataset, tiny_model: Any, tiny_model_folder: Path) -> Callable[..., Dense]:
    """Return a function that fits the tiny model's curvature, or another's, on the labels that are drawn."""

    def fit(folder: Path = tiny_model_folder, *, mean: bool = False) -> Dense:
        drawn = Engine.load(LanguageModel(str(folder)), SETTINGS, tmp_path).draw_labels(documents)
        return Dense(tiny_model, documents, drawn, mean=mean)

    return fit


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("damping", [0.01, 0.1, 10.0])
def test_scores_are_those_of_dense_matrices(
    score: Any, by_hand: Any, queries: Any, damping: float, reduction: str
) -> None:
    dense = by_hand(mean=reduction == "mean")
    found = score(damping=damping, loss_reduction=reduction)
    assert list(found) == list(queries)
    for benchmark, rows in queries.items():
        expected = dense.score(rows, damping)
        assert found[benchmark].dtype == np.float32
        np.testing.assert_allclose(found[benchmark], expected, atol=1e-3 * np.abs(expected).max())


def test_heavy_damping_leaves_the_inner_product_of_gradients_weighted_by_module(
    score: Any, by_hand: Any, queries: Any
) -> None:
    dense, damping = by_hand(), 1e6
    for benchmark, found in score(damping=damping).items():
        expected = dense.products(
            queries[benchmark],
            lambda gradient: {name: part / dense.values[name].mean() for name, part in gradient.items()},
        )
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99999
        np.testing.assert_allclose(found * damping, expected, atol=1e-4 * np.abs(expected).max())


def test_a_score_is_how_much_the_loss_falls_with_a_preconditioned_step_on_the_document(
    scores: Any, by_hand: Any, queries: Any, documents: Dataset, tiny_model: Any
) -> None:
    dense = by_hand()

    def losses(rows: Dataset) -> np.ndarray:
        found = np.zeros(2)
        for ids, labels, block in zip(rows["input_ids"], rows["labels"], rows["block"], strict=True):
            logits = tiny_model(input_ids=torch.tensor([ids])).logits[0, :-1]
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels[1:]), reduction="sum")
            found[block] += float(loss.detach())
        return found / np.bincount(rows["block"])

    tiny_model.double()
    step = 1e-6
    before = {name: losses(rows) for name, rows in queries.items()}
    for place in range(len(documents)):
        moves = dense.invert(dense.documents[place], 0.1)
        for sign in (1, -1):
            for name, move in moves.items():
                tiny_model.model.get_submodule(name).weight.data -= sign * step * torch.from_numpy(move)
            if sign == 1:
                after = {name: losses(rows) for name, rows in queries.items()}
        for name, found in scores.items():
            np.testing.assert_allclose(
                (before[name] - after[name]) / step, found[place], atol=5e-3 * np.abs(found).max()
            )


def test_the_weighted_mean_over_blocks_is_the_mean_over_queries(score: Any, scores: Any, queries: Any) -> None:
    together = {
        name: rows.remove_columns("block").add_column("block", [0] * len(rows)) for name, rows in queries.items()
    }
    for benchmark, one in score(sets=together).items():
        weights = np.bincount(queries[benchmark]["block"])
        assert one.shape == (len(TEXTS), 1)
        mean = scores[benchmark] @ (weights / weights.sum())
        np.testing.assert_allclose(mean, one[:, 0], atol=1e-5 * np.abs(one).max())


def test_order_batches_and_other_benchmarks_do_not_matter(
    score: Any, scores: Any, documents: Dataset, queries: Any
) -> None:
    order = [4, 2, 6, 0, 5, 1, 3]
    for changed in (
        score(documents.select(order), {name: queries[name] for name in reversed(queries)}),
        score(documents.select(order), {"stem": queries["stem"]}, token_batch=512),
    ):
        for benchmark, found in changed.items():
            expected = scores[benchmark][order]
            np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_a_second_run_gives_the_same_bytes(score: Any, scores: Any) -> None:
    again = score()
    assert {name: found.tobytes() for name, found in again.items()} == {
        name: found.tobytes() for name, found in scores.items()
    }


def test_labels_follow_the_models_predictions_and_nothing_else(
    engine: Engine, documents: Dataset, tiny_model: Any
) -> None:
    copies = 400
    row = documents[1]
    many = Dataset.from_dict(
        {
            "doc_id": [f"copy-{number}" for number in range(copies)],
            "input_ids": [row["input_ids"]] * copies,
            "length": [row["length"]] * copies,
        }
    )
    drawn = engine.draw_labels(many)
    assert drawn["input_ids"][:] == many["input_ids"][:]
    chances = tiny_model(input_ids=torch.tensor([row["input_ids"]])).logits[0, :-1].softmax(-1).detach().numpy()
    first, second = (np.array(drawn[column]) for column in DRAWS)
    assert (first != second).mean() > 0.5
    for labels in (first, second):
        assert (labels[:, 0] == row["input_ids"][0]).all()
        for place, expected in enumerate(chances):
            counts = np.bincount(labels[:, place + 1], minlength=len(expected))
            likely = np.argsort(expected)[-20:]
            spread = np.sqrt(copies * expected[likely] * (1 - expected[likely]))
            assert (np.abs(counts - copies * expected)[likely] < 5 * spread).all()


def test_labels_of_a_document_depend_on_its_id_alone(engine: Engine, documents: Dataset, tmp_path: Path) -> None:
    drawn = engine.draw_labels(documents)
    (tmp_path / "labels.arrow").rename(tmp_path / "before.arrow")
    order = [4, 2, 6, 0]
    fewer = engine.draw_labels(documents.select(order))
    for column in DRAWS:
        assert [list(row) for row in fewer[column]] == [list(drawn[column][row]) for row in order]


def test_a_module_without_curvature_counts_nothing(
    score: Any, by_hand: Any, queries: Any, tiny_model: Any, save: Callable[[], Path]
) -> None:
    """Where ``up_proj`` is zero, so are the inputs of ``down_proj`` and the derivatives of ``gate_proj``."""
    tiny_model.model.layers[0].mlp.up_proj.weight.data.zero_()
    folder = save()
    dense = by_hand(folder)
    assert sum(not values.any() for values in dense.values.values()) == 2
    for benchmark, found in score(model=folder).items():
        expected = dense.score(queries[benchmark], 0.1)
        np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_nothing_is_left_where_the_scores_are_not_read_to_the_end(
    documents: Dataset, queries: Any, tiny_model_folder: Path, tmp_path: Path
) -> None:
    model = LanguageModel(str(tiny_model_folder))
    scores = score_ekfac(documents, queries, model, SETTINGS, damping=0.1, folder=tmp_path)
    next(scores)
    assert list(tmp_path.iterdir())
    scores.close()
    assert not list(tmp_path.iterdir())


def test_a_damping_of_zero_is_refused(score: Any) -> None:
    with pytest.raises(AttributionError, match=r"damping 0\.0: set scoring\.damping above 0"):
        score(damping=0.0)


def test_a_block_without_a_query_is_named(score: Any, queries: Any) -> None:
    rows = queries["stem"].remove_columns("block").add_column("block", [0, 2, 2])
    with pytest.raises(AttributionError, match="block 1 of benchmark 'stem' has no query"):
        score(sets={"stem": rows})


def test_a_document_that_the_model_cannot_read_is_named(
    score: Any, documents: Dataset, tiny_model: Any, save: Callable[[], Path]
) -> None:
    others = {token for ids in documents["input_ids"][:4] + documents["input_ids"][5:] for token in ids}
    token = next(token for token in documents[4]["input_ids"][:-1] if token not in others)
    tiny_model.get_input_embeddings().weight.data[token] = float("nan")
    with pytest.raises(AttributionError, match="the model's prediction for document 'doc-4' is not finite"):
        score(model=save())
