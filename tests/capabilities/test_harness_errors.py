"""What lm-eval would trip over, or pass over in silence, is said in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.capabilities.harness import build_requests
from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from social_provenance.capabilities.benchmark import Benchmark

    Refused = Callable[..., str]


@pytest.fixture
def refused(
    write_task: Any, evaluation_of: Any, toy: Benchmark, tiny_tokenizer: Any, tiny_model: Any
) -> Callable[..., str]:
    """Return a function that writes items, changes the benchmark and returns what the error says."""

    def attempt(items: list[dict[str, Any]], more: str = "", **changed: Any) -> str:
        folder = write_task(items, more=more)
        with pytest.raises(BenchmarkError) as caught:
            build_requests(evaluation_of(toy.model_copy(update=changed)), folder, tiny_tokenizer, tiny_model.config)
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(str(folder.resolve()), "DIR")

    return attempt


@pytest.mark.parametrize(
    ("row", "change", "pieces"),
    [
        (2, {"answer": 3}, ["toy.jsonl, line 2: answer 3 is not one of the 3 choices: give 0 to 2"]),
        (2, {"answer": -1}, ["toy.jsonl, line 2: answer '-1' is not one of the 3 choices: give 0 to 2"]),
        (2, {"answer": "B"}, ["toy.jsonl, line 2: answer 'B' is not one of the 3 choices"]),
        (2, {"answer": True}, ["toy.jsonl, line 2: its field 'answer' is true: give it text"]),
        (2, {"answer": None}, ["toy.jsonl, line 2: its field 'answer' is null: give it text"]),
        (1, {"answer": 2}, ["toy.jsonl, line 1: answer 2 is not one of the 2 choices: give 0 to 1"]),
        (1, {"answer": None}, ["toy.jsonl, line 1: its field 'answer' is null: give it text"]),
        (1, {"choices": ["", "a"]}, ["toy.jsonl, line 1: choice 1 is '': give it text"]),
        (2, {"choices": ["a", "b", " "]}, ["toy.jsonl, line 2: choice 3 is ' ': give it text"]),
        (3, {"choices": ["hot", None]}, ["toy.jsonl, line 3: its field 'choices' is null: give it text"]),
        (3, {"choices": ["hot", True]}, ["toy.jsonl, line 3: choice 2 is true, which is not text: give it text in q"]),
        (3, {"choices": ["hot", ["a"]]}, ["toy.jsonl, line 3: choice 2 is ['a'], which is not text"]),
        (3, {"choices": "hot"}, ["toy.jsonl, line 3: its choices 'hot' are not a list: give a list of texts"]),
        (3, {"prompt": None}, ["toy.jsonl, line 3: its field 'prompt' is null: give it text"]),
        (1, {"prompt": None}, ["toy.jsonl, line 1: its field 'prompt' is null: give it text"]),
        (3, {"prompt": " \n"}, ["item toy/2 (line 3 of toy.jsonl): its prompt ' \\n' is blank: give it text"]),
        (
            3,
            {"prompt": ["a", "b"]},
            ["toy.jsonl, line 3: its field 'prompt' has ['a', 'b'] where text is printed: giv"],
        ),
        (
            1,
            {"prompt": {"a": 1}},
            ["toy.jsonl, line 1: its field 'prompt' has {'a': 1} where text is printed: give it"],
        ),
        (2, {"prompt": "\u200b\ufeff"}, ["item toy/1 (line 2 of toy.jsonl): its prompt '\\u200b\\ufeff' is blank: g"]),
        (3, {"prompt": True}, ["toy.jsonl, line 3: its field 'prompt' is true: give it text"]),
        (4, {"choices": ["salt"]}, ["item toy/3 (line 4 of toy.jsonl): it has 1 choice (' salt'), so every model a"]),
        (3, {"choices": []}, ["toy.jsonl, line 3: answer 1 is not one of the 0 choices: give it two choices or more"]),
        (
            4,
            {"choices": ["salt", "red", "salt"]},
            ["benchmark toy, item toy/3 (line 4 of toy.jsonl): choices ' salt' and ' salt' are the same tokens, so"],
        ),
        (1, {"prompt": ""}, ["benchmark toy, item toy/0 (line 1 of toy.jsonl): its prompt '' is blank: give it text"]),
        (
            1,
            {"prompt": "salt " * 600},
            [
                "benchmark toy, item toy/0 (line 1 of toy.jsonl): ",
                " tokens exceed the model's limit of 512: use a model with a longer context",
            ],
        ),
    ],
)
def test_a_bad_item_is_named_with_its_place_and_value(
    refused: Refused, items: list[dict[str, Any]], row: int, change: dict[str, Any], pieces: list[str]
) -> None:
    items[row - 1] |= change
    said = refused(items)
    for piece in pieces:
        assert piece in said


def test_an_item_beyond_a_limit_is_looked_at_too(refused: Refused, items: list[dict[str, Any]]) -> None:
    items[-1]["answer"] = 9
    assert "line 5: answer 9 is not one of the 3 choices" in refused(items)


def test_a_missing_column_is_found_before_lm_eval_reads_the_file(refused: Refused, items: list[dict[str, Any]]) -> None:
    items[2]["anwser"] = items[2].pop("answer")
    assert (
        refused(items)
        == "DIR/toy.jsonl, line 3: no column 'answer'; did you mean 'anwser'?; add it, or rename the one meant"
    )


def test_a_missing_cluster_column_is_found_too(refused: Refused, items: list[dict[str, Any]]) -> None:
    assert (
        refused(items, cluster="keys")
        == "DIR/toy.jsonl, line 1: no column 'keys'; did you mean 'key'?; add it, or rename the one meant"
    )


def test_a_missing_file_is_named_with_how_to_give_it(refused: Refused, items: list[dict[str, Any]]) -> None:
    said = "there is no benchmark file DIR/toys.jsonl: give its folder with --params benchmarks=DIR"
    assert refused(items, file="toys.jsonl") == said


def test_an_empty_file_is_named(refused: Refused) -> None:
    assert refused([]) == "DIR/toy.jsonl has no item: give one JSON object per line"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task": "tois.yaml"}, "benchmark toy: no task definition 'tois.yaml' in DIR or among lm-eval's own; give a"),
        ({"task": "siqa"}, "benchmark toy: no task definition 'siqa' in DIR"),
        (
            {"task": "mmlu/continuation", "tag": "mmlu_stm", "file": None},
            "benchmark toy: no definition in 'mmlu/continuation' has the tag 'mmlu_stm'",
        ),
        (
            {"overrides": {"output_type": "generate_until"}},
            "benchmark toy: task 'toy' is of type 'generate_until', and multiple_choice tasks alone can be attributed: "
            "choose such a task",
        ),
        (
            {"overrides": {"doc_to_txt": "x"}},
            "benchmark toy: overrides of toy.yaml: 'doc_to_txt' ('x') is no key of a task definition of lm-eval; did "
            "you mean 'doc_to_text'?; rename it, or remove it",
        ),
        (
            {"overrides": {"target_delimiter": None}},
            "benchmark toy: overrides of toy.yaml: target_delimiter is null, an",
        ),
        (
            {"task": "siqa/siqa.yaml", "file": None},
            "benchmark toy: the data of task 'siqa/siqa.yaml' cannot be loaded (ConnectionError: ",
        ),
    ],
)
def test_a_definition_that_cannot_be_used_is_named(
    refused: Refused, items: list[dict[str, Any]], changed: dict[str, Any], said: str
) -> None:
    assert said in refused(items, **changed)


def test_a_definition_that_is_no_yaml_is_named(refused: Refused, items: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("task: [toy\n")
    said = refused(items, task=str(tmp_path / "broken.yaml"))
    assert said.startswith("benchmark toy: task definition DIR/broken.yaml cannot be read (")
    assert said.endswith("fix the YAML")


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (
            "doc_to_text: !function evil.f\n",
            "runs code (!function evil.f), which is refused: set evaluation.allow_code",
        ),
        ("process_docs: !function evil.f\n", "runs code (!function evil.f), which is refused"),
        ("metadata: {x: [1, !function evil.f ]}\n", "runs code (!function evil.f), which is refused"),
        ("doc_to_text: !function os.system\n", "runs code (!function os.system), which is refused"),
        ("include: more.inc\n", "more.inc runs code (!function evil.f), which is refused"),
        ("include: [toy.yaml]\n", "toy.yaml includes itself: fix the YAML"),
        ("include: nowhere.yaml\n", "nowhere.yaml cannot be read ("),
        ("doc_to_text: !!python/object/apply:os.system [touch MARK]\n", "cannot be read ("),
        (
            "doc_to_text: \"{{ cycler.__init__.__globals__['os'].system('touch MARK') }}\"\n",
            "reaches into Python, which templates",
        ),
        ("description: \"{{ cycler.__init__.__globals__['os'].system('touch MARK') }}\"\n", "(SecurityError: "),
        ("gen_prefix: \"{{ cycler.__init__.__globals__['os'].system('touch MARK') }}\"\n", "(SecurityError: "),
        (
            "metric_list: [{metric: ./evil}]\n",
            "its metric './evil' is none of lm-eval's own and would be fetched and run",
        ),
        ("metric_list: [{metric: acc, hf_evaluate: true}]\n", "its metric 'acc' is none of lm-eval's own"),
        ("use_prompt: evil.yaml:p\n", "use_prompt 'evil.yaml:p' reads a prompt of another file, which is refused"),
        ("- 1\n", "cannot be read ("),
        (
            "target_delimiter: null\n",
            "toy.yaml: target_delimiter is null, and lm-eval takes str there: give it that in",
        ),
        ("description: 3\n", "toy.yaml: description is 3, and lm-eval takes str there: give it that in quotes, or"),
        ("fewshots: 3\n", "toy.yaml: 'fewshots' (3) is no key of a task definition of lm-eval; "),
        ("doc_to_text: '{{prompt'\n", "doc_to_text '{{prompt' is no Jinja template ("),
    ],
)
def test_a_definition_in_a_folder_of_benchmarks_runs_nothing(
    refused: Refused, items: list[dict[str, Any]], tmp_path: Path, definition: str, said: str
) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "evil.py").write_text(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\ndef f(doc): return 'x'\n")
    (tmp_path / "more.inc").write_text("doc_to_target: !function evil.f\n")
    heard = refused(items, more=definition.replace("MARK", str(mark)))
    assert said in heard
    assert not mark.exists()


def test_a_key_that_is_given_twice_is_refused_where_functions_are_allowed(
    *, write_task: Any, evaluation_of: Any, toy: Benchmark, items: Any, tiny_tokenizer: Any, tiny_model: Any
) -> None:
    folder = write_task(items, more="doc_to_text: prompt\ndoc_to_text: prompt\n")
    with pytest.raises(BenchmarkError, match="'doc_to_text' is given twice"):
        build_requests(evaluation_of(toy, allow_code=True), folder, tiny_tokenizer, tiny_model.config)


def test_a_function_runs_where_it_is_allowed(
    *,
    write_task: Any,
    evaluation_of: Any,
    toy: Benchmark,
    items: Any,
    tiny_tokenizer: Any,
    tiny_model: Any,
    tmp_path: Path,
) -> None:
    (tmp_path / "kind.py").write_text("def f(doc): return doc['prompt'].upper()\n")
    folder = write_task(items, more="doc_to_text: !function kind.f\n")
    table = build_requests(evaluation_of(toy, allow_code=True), folder, tiny_tokenizer, tiny_model.config)
    assert table["prompt"][0] == "ANNA THANKED BEN. BEN FELT"


def test_the_sandbox_stays_where_functions_are_allowed(
    *,
    write_task: Any,
    evaluation_of: Any,
    toy: Benchmark,
    items: Any,
    tiny_tokenizer: Any,
    tiny_model: Any,
    tmp_path: Path,
) -> None:
    folder = write_task(
        items, more=f"doc_to_text: \"{{{{ cycler.__init__.__globals__['os'].system('touch {tmp_path}/m') }}}}\"\n"
    )
    with pytest.raises(BenchmarkError, match="reaches into Python"):
        build_requests(evaluation_of(toy, allow_code=True), folder, tiny_tokenizer, tiny_model.config)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("path", ["csv", "text", "."])
def test_data_whose_types_would_be_guessed_are_refused(
    refused: Refused, items: list[dict[str, Any]], path: str
) -> None:
    said = refused(items, file=None, more=f"dataset_path: {path}\n")
    assert said.startswith(
        f"benchmark toy: the types of its data (dataset_path {path!r}) would be guessed, and texts su"
    )
    assert said.endswith("changed: give its items as JSON lines (file)")


def test_items_that_a_definition_names_are_read_as_they_are(
    write_task: Any, evaluation_of: Any, toy: Benchmark, tiny_tokenizer: Any, tiny_model: Any, tmp_path: Path
) -> None:
    dated = [{"prompt": "2020-02-02", "choices": ["1969-07-20", "1972-12-11"], "answer": 0}] * 2
    files = f"dataset_path: json\ndataset_kwargs: {{data_files: {{test: {tmp_path / 'toy.jsonl'}}}}}\n"
    folder = write_task(dated, more=files)
    own = toy.model_copy(update={"file": None})
    table = build_requests(evaluation_of(own), folder, tiny_tokenizer, tiny_model.config)
    assert table["prompt"].unique().tolist() == ["2020-02-02"]
    assert table["completion"].unique().tolist() == [" 1969-07-20", " 1972-12-11"]
