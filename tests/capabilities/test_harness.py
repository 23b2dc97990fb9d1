"""Our requests and scores are lm-eval's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
import yaml

from social_provenance.capabilities.answers import summarise
from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.capabilities.harness import build_requests, load_tasks
from social_provenance.capabilities.scoring import Scorer
from social_provenance.gradients.queries.build import build_queries, query_sets
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

REAL_PAGES = Path(__file__).resolve().parents[2] / "conf/webpages/parameters.yml"


@pytest.fixture
def folder(write_task: Callable[..., Path], items: list[dict[str, Any]]) -> Path:
    return write_task(items)


@pytest.fixture
def render(folder: Path, tiny_tokenizer: Any, tiny_model: Any) -> Callable[[Evaluation], pd.DataFrame]:
    """Return a function that builds the requests of an evaluation."""
    return lambda evaluation: build_requests(evaluation, folder, tiny_tokenizer, tiny_model.config)


@pytest.fixture
def requests(render: Any, evaluation_of: Any, toy: Benchmark) -> pd.DataFrame:
    table: pd.DataFrame = render(evaluation_of(toy, normalise="none"))
    return table


def _evaluate(tasks: Sequence[Any], model: Any, tokenizer: Any, places: Any) -> tuple[Any, list[Any]]:
    """Return the result of lm-eval's own evaluation and the token pairs that it scored."""
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    class Listener(HFLM):  # type: ignore[misc]
        heard: list[Any]

        def _loglikelihood_tokens(self, requests: list[Any], *args: Any, **kwargs: Any) -> Any:
            self.heard = [(tuple(before), tuple(after)) for _, before, after in requests]
            return super()._loglikelihood_tokens(requests, *args, **kwargs)

    lm = Listener(pretrained=model, tokenizer=tokenizer, batch_size=4)
    named = {"tasks": {task.task_name: task for task in tasks}, "groups": {}, "group_map": {}}
    chosen = None if places is None else {task.task_name: places for task in tasks}
    return evaluate(lm, named, samples=chosen, bootstrap_iters=1, log_samples=True), lm.heard


def _choices(scorer: Scorer, model: Any) -> list[list[float]]:
    """Return the log-probability of every choice of each item: each in turn is called the gold one."""
    found: dict[str, list[float]] = {}
    for choice in sorted(scorer.requests["choice"].unique()):
        marked = scorer.requests.assign(is_gold=scorer.requests["choice"] == choice)
        for row in Scorer(marked, scorer.batch_size).score(model).itertuples():
            found.setdefault(row.item, []).append(row.gold_logprob)
    return [found[item] for item in scorer.requests["item"].unique()]


def _compare(tasks: Sequence[Any], requests: pd.DataFrame, model: Any, tokenizer: Any, places: Any = None) -> None:
    """Assert that lm-eval's accuracy, log-probabilities of choices and tokens are ours."""
    theirs, heard = _evaluate(tasks, model, tokenizer, places)
    scorer = Scorer(requests, batch_size=4)
    ours = scorer.score(model)
    samples = [sample for task in tasks for sample in theirs["samples"][task.task_name]]
    assert ours["correct"].tolist() == [bool(sample["acc"]) for sample in samples]
    if len(tasks) == 1:
        assert summarise(ours)["accuracy"].tolist() == [theirs["results"][tasks[0].task_name]["acc,none"]]
    for mine, sample in zip(_choices(scorer, model), samples, strict=True):
        assert mine == pytest.approx([logprob for logprob, _ in sample["filtered_resps"]], abs=1e-5)
    pairs = zip(requests["prompt_ids"].map(tuple), requests["completion_ids"].map(tuple), strict=True)
    assert sorted(pairs) == sorted(heard)


@pytest.mark.parametrize("kind", ["olmo3", "llama"])
def test_accuracy_log_probabilities_and_tokens_are_those_of_lm_evals_own_evaluation(
    kind: str, *, folder: Path, toy: Benchmark, requests: Any, tiny_tokenizer: Any, tiny_model: Any, llama_folder: Path
) -> None:
    model = tiny_model if kind == "olmo3" else LanguageModel(str(llama_folder)).load()
    _compare(load_tasks(toy, folder), requests, model, tiny_tokenizer)


@pytest.mark.parametrize(("normalise", "metric"), [("none", "acc"), ("byte", "acc_bytes")])
def test_an_answer_is_correct_where_lm_evals_accuracy_of_that_normalisation_says_so(
    normalise: str,
    metric: str,
    *,
    render: Any,
    evaluation_of: Any,
    toy: Benchmark,
    folder: Path,
    tiny_model_folder: Path,
) -> None:
    both = {"metric_list": [{"metric": name} for name in ("acc", "acc_bytes")]}
    benchmark = toy.model_copy(update={"overrides": both})
    scorer = Scorer(render(evaluation_of(benchmark, normalise=normalise)), batch_size=4)
    told = []
    for seed in range(6):
        random = LanguageModel(str(tiny_model_folder)).untrained(seed)
        theirs, _ = _evaluate(load_tasks(benchmark, folder), random.model, random.tokenizer, None)
        ours = scorer.score(random.model)
        samples = theirs["samples"]["toy"]
        assert ours["correct"].tolist() == [bool(sample[metric]) for sample in samples]
        assert summarise(ours)["accuracy"].tolist() == [theirs["results"]["toy"][f"{metric},none"]]
        told += [sample["acc"] == sample["acc_bytes"] for sample in samples]
    assert not all(told)  # the two metrics differ somewhere here


