"""Our requests and scores are lm-eval's own, and what it would trip over is said in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.capabilities.answers import summarise
from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.capabilities.harness import Scorer, build_requests, load_tasks
from social_provenance.errors import BenchmarkError
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

DEFINITION = """
task: toy
output_type: multiple_choice
test_split: test
doc_to_text: "{{prompt}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{answer}}"
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
"""
ITEMS = (
    {"prompt": "Anna thanked Ben. Ben felt", "choices": ["glad", "cold"], "answer": 0, "key": "thanked"},
    {"prompt": "Carl cooled the plate. The plate became ", "choices": ["hot", "cold", "red"], "answer": 1, "key": "cold"},
    {"prompt": "Any rod that is heated becomes", "choices": ["hot rod", "hot", "salt"], "answer": 1, "key": "heat"},
    {"prompt": "In Velda every guest brings", "choices": ["salt", "the contract", "a plate", "red"], "answer": 0, "key": "v"},
    {"prompt": "Der Löwe ist", "choices": ["müde", "日本", "🦉 owl"], "answer": 2, "key": "v"},
)  # fmt: skip
TOY = Benchmark(name="toy", domain="social", level="reasoning", task="toy.yaml", file="toy.jsonl")


def _evaluation(*benchmarks: Benchmark, **settings: Any) -> Evaluation:
    return Evaluation(benchmarks=benchmarks, batch_size=4, **settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of benchmarks with a task and its items."""
    (tmp_path / "toy.yaml").write_text(DEFINITION)
    (tmp_path / "toy.jsonl").write_text("".join(json.dumps(item) + "\n" for item in ITEMS))
    return tmp_path


@pytest.fixture
def requests(folder: Path, tiny_tokenizer: Any, tiny_model: Any) -> pd.DataFrame:
    return build_requests(_evaluation(TOY), folder, tiny_tokenizer, tiny_model.config)


def _evaluate(tasks: Sequence[Any], model: Any, tokenizer: Any, limit: int | None = None) -> tuple[Any, list[Any]]:
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
    return evaluate(lm, named, limit=limit, bootstrap_iters=1, log_samples=True), lm.heard


def _choices(scorer: Scorer, model: Any, tokenizer: Any) -> dict[tuple[str, int], float]:
    """Return the log-probability of every choice: each in turn is called the gold one."""
    found = {}
    for choice in sorted(scorer.requests["choice"].unique()):
        marked = scorer.requests.assign(is_gold=scorer.requests["choice"] == choice)
        for row in Scorer(marked, scorer.batch_size).score(model, tokenizer).itertuples():
            found[row.item, int(choice)] = row.gold_logprob
    return found


def _compare(
    tasks: Sequence[Any], requests: pd.DataFrame, model: Any, tokenizer: Any, limit: int | None = None
) -> None:
    """Assert that lm-eval's accuracy, log-probabilities of choices and tokens are ours."""
    theirs, heard = _evaluate(tasks, model, tokenizer, limit)
    scorer = Scorer(requests, batch_size=4)
    ours = scorer.score(model, tokenizer)
    names = [task.task_name for task in tasks]
    correct = sum(sample["acc"] for name in names for sample in theirs["samples"][name])
    assert ours["correct"].sum() == correct
    if len(names) == 1:
        assert summarise(ours)["accuracy"].tolist() == [theirs["results"][names[0]]["acc,none"]]
    expected = {
        (f"{name}/{sample['doc_id']}", choice): response[0]
        for name in names
        for sample in theirs["samples"][name]
        for choice, response in enumerate(sample["filtered_resps"])
    }
    assert _choices(scorer, model, tokenizer) == pytest.approx(expected, abs=1e-5)
    pairs = zip(requests["prompt_ids"].map(tuple), requests["completion_ids"].map(tuple), strict=True)
    assert sorted(pairs) == sorted(heard)


@pytest.mark.parametrize("kind", ["olmo3", "llama"])
def test_accuracy_log_probabilities_and_tokens_are_those_of_lm_evals_own_evaluation(
    kind: str, folder: Path, requests: pd.DataFrame, tiny_tokenizer: Any, tiny_model: Any, llama_folder: Path
) -> None:
    model = tiny_model if kind == "olmo3" else LanguageModel(str(llama_folder)).load()
    _compare(load_tasks(TOY, folder), requests, model, tiny_tokenizer)


def test_the_tokens_of_an_answer_are_its_own_with_the_delimiter(requests: pd.DataFrame, tiny_tokenizer: Any) -> None:
    gold = requests[requests["is_gold"]]
    assert gold["completion"].tolist() == [" glad", " cold", " hot", " salt", " 🦉 owl"]
    told = [tiny_tokenizer.decode(ids) for ids in gold["completion_ids"]]
    assert told == [" glad", "  cold", " hot", " salt", " 🦉 owl"]  # a blank that ends a prompt goes to the answer
    for row in requests.itertuples():
        whole = tiny_tokenizer(row.prompt + row.completion)["input_ids"]
        assert row.prompt_ids + row.completion_ids == whole


