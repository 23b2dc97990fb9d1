"""A composed query is the gradient of what it is said to be, and the choices that it is made of are walked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError

from social_provenance.datasets import PartsFolder
from social_provenance.gradients.composition import plan_composition, weigh_walked
from social_provenance.gradients.queries.build import add_blocks, query_sets
from social_provenance.gradients.queries.choices import choice_sets
from social_provenance.gradients.query_set import ITEMS
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.collect import plan_queries
from social_provenance.gradients.walk.store import GradientStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from social_provenance.language_model import LanguageModel

    Compose = Callable[..., tuple[GradientStore, GradientStore, pd.DataFrame]]

ITEM_ROWS = (
    ("i0", [5, 6, 7], [8, 9], [[10], [11, 12, 13]]),
    ("i1", [14, 15], [16], [[17, 18, 19, 20], [21, 22]]),
    ("i2", [23, 24, 25, 26], [27, 28, 29], [[30, 31]]),
)


def _queries(rows: Any = ITEM_ROWS) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            ("siqa", ITEMS, item, item, prompt, answer, [prompt] * len(wrong), wrong)
            for item, prompt, answer, wrong in rows
        ],
        columns="benchmark variant item cluster prompt_ids answer_ids wrong_prompt_ids wrong_answer_ids".split(),
    )
    return add_blocks(table, blocks=2, seed=0)


@pytest.fixture
def compose(model: LanguageModel, tmp_path: Path) -> Compose:
    """Return a function that walks the choices and returns the answers' store, the composed one, and the weights."""

    def build(query: Any, queries: pd.DataFrame | None = None, **settings: Any) -> Any:
        table = _queries() if queries is None else queries
        given = GradientSettings(**{"projection_dim": 4, "token_batch": 128, "max_tokens": 128} | settings)
        stores = {}
        for name, sets in (("answers", query_sets(table)), ("wrong", choice_sets(table))):
            stores[name] = PartsFolder(path=str(tmp_path / name), keep=True)
            stores[name].save(plan_queries(sets, model, given, Distributed()))
        parts = stores["answers"].load(), stores["wrong"].load()
        weights = weigh_walked(table, *parts, query, given.loss_reduction)
        composed = PartsFolder(path=str(tmp_path / "composed"), keep=True)
        composed.save(plan_composition(*parts, weights))
        return GradientStore(parts[0]), GradientStore(composed.load()), weights

    return build


def _logprobs(model: Any, prompt: list[int], answers: list[list[int]], *, mean: bool) -> torch.Tensor:
    found = []
    for answer in answers:
        ids = torch.tensor([prompt + answer])
        logprobs = model(input_ids=ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
        every = logprobs[torch.arange(len(answer)), torch.tensor(answer)]
        found.append(every.mean() if mean else every.sum())
    return torch.stack(found)


def _project(model: Any, loss: torch.Tensor, modules: list[str], side: int) -> np.ndarray:
    """Return the gradient of a loss, projected by the matrices that Bergson draws for these modules."""
    from bergson.collector.collector import create_module_projection_matrix

    body = dict(model.base_model.named_modules())
    gradients = torch.autograd.grad(loss, [body[name].weight for name in modules])
    pieces = []
    for name, gradient in zip(modules, gradients, strict=True):
        kind = torch.float32, gradient.device, "rademacher", "jl", None
        roles = zip(("left", "right"), gradient.shape, strict=True)
        left, right = (create_module_projection_matrix(name, role, side, size, *kind) for role, size in roles)
        pieces.append((left @ gradient @ right.T).reshape(-1))
    return torch.cat(pieces).detach().numpy()


def _margin(logprobs: torch.Tensor, query: str) -> torch.Tensor:
    if query == "rival":
        return logprobs[0] - logprobs[1:].max()
    weights = logprobs.softmax(0).detach()  # constants
    return logprobs[0] - (weights * logprobs).sum()


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("query", ["rival", "margin_per_token"])
def test_a_query_is_the_gradient_of_its_margin_at_fixed_weights(
    compose: Compose, by_id: Any, tiny_model: Any, query: str, reduction: Any
) -> None:
    _, composed, _ = compose(query, loss_reduction=reduction)
    found, losses = by_id(composed), by_id(composed, losses=True)
    mean = query == "margin_per_token" or reduction == "mean"
    for item, prompt, answer, wrong in ITEM_ROWS:
        margin = _margin(_logprobs(tiny_model, prompt, [answer, *wrong], mean=mean), query)
        assert float(losses[item]) == pytest.approx(-float(margin.detach()), abs=1e-4)
        gradient = _project(tiny_model, -margin, list(composed.modules), 4)
        np.testing.assert_allclose(found[item], gradient, atol=1e-4 * np.abs(gradient).max())


def test_a_margin_per_token_is_the_gradient_of_the_normalised_log_probability(
    compose: Compose, by_id: Any, tiny_model: Any
) -> None:
    """The weights may be constants, because the softmax is the derivative of the log-sum-exp."""
    _, composed, _ = compose("margin_per_token")
    for item, prompt, answer, wrong in ITEM_ROWS:
        logprobs = _logprobs(tiny_model, prompt, [answer, *wrong], mean=True)
        gradient = _project(tiny_model, -logprobs.log_softmax(0)[0], list(composed.modules), 4)
        np.testing.assert_allclose(by_id(composed)[item], gradient, atol=1e-4 * np.abs(gradient).max())


def test_what_a_store_says_of_a_composed_query_is_so(compose: Compose, by_id: Any) -> None:
    answers, composed, _ = compose("rival")
    gradients = np.stack(list(by_id(composed).values()))
    np.testing.assert_allclose(composed.column("norm"), np.linalg.norm(gradients, axis=1), rtol=1e-5)
    for name, columns in composed.modules.items():
        block = gradients[:, columns]
        np.testing.assert_allclose(composed.sums()[name], block.T @ block, rtol=1e-4, atol=1e-6)
    for column in ("block", "tokens"):
        assert composed.column(column).tolist() == answers.column(column).tolist()
    assert composed.identity == answers.identity
    for (_, one), (_, other) in zip(composed.states(), answers.states(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_kind_walks_no_choice_again(compose: Compose, tmp_path: Path) -> None:
    _, rival, _ = compose("rival")
    walked = {path: path.stat().st_mtime_ns for name in ("answers", "wrong") for path in (tmp_path / name).glob("*/*")}
    _, margin, _ = compose("margin_per_token")
    again = {path: path.stat().st_mtime_ns for name in ("answers", "wrong") for path in (tmp_path / name).glob("*/*")}
    assert again == walked
    assert rival.digest != margin.digest


def test_the_order_of_queries_changes_no_gradient(compose: Compose, by_id: Any) -> None:
    straight = by_id(compose("margin_per_token")[1])
    turned = by_id(compose("margin_per_token", _queries(ITEM_ROWS[::-1]))[1])
    for item, gradient in straight.items():
        np.testing.assert_allclose(turned[item], gradient, atol=1e-5 * np.abs(gradient).max())


def test_equal_choices_have_no_gradient_and_are_named(compose: Compose) -> None:
    equal = _queries((*ITEM_ROWS, ("same", [5, 6], [7, 8], [[7, 8]])))
    with pytest.raises(DatasetError, match=r"item same \(items\): its choices have the same gradient"):
        compose("rival", equal)


def test_gold_alone_composes_nothing() -> None:
    weights = weigh_walked(_queries(), {}, {}, "gold", "sum")
    assert weights.empty
    assert not plan_composition({}, {}, weights).inputs