@pytest.mark.parametrize("choices", [["glad", "cold", "red"], ["glad", "the contract", "日本"]])
def test_answers_are_normalised_by_default_only_where_their_lengths_differ(
    choices: list[str], *, write_task: Any, items: Any, render: Any, evaluation_of: Any, toy: Benchmark
) -> None:
    usual = [item for item in items if not item["prompt"].endswith(" ")]  # that blank would go to the answer
    write_task([{**item, "choices": choices} for item in usual])
    tables = {how: render(evaluation_of(toy, normalise=how)) for how in ("auto", "none", "token", "byte")}
    lengths = tables["auto"]["completion_ids"].map(len)
    expected = "none" if choices[1] == "cold" else "token"
    assert (lengths.nunique() == 1) == (expected == "none")
    assert tables["auto"].equals(tables[expected])
    assert tables["token"]["units"].tolist() == lengths.tolist()
    assert tables["byte"]["units"].tolist() == [len(choice.encode()) for choice in choices] * len(usual)


def test_a_query_is_the_tokens_that_lm_eval_scores_with_loss_on_the_answer_only(
    folder: Path, toy: Benchmark, requests: pd.DataFrame, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    theirs, heard = _evaluate(load_tasks(toy, folder), tiny_model, tiny_tokenizer, None)
    table = build_queries(requests, (), None, blocks=2, seed=0)
    queries = query_sets(table)["toy.items"]
    assert queries["item"] == [f"toy/{number}" for number in range(5)]
    for query, sample in zip(queries, theirs["samples"]["toy"], strict=True):
        answer = tuple(label for label in query["labels"] if label != -100)
        prompt = tuple(query["input_ids"][: -len(answer)])
        assert (prompt, answer) in heard
        loss = tiny_model(input_ids=torch.tensor([query["input_ids"]]), labels=torch.tensor([query["labels"]])).loss
        gold = sample["filtered_resps"][sample["target"]][0]
        assert -float(loss.detach()) * len(answer) == pytest.approx(gold, rel=1e-5)


def test_the_tokens_of_an_answer_are_its_own_with_the_delimiter(requests: pd.DataFrame, tiny_tokenizer: Any) -> None:
    gold = requests[requests["is_gold"]]
    assert gold["completion"].tolist() == [" glad", " cold", " hot", " salt", " 🦉 owl"]
    told = [tiny_tokenizer.decode(ids) for ids in gold["completion_ids"]]
    assert told == [" glad", "  cold", " hot", " salt", " 🦉 owl"]  # a blank that ends a prompt goes to the answer
    for row in requests.itertuples():
        whole = tiny_tokenizer(row.prompt + row.completion)["input_ids"]
        assert row.prompt_ids + row.completion_ids == whole


def test_every_item_has_its_choices_in_order_and_one_of_them_is_gold(requests: pd.DataFrame, items: Any) -> None:
    by_item = requests.groupby("item", sort=False)
    assert by_item["choice"].agg(list).tolist() == [list(range(len(item["choices"]))) for item in items]
    assert by_item["is_gold"].agg(list).map(lambda marks: marks.index(True)).tolist() == [0, 1, 1, 0, 2]
    assert (by_item["is_gold"].sum() == 1).all()
    assert requests["cluster"].equals(requests["item"])


def test_items_of_one_key_are_a_cluster(render: Any, evaluation_of: Any, toy: Benchmark) -> None:
    table = render(evaluation_of(toy.model_copy(update={"cluster": "key"})))
    own = table.groupby("item", sort=False)["cluster"].first().tolist()
    assert own == ["thanked", "cooled", "heated", "Velda", "Velda"]


def test_a_limit_takes_items_from_all_over_the_benchmark_as_they_are(
    render: Any, evaluation_of: Any, toy: Benchmark, requests: pd.DataFrame
) -> None:
    some = render(evaluation_of(toy, limit=2, normalise="none"))
    assert some["item"].unique().tolist() == ["toy/0", "toy/2"]
    assert some.equals(requests[requests["item"].isin(["toy/0", "toy/2"])].reset_index(drop=True))


def test_an_override_changes_the_prompt_and_the_answer(render: Any, evaluation_of: Any, toy: Benchmark) -> None:
    changed = {"description": "Answer, {{key}}. ", "target_delimiter": ": "}
    table = render(evaluation_of(toy.model_copy(update={"overrides": changed})))
    assert table["prompt"][0] == "Answer, thanked. Anna thanked Ben. Ben felt"
    assert table["completion"][0] == ": glad"


def test_examples_of_a_definition_are_left_out_with_a_warning(
    render: Any, evaluation_of: Any, toy: Benchmark, caplog: pytest.LogCaptureFixture
) -> None:
    plain = render(evaluation_of(toy))
    assert not caplog.records
    shots = toy.model_copy(update={"overrides": {"num_fewshot": 3}})
    assert render(evaluation_of(shots)).equals(plain)
    (record,) = caplog.records
    assert "asked without the 3 examples of its definition (num_fewshot)" in record.getMessage()


def test_definitions_of_one_tag_are_pooled_over_their_items(
    write_task: Any, items: Any, render: Any, evaluation_of: Any, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    data = "tag: pair\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: {0}/{1}.jsonl}}}}\n"
    for name, own in (("one", items[:1]), ("two", items[1:4])):
        folder = write_task(own, name)
        write_task(own, name, data.format(folder, name))
    both = Benchmark(name="both", domain="stem", level="knowledge", task=str(folder), tag="pair")
    table = render(evaluation_of(both, normalise="none"))
    assert table["benchmark"].unique().tolist() == ["both"]
    assert table["item"].unique().tolist() == ["one/0", "two/0", "two/1", "two/2"]
    _compare(load_tasks(both, folder), table, tiny_model, tiny_tokenizer)


@pytest.mark.parametrize("size", [1, 3, 64])
def test_a_score_does_not_depend_on_the_batch(requests: Any, tiny_model: Any, size: int) -> None:
    usual = Scorer(requests, 4).score(tiny_model)
    other = Scorer(requests, size).score(tiny_model)
    assert other["gold_logprob"].tolist() == pytest.approx(usual["gold_logprob"].tolist(), abs=1e-5)
    assert other["correct"].equals(usual["correct"])


def test_requests_read_back_from_a_file_score_the_same(requests: pd.DataFrame, tiny_model: Any, tmp_path: Path) -> None:
    import pandas as pd

    requests.to_parquet(tmp_path / "requests.parquet")
    again = Scorer(pd.read_parquet(tmp_path / "requests.parquet"), 4).score(tiny_model)
    pd.testing.assert_frame_equal(again, Scorer(requests, 4).score(tiny_model), check_dtype=False)


@pytest.mark.parametrize("training", [True, False])
def test_scoring_leaves_the_model_and_the_random_stream_as_they_were(
    requests: pd.DataFrame, tiny_model: Any, training: bool
) -> None:
    before = [parameter.detach().clone() for parameter in tiny_model.parameters()]
    tiny_model.train(training)
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    Scorer(requests, 4).score(tiny_model)
    assert tiny_model.training is training
    assert torch.equal(torch.rand(2), expected)
    assert all(torch.equal(a, b) for a, b in zip(before, tiny_model.parameters(), strict=True))


def test_the_harness_says_nothing_while_it_works(
    render: Any, evaluation_of: Any, toy: Benchmark, capfd: pytest.CaptureFixture[str]
) -> None:
    render(evaluation_of(toy))
    assert capfd.readouterr() == ("", "")


GOLD: dict[str, Callable[[Any], int]] = {
    "socialiqa": lambda item: int(item["label"]) - 1,
    "arc_challenge": lambda item: item["choices"]["label"].index(item["answerKey"]),
    "mmlu_social_sciences": lambda item: item["answer"],
    "mmlu_stem": lambda item: item["answer"],
}
"""Benchmark -> how its own columns give the place of the right choice."""


@pytest.mark.parametrize("name", GOLD)
def test_a_stock_task_reads_real_items_from_a_local_file_as_lm_eval_does(
    name: str, shared_data: Path, evaluation_of: Any, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    configured = yaml.safe_load(REAL_PAGES.read_text())["evaluation"]["benchmarks"]
    benchmark = Benchmark.model_validate(next(one for one in configured if one["name"] == name))
    tiny_model.config.max_position_embeddings = 8192  # the tiny tokenizer makes long items of real ones
    folder = shared_data / "benchmarks"
    evaluation = evaluation_of(benchmark, limit=6, normalise="none")
    table = build_requests(evaluation, folder, tiny_tokenizer, tiny_model.config)
    lines = (folder / str(benchmark.file)).read_text(encoding="utf-8").splitlines()
    places = [int(item.rpartition("/")[2]) for item in table["item"].unique()]
    assert len(places) == 6
    assert places[-1] > len(lines) / 2
    gold = table[table["is_gold"]]
    for place, choice, prompt in zip(places, gold["choice"], gold["prompt"], strict=True):
        item = json.loads(lines[place])
        assert choice == GOLD[name](item)
        assert item["question"].strip() in prompt
    _compare(load_tasks(benchmark, folder), table, tiny_model, tiny_tokenizer, places)