def test_every_item_has_its_choices_in_order_and_one_of_them_is_gold(requests: pd.DataFrame) -> None:
    by_item = requests.groupby("item", sort=False)
    assert by_item["choice"].agg(list).tolist() == [list(range(len(item["choices"]))) for item in ITEMS]
    assert by_item["is_gold"].agg(list).map(lambda marks: marks.index(True)).tolist() == [0, 1, 1, 0, 2]
    assert (by_item["is_gold"].sum() == 1).all()
    assert requests["cluster"].equals(requests["item"])


def test_items_of_one_key_are_a_cluster(folder: Path, tiny_tokenizer: Any, tiny_model: Any) -> None:
    clustered = TOY.model_copy(update={"cluster": "key"})
    table = build_requests(_evaluation(clustered), folder, tiny_tokenizer, tiny_model.config)
    assert table.groupby("item", sort=False)["cluster"].first().tolist() == ["thanked", "cold", "heat", "v", "v"]


def test_a_limit_takes_the_first_items(
    folder: Path, requests: pd.DataFrame, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    first = build_requests(_evaluation(TOY, limit=2), folder, tiny_tokenizer, tiny_model.config)
    assert first.equals(requests.iloc[: len(first)])
    assert first["item"].unique().tolist() == ["toy/0", "toy/1"]


def test_an_override_changes_the_prompt(folder: Path, tiny_tokenizer: Any, tiny_model: Any) -> None:
    changed = TOY.model_copy(update={"overrides": {"description": "Answer. ", "target_delimiter": ": "}})
    table = build_requests(_evaluation(changed), folder, tiny_tokenizer, tiny_model.config)
    assert table["prompt"][0] == "Answer. Anna thanked Ben. Ben felt"
    assert table["completion"][0] == ": glad"


def test_definitions_of_one_tag_are_pooled_over_their_items(
    tmp_path: Path, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    for name, items in (("one", ITEMS[:1]), ("two", ITEMS[1:4])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
        data = f"tag: pair\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: {tmp_path}/{name}.jsonl}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(DEFINITION.replace("task: toy", f"task: {name}") + data)
    both = Benchmark(name="both", domain="stem", level="knowledge", task=str(tmp_path), tag="pair")
    table = build_requests(_evaluation(both), tmp_path, tiny_tokenizer, tiny_model.config)
    assert table["benchmark"].unique().tolist() == ["both"]
    assert table["item"].unique().tolist() == ["one/0", "two/0", "two/1", "two/2"]
    _compare(load_tasks(both, tmp_path), table, tiny_model, tiny_tokenizer)


@pytest.mark.parametrize("size", [1, 3, 64])
def test_a_score_does_not_depend_on_the_batch(
    requests: pd.DataFrame, tiny_model: Any, tiny_tokenizer: Any, size: int
) -> None:
    usual = Scorer(requests, 4).score(tiny_model, tiny_tokenizer)
    other = Scorer(requests, size).score(tiny_model, tiny_tokenizer)
    assert other["gold_logprob"].tolist() == pytest.approx(usual["gold_logprob"].tolist(), abs=1e-5)
    assert other["correct"].equals(usual["correct"])


def test_requests_read_back_from_a_file_score_the_same(
    requests: pd.DataFrame, tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    import pandas as pd

    requests.to_parquet(tmp_path / "requests.parquet")
    again = Scorer(pd.read_parquet(tmp_path / "requests.parquet"), 4).score(tiny_model, tiny_tokenizer)
    pd.testing.assert_frame_equal(again, Scorer(requests, 4).score(tiny_model, tiny_tokenizer), check_dtype=False)


@pytest.mark.parametrize("training", [True, False])
def test_scoring_leaves_the_model_as_it_was(
    requests: pd.DataFrame, tiny_model: Any, tiny_tokenizer: Any, training: bool
) -> None:
    before = [parameter.detach().clone() for parameter in tiny_model.parameters()]
    tiny_model.train(training)
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    Scorer(requests, 4).score(tiny_model, tiny_tokenizer)
    assert tiny_model.training is training
    assert torch.equal(torch.rand(2), expected)
    assert all(torch.equal(a, b) for a, b in zip(before, tiny_model.parameters(), strict=True))


def _refused(folder: Path, tokenizer: Any, model: Any, **changed: Any) -> str:
    with pytest.raises(BenchmarkError) as caught:
        build_requests(_evaluation(TOY.model_copy(update=changed)), folder, tokenizer, model.config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("row", "change", "pieces"),
    [
        (2, {"answer": 3}, ["toy.jsonl, row 2: answer 3 is not one of the 3 choices (0 to 2"]),
        (2, {"answer": -1}, ["toy.jsonl, row 2: answer '-1' is not one of the 3 choices (0 to 2"]),
        (2, {"answer": "B"}, ["toy.jsonl, row 2: answer 'B' is not one of the 3 choices"]),
        (2, {"answer": None}, ["toy.jsonl, row 2: answer 'None' is not one of the 3 choices"]),
        (1, {"answer": 2}, ["toy.jsonl, row 1: task 'toy.yaml' cannot render {'prompt': 'Anna thanked Ben.",
                            "IndexError", "its answer must name one of its choices"]),
        (3, {"choices": "hot"}, ["toy.jsonl, row 3: the answer of {'prompt': 'Any rod that is heated becomes',",
                                 "cannot be read", "it must name one of the item's choices"]),
        (3, {"choices": []}, ["toy.jsonl, row 3: answer 1 is not one of the 0 choices"]),
        (2, {"choices": ["hot", "cold", "hot"]}, ["benchmark toy, item toy/1: choices '", "' hot' are the same tokens"]),
        (1, {"prompt": ""}, ["benchmark toy, item toy/0: its prompt is empty; give every item a prompt"]),
        (1, {"prompt": "salt " * 600}, ["benchmark toy, item toy/0: ", " tokens, the model takes 512; leave the item"]),
    ],
)  # fmt: skip
def test_a_bad_item_is_named_with_its_place_and_value(
    folder: Path, tiny_tokenizer: Any, tiny_model: Any, row: int, change: dict[str, Any], pieces: list[str]
) -> None:
    items: list[dict[str, Any]] = [dict(item) for item in ITEMS]
    items[row - 1] |= change
    (folder / "toy.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    said = _refused(folder, tiny_tokenizer, tiny_model)
    for piece in pieces:
        assert piece in said


def test_a_missing_column_is_found_before_lm_eval_reads_the_file(
    folder: Path, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    text = (folder / "toy.jsonl").read_text()
    (folder / "toy.jsonl").write_text(text.replace('"answer"', '"anwser"'))
    assert _refused(folder, tiny_tokenizer, tiny_model) == (
        f"{(folder / 'toy.jsonl').resolve()}, row 1: no column 'answer'; did you mean 'anwser'?"
    )


def test_a_missing_cluster_column_is_found_too(folder: Path, tiny_tokenizer: Any, tiny_model: Any) -> None:
    assert "row 1: no column 'keys'; did you mean 'key'?" in _refused(
        folder, tiny_tokenizer, tiny_model, cluster="keys"
    )


def test_a_missing_file_is_named(folder: Path, tiny_tokenizer: Any, tiny_model: Any) -> None:
    said = _refused(folder, tiny_tokenizer, tiny_model, file="toys.jsonl")
    assert said.startswith(f"there is no benchmark file {folder.resolve()}/toys.jsonl: ")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task": "tois.yaml"}, "benchmark toy: no task definition 'tois.yaml' in "),
        ({"task": "mmlu/continuation", "tag": "mmlu_stm"}, "no definition in 'mmlu/continuation' has the tag 'mmlu_stm'"),
        ({"overrides": {"output_type": "generate_until"}}, "is of type 'generate_until'; multiple_choice tasks can be"),
        ({"overrides": {"doc_to_txt": "x"}}, "unexpected keyword argument 'doc_to_txt'"),
        ({"task": "siqa/siqa.yaml", "file": None}, "the data of task 'siqa/siqa.yaml' cannot be loaded (ConnectionError"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_used_is_named(
    folder: Path, tiny_tokenizer: Any, tiny_model: Any, changed: dict[str, Any], said: str
) -> None:
    assert said in _refused(folder, tiny_tokenizer, tiny_model, **changed)


STOCK = {
    "social_iqa": ("siqa/siqa.yaml", lambda item: int(item["label"]) - 1),
    "arc_challenge": ("arc/arc_challenge.yaml", lambda item: item["choices"]["label"].index(item["answerKey"])),
    "mmlu_stem": ("mmlu/continuation/_continuation_template_yaml", lambda item: item["answer"]),
    "mmlu_social_sciences": ("mmlu/continuation/_continuation_template_yaml", lambda item: item["answer"]),
}


@pytest.mark.parametrize("name", STOCK)
def test_a_stock_task_reads_real_items_from_a_local_file_as_lm_eval_does(
    name: str, shared_data: Path, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    task, answer = STOCK[name]
    answer: Callable[[Any], int]
    benchmark = Benchmark(name=name, domain="social", level="knowledge", task=task, file=f"{name}.jsonl")
    tiny_model.config.max_position_embeddings = 8192
    folder = shared_data / "benchmarks"
    table = build_requests(_evaluation(benchmark, limit=6), folder, tiny_tokenizer, tiny_model.config)
    items = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()[:6]]
    assert table.loc[table["is_gold"], "choice"].tolist() == [answer(item) for item in items]
    assert all(
        item["question"].strip() in prompt
        for item, prompt in zip(items, table["prompt"][table["is_gold"]], strict=True)
    )
    _compare(load_tasks(benchmark, folder), table, tiny_model, tiny_tokenizer, limit=6)
