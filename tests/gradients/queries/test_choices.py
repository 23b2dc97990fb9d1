"""Wrong choices go where their answer goes; weights are the derivatives of what a query is said to be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import AttributionError
from social_provenance.gradients.queries.build import build_queries
from social_provenance.gradients.queries.choices import WRONG, choice_sets, refuse_no_gradient, weigh_choices
from social_provenance.gradients.queries.nulls import NULLS
from social_provenance.gradients.query_set import ITEMS

if TYPE_CHECKING:
    from collections.abc import Sequence

LOSSES = ((2.0, 5.0, 3.0), (40.0, 8.0, 44.0), (1.0, 1.0))
TOKENS = ((1, 2, 2), (10, 2, 11), (1, 1))
DOCUMENTS = [[1000 * number + place for place in range(40)] for number in range(9)]


@pytest.fixture
def requests() -> pd.DataFrame:
    """Return items of two to four choices; a token says which item, choice and place it is of."""
    rows = []
    for b, benchmark in enumerate(("arc", "siqa")):
        for number in range(6):
            for choice in range(2 + number % 3):
                start = 10_000 * (b + 1) + 100 * number
                ids = ([start, start + 1], [start + 10 * (choice + 1) + place for place in range(1 + choice)])
                names = (benchmark, f"{benchmark}/{number}", f"c{number}", choice, choice == number % 2)
                rows.append((*names, "Q", f" {benchmark} {number} {choice}", *ids))
    columns = "benchmark item cluster choice is_gold prompt completion prompt_ids completion_ids".split()
    return pd.DataFrame(rows, columns=columns)


def _build(requests: pd.DataFrame, query: Any = "rival", nulls: Any = NULLS) -> pd.DataFrame:
    return build_queries(requests, nulls, DOCUMENTS, blocks=3, seed=0, query=query)


def _answers(row: Any) -> list[tuple[int, ...]]:
    return [tuple(ids) for ids in (row.answer_ids, *row.wrong_answer_ids)]


def _lists(column: pd.Series[Any]) -> list[list[int]]:
    return [list(ids) for ids in column]


def _of(requests: pd.DataFrame, item: str) -> list[tuple[int, ...]]:
    return [tuple(ids) for ids in requests.loc[requests["item"] == item, "completion_ids"]]


def _choices(losses: Sequence[Sequence[float]] = LOSSES, tokens: Sequence[Sequence[int]] = TOKENS) -> pd.DataFrame:
    rows = [
        ("siqa", ITEMS, f"i{item}", choice, loss, count)
        for item, pair in enumerate(zip(losses, tokens, strict=True))
        for choice, (loss, count) in enumerate(zip(*pair, strict=True))
    ]
    return pd.DataFrame(rows, columns=["benchmark", "variant", "item", "choice", "loss", "tokens"])


def _coefficients(query: Any, reduction: str = "sum", **given: Any) -> list[list[float]]:
    weights = weigh_choices(_choices(**given), query, reduction)
    return [rows["coefficient"].tolist() for _, rows in weights.groupby("item", sort=False)]


# ---- where choices go


def test_gold_alone_has_no_wrong_choice_and_nothing_to_walk(requests: pd.DataFrame) -> None:
    queries = _build(requests, "gold")
    assert not queries["wrong_answer_ids"].map(len).any()
    assert choice_sets(queries) == {}


def test_a_kind_of_query_changes_no_prompt_answer_or_block(requests: pd.DataFrame) -> None:
    gold, rival = (_build(requests, query).drop(columns=list(WRONG)) for query in ("gold", "rival"))
    pd.testing.assert_frame_equal(gold, rival)


@pytest.mark.parametrize("variant", [ITEMS, "wrong_answers"])
def test_choices_of_an_item_stay_together(requests: pd.DataFrame, variant: str) -> None:
    queries = _build(requests)
    for row in queries[queries["variant"] == variant].itertuples():
        assert sorted(_answers(row)) == sorted(_of(requests, row.item))
        assert all(list(prompt) == list(row.prompt_ids) for prompt in row.wrong_prompt_ids)


@pytest.mark.parametrize("variant", ["shuffled_answers", "other_benchmark"])
def test_wrong_choices_go_with_the_answer_behind_the_other_prompt(requests: pd.DataFrame, variant: str) -> None:
    owners = {tuple(row.completion_ids): row.item for row in requests.itertuples()}
    queries = _build(requests)
    for row in queries[queries["variant"] == variant].itertuples():
        owner = owners[tuple(row.answer_ids)]
        assert owner != row.item
        assert sorted(_answers(row)) == sorted(_of(requests, owner))
        assert all(list(prompt) == list(row.prompt_ids) for prompt in row.wrong_prompt_ids)


def test_a_passage_is_contrasted_with_those_of_other_items(requests: pd.DataFrame) -> None:
    queries = _build(requests)
    texts = queries[queries["variant"] == "generic_text"]
    for row in texts.itertuples():
        others = texts[(texts["benchmark"] == row.benchmark) & (texts["item"] != row.item)]
        known = {tuple(ids) for ids in others["answer_ids"]}
        assert {tuple(ids) for ids in row.wrong_answer_ids} <= known
        assert len({tuple(ids) for ids in row.wrong_answer_ids}) == len(_of(requests, row.item)) - 1
        assert list(row.answer_ids) not in [list(ids) for ids in row.wrong_answer_ids]


def test_each_wrong_choice_is_walked_once_with_loss_on_its_answer(requests: pd.DataFrame, tmp_path: Any) -> None:
    queries = _build(requests)
    queries.to_parquet(tmp_path / "queries.parquet")
    sets = choice_sets(pd.read_parquet(tmp_path / "queries.parquet"))
    assert {name: rows.to_dict() for name, rows in choice_sets(queries).items()} == {
        name: rows.to_dict() for name, rows in sets.items()
    }
    assert set(sets) == {f"{benchmark}.{variant}" for benchmark in ("arc", "siqa") for variant in (ITEMS, *NULLS)}
    rows = sets[f"arc.{ITEMS}"].to_pandas()
    wrong = requests[(requests["benchmark"] == "arc") & ~requests["is_gold"]]
    assert [[*row.prompt_ids, *row.completion_ids] for row in wrong.itertuples()] == rows["input_ids"].map(
        list
    ).tolist()
    assert [[-100, -100, *ids] for ids in wrong["completion_ids"]] == _lists(rows["labels"])
    assert not rows.duplicated(["item", "choice"]).any()
    assert rows["choice"].min() == 1


def test_passages_that_end_alike_are_not_contrasted_with_each_other(requests: pd.DataFrame) -> None:
    alike = [[number] * 30 + [number % 2] for number in range(40)]
    requests["prompt_ids"] = [[1] * 30] * len(requests)
    requests["completion_ids"] = [[row] for row in range(len(requests))]
    queries = build_queries(requests, ("generic_text",), alike, blocks=3, seed=0, query="rival")
    for row in queries[queries["variant"] == "generic_text"].itertuples():
        assert [list(ids) for ids in row.wrong_answer_ids] == [[1 - row.answer_ids[0]]]


# ---- what choices weigh


def test_a_rival_is_the_wrong_choice_of_the_smallest_loss() -> None:
    assert _coefficients("rival") == [[1, 0, -1], [1, -1, 0], [1, -1]]


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_margins_are_the_derivatives_of_the_normalised_log_probability(reduction: str) -> None:
    """By finite differences of -log softmax(log-probabilities per token) of the answer, by the loss of each choice."""
    for losses, tokens, found in zip(LOSSES, TOKENS, _coefficients("margin_per_token", reduction), strict=True):
        scale = np.array(tokens) if reduction == "sum" else 1

        def margin(values: np.ndarray, scale: Any = scale) -> float:
            logprobs = -values / scale
            return float(np.logaddexp.reduce(logprobs) - logprobs[0])

        step = 1e-5 * np.eye(len(losses))
        slopes = [(margin(np.array(losses) + move) - margin(np.array(losses) - move)) / 2e-5 for move in step]
        np.testing.assert_allclose(found, slopes, atol=1e-8)


def test_equal_choices_of_one_length_share_the_contrast() -> None:
    found = _coefficients("margin_per_token", losses=[(4.0, 4.0, 4.0, 4.0)], tokens=[(2, 2, 2, 2)])
    np.testing.assert_allclose(found, [[3 / 8, -1 / 8, -1 / 8, -1 / 8]])


@pytest.mark.parametrize("query", ["rival", "margin_per_token"])
def test_a_contrast_takes_as_much_as_it_gives_where_answers_are_of_one_length(query: Any) -> None:
    given = {"losses": [(3.0, 1.0, 2.0), (900.0, 1.0, 5.0), (1.0, 900.0, 950.0)], "tokens": [(3, 3, 3)] * 3}
    for found in _coefficients(query, **given):
        assert sum(found) == pytest.approx(0, abs=1e-12)
        assert found[0] > 0


@pytest.mark.parametrize("query", ["rival", "margin_per_token"])
def test_neither_order_nor_other_items_change_a_weight(query: Any) -> None:
    keys = ["item", "choice"]
    whole = weigh_choices(_choices(), query, "sum").set_index(keys)
    mixed = weigh_choices(_choices().sample(frac=1, random_state=2).reset_index(drop=True), query, "sum")
    pd.testing.assert_frame_equal(mixed.set_index(keys).loc[whole.index], whole)
    alone = weigh_choices(_choices().query("item == 'i1'").reset_index(drop=True), query, "sum").set_index(keys)
    pd.testing.assert_frame_equal(alone, whole.loc[["i1"]])


def test_certain_answers_are_counted(caplog: Any) -> None:
    with caplog.at_level(logging.WARNING):
        _coefficients("margin_per_token", losses=[(0.1, 60.0), (1.0, 2.0)], tokens=[(1, 1), (1, 1)])
    assert "siqa.items: the model is certain of 1 of 2 answers" in caplog.text


# ---- what has no contrast


def test_an_item_of_one_choice_is_named(requests: pd.DataFrame) -> None:
    single = requests[(requests["item"] != "siqa/3") | requests["is_gold"]]
    with pytest.raises(
        AttributionError, match=r"benchmark siqa, item siqa/3: it has one choice, and attribution\.query"
    ):
        _build(single, nulls=())
    assert len(_build(single, "gold", nulls=())) == 12


def test_an_item_of_equal_choices_is_named(requests: pd.DataFrame) -> None:
    own = requests["item"] == "arc/1"
    requests.loc[own, "completion_ids"] = pd.Series([[7, 8]] * int(own.sum()), index=requests.index[own])
    with pytest.raises(AttributionError, match=r"benchmark arc, item arc/1 \(items\): its choices are the same tokens"):
        _build(requests, nulls=())


def test_a_single_passage_has_no_other_to_be_contrasted_with(requests: pd.DataFrame) -> None:
    with pytest.raises(AttributionError, match="item arc/0: no other item has another passage, so"):
        _build(requests[requests["item"] == "arc/0"], nulls=("generic_text",))


def test_a_gradient_of_rounding_errors_is_named_with_its_item() -> None:
    norms, largest = np.array([1.0, 1e-9, 1e-9]), np.array([1.0, 1.0, 1e-8])
    with pytest.raises(AttributionError, match=r"benchmark siqa, item b \(items\): its choices have the same gradient"):
        refuse_no_gradient("siqa.items", ["a", "b", "c"], norms, largest)
    refuse_no_gradient("siqa.items", ["a", "c"], norms[[0, 2]], largest[[0, 2]])
