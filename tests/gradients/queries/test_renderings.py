"""Renderings: the items of a benchmark in three forms, the cloze form token for token as the harness poses it."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.capabilities.harness import build_requests
from social_provenance.encoding import Encoder
from social_provenance.errors import BenchmarkError
from social_provenance.gradients.queries.build import COLUMNS, add_blocks, build_queries, query_sets
from social_provenance.gradients.queries.choices import WRONG
from social_provenance.gradients.queries.renderings import RENDERINGS, render
from social_provenance.gradients.query_set import ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEM_ROWS = (
    ("Anna thanked Ben. Ben felt", ["glad", "cold"], 0, "thanked"),
    ("Carl cooled the plate. The plate became ", ["hot", "cold", "red"], 1, "cooled"),
    ("Question: What does every guest bring?\nAnswer:", ["salt", "the contract", "a plate", "red"], 0, "Velda"),
    ("Q: Der Löwe ist?\n\nA: ", ["müde", "日本", "🦉 owl"], 2, "Velda"),
    ("<s>The judge saw\t", ["the contract", "A"], 1, "judge"),
)
QUESTIONS = (
    "Anna thanked Ben. Ben felt\nA. glad\nB. cold\nAnswer:",
    "Carl cooled the plate. The plate became\nA. hot\nB. cold\nC. red\nAnswer:",
    "Question: What does every guest bring?\nA. salt\nB. the contract\nC. a plate\nD. red\nAnswer:",
    "Q: Der Löwe ist?\nA. müde\nB. 日本\nC. 🦉 owl\nAnswer:",
    "<s>The judge saw\nA. the contract\nB. A\nAnswer:",
)


def _with_start(tokenizer: Any) -> Any:
    """Return a tokenizer that puts a start token of its own before every text, as Llama's does."""
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    inner = copy.deepcopy(tokenizer.backend_tokenizer)
    inner.add_special_tokens(["<s>"])
    special = [("<s>", inner.token_to_id("<s>"))]
    inner.post_processor = TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=special)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token=tokenizer.eos_token, clean_up_tokenization_spaces=False
    )


@pytest.fixture(scope="session", params=["eos only", "adds its start"])
def tokenizer(request: pytest.FixtureRequest, tiny_tokenizer: Any) -> Any:
    return tiny_tokenizer if request.param == "eos only" else _with_start(tiny_tokenizer)


@pytest.fixture(scope="session")
def pose(tmp_path_factory: pytest.TempPathFactory, llama_folder: Path, toy_task: str) -> Callable[..., pd.DataFrame]:
    """Return a function that writes items as benchmarks and builds their requests with the harness."""
    from transformers import AutoConfig

    def build(tokenizer: Any, rows: Any = ITEM_ROWS, names: tuple[str, ...] = ("toy",)) -> pd.DataFrame:
        folder = tmp_path_factory.mktemp("tasks")
        benchmarks = []
        for name in names:
            items = [dict(zip(("prompt", "choices", "answer", "key"), row, strict=True)) for row in rows]
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
            (folder / f"{name}.yaml").write_text(toy_task.replace("task: toy", f"task: {name}"))
            where = {"task": f"{name}.yaml", "file": f"{name}.jsonl", "cluster": "key"}
            benchmarks.append(Benchmark(name=name, domain="social", level="reasoning", **where))
        config = AutoConfig.from_pretrained(llama_folder)
        return build_requests(Evaluation(benchmarks=benchmarks, batch_size=1), folder, tokenizer, config)

    return build


@pytest.fixture(scope="session")
def requests(pose: Any, tokenizer: Any) -> pd.DataFrame:
    table: pd.DataFrame = pose(tokenizer)
    return table


@pytest.fixture(scope="session")
def plain(pose: Any, tiny_tokenizer: Any) -> pd.DataFrame:
    table: pd.DataFrame = pose(tiny_tokenizer)
    return table


def _of(rendered: pd.DataFrame, form: str) -> pd.DataFrame:
    return rendered[rendered["variant"] == form].set_index("item")


# ---- forms


def test_every_choice_is_encoded_as_the_harness_encodes_it(requests: pd.DataFrame, tokenizer: Any) -> None:
    for row in requests.itertuples():
        assert Encoder(tokenizer).pair("", row.prompt, row.completion) == (row.prompt_ids, row.completion_ids)


def test_the_cloze_form_of_a_cloze_task_is_the_queries_of_its_requests(requests: pd.DataFrame, tokenizer: Any) -> None:
    rendered = add_blocks(render(requests, tokenizer, 512), blocks=3, seed=0)
    cloze = rendered[rendered["variant"] == "cloze"].assign(variant=ITEMS).reset_index(drop=True)
    assert_frame_equal(cloze, build_queries(requests, (), None, blocks=3, seed=0))


def test_multiple_choice_lists_the_options_and_answers_with_the_letter(requests: pd.DataFrame, tokenizer: Any) -> None:
    rendered = _of(render(requests, tokenizer, 512), "multiple_choice")
    for number, ((_, _, gold, _), question) in enumerate(zip(ITEM_ROWS, QUESTIONS, strict=True)):
        row = rendered.loc[f"toy/{number}"]
        starts = [] if question.startswith(tokenizer.decode(_start(tokenizer))) else tokenizer("")["input_ids"]
        assert row["prompt_ids"] == starts + tokenizer.encode(question, add_special_tokens=False)
        assert row["prompt_ids"] + row["answer_ids"] == starts + tokenizer.encode(
            f"{question} {'ABCD'[gold]}", add_special_tokens=False
        )
        assert tokenizer.decode(row["answer_ids"]) == f" {'ABCD'[gold]}"


def test_answers_alone_are_those_of_the_cloze_form_behind_one_token(requests: pd.DataFrame, tokenizer: Any) -> None:
    rendered = render(requests, tokenizer, 512)
    alone = _of(rendered, "answer_only")
    assert alone["answer_ids"].equals(_of(rendered, "cloze")["answer_ids"])
    assert all(prompt == [_start(tokenizer)] for prompt in alone["prompt_ids"])


def _start(tokenizer: Any) -> int:
    return int(tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id)


def test_a_word_that_ends_a_prompt_is_no_request_for_an_answer(pose: Any, tiny_tokenizer: Any) -> None:
    """Only a line of its own goes: neither ``A:`` behind words nor the whole of a prompt."""
    prompts = ("The plate was hot. Answer:", "Answer:", "One\nAnswer: the", "Bravo\nB:")
    rows = [(prompt, ["hot", "cold"], 0, "k") for prompt in prompts]
    rendered = _of(render(pose(tiny_tokenizer, rows), tiny_tokenizer, 512), "multiple_choice")
    told = [tiny_tokenizer.decode(ids) for ids in rendered["prompt_ids"]]
    assert told == [f"{prompt}\nA. hot\nB. cold\nAnswer:" for prompt in prompts]


# ---- the table


def test_every_item_of_every_benchmark_is_there_once_in_each_form(pose: Any, tiny_tokenizer: Any) -> None:
    requests = pose(tiny_tokenizer, names=("zeta", "alpha"))
    rendered = render(requests, tiny_tokenizer, 512)
    assert list(rendered.columns) == [name for name in COLUMNS if name not in {"block", *WRONG}]
    assert len(rendered) == 2 * 3 * len(ITEM_ROWS)
    assert not rendered.duplicated(["benchmark", "variant", "item"]).any()
    clusters = requests.drop_duplicates("item").set_index("item")["cluster"]
    assert (rendered["cluster"] == rendered["item"].map(clusters)).all()
    sets = query_sets(add_blocks(rendered, blocks=3, seed=0))
    assert list(sets) == [f"{name}.{form}" for name in ("alpha", "zeta") for form in RENDERINGS]
    assert len({tuple(rows["block"]) for name, rows in sets.items() if name.startswith("zeta")}) == 1


def test_the_order_of_requests_changes_nothing(plain: pd.DataFrame, tiny_tokenizer: Any) -> None:
    rendered = render(plain, tiny_tokenizer, 512)
    for seed in range(3):
        assert_frame_equal(render(plain.sample(frac=1, random_state=seed), tiny_tokenizer, 512), rendered)


def test_requests_that_were_on_disk_render_the_same(plain: pd.DataFrame, tiny_tokenizer: Any, tmp_path: Path) -> None:
    plain.to_parquet(tmp_path / "requests.parquet")
    read = pd.read_parquet(tmp_path / "requests.parquet")
    assert_frame_equal(render(read, tiny_tokenizer, 512), render(plain, tiny_tokenizer, 512))


def test_the_letter_follows_the_right_answer_and_the_options_the_order_of_choices(
    plain: pd.DataFrame, tiny_tokenizer: Any
) -> None:
    """Naming another choice as gold changes the answer alone, turning the choices round changes options and letter."""
    item = plain[plain["item"] == "toy/2"]
    for gold in range(4):
        row = _of(render(item.assign(is_gold=item["choice"] == gold), tiny_tokenizer, 512), "multiple_choice").iloc[0]
        assert tiny_tokenizer.decode(row["prompt_ids"]) == QUESTIONS[2]
        assert tiny_tokenizer.decode(row["answer_ids"]) == f" {'ABCD'[gold]}"
    turned = _of(render(item.assign(choice=3 - item["choice"]), tiny_tokenizer, 512), "multiple_choice").iloc[0]
    assert tiny_tokenizer.decode(turned["prompt_ids"]).endswith("A. red\nB. a plate\nC. the contract\nD. salt\nAnswer:")
    assert tiny_tokenizer.decode(turned["answer_ids"]) == " D"


# ---- what cannot be rendered


@pytest.mark.parametrize("letters", [["A", "B", "C"], ["A.", "B.", "C."], ["(A)", "(B)", "(C)"]])
def test_choices_that_are_letters_are_refused(letters: list[str], pose: Any, tiny_tokenizer: Any) -> None:
    requests = pose(tiny_tokenizer, [(f"Which is hot? {number}", letters, 0, "k") for number in range(2)])
    said = f"benchmark toy, item toy/0: its choices are letters ({', '.join(letters)}): give the query audit a task"
    with pytest.raises(BenchmarkError, match=re.escape(said)):
        render(requests, tiny_tokenizer, 512)


def test_some_answers_of_one_letter_are_answers(pose: Any, tiny_tokenizer: Any) -> None:
    rows = [("Which group gives to all?", ["A", "B", "O"], 2, "k"), ("Which is rarest?", ["AB", "O"], 0, "k")]
    rendered = _of(render(pose(tiny_tokenizer, rows), tiny_tokenizer, 512), "multiple_choice")
    assert [tiny_tokenizer.decode(ids) for ids in rendered["answer_ids"]] == [" C", " A"]


def test_the_longest_form_of_an_item_is_what_has_to_fit(plain: pd.DataFrame, tiny_tokenizer: Any) -> None:
    rendered = render(plain, tiny_tokenizer, 512)
    tokens = rendered["prompt_ids"].map(len) + rendered["answer_ids"].map(len)
    longest = rendered.loc[tokens.idxmax()]
    assert len(render(plain, tiny_tokenizer, tokens.max())) == len(rendered)
    said = f"benchmark toy, item {longest['item']}: {tokens.max()} tokens as multiple_choice, a query may have "
    with pytest.raises(BenchmarkError, match=f"{said}{tokens.max() - 1}: raise gradients.max_tokens"):
        render(plain, tiny_tokenizer, int(tokens.max()) - 1)


def test_more_choices_than_letters_are_refused(pose: Any, tiny_tokenizer: Any) -> None:
    choices = [f"{number} plates" for number in range(27)]
    rows = [("How many?", choices[:26], 25, "k"), ("How many?", choices, 0, "k")]
    requests = pose(tiny_tokenizer, rows)
    with pytest.raises(BenchmarkError, match="benchmark toy, item toy/1: it has 27 choices and there are 26 letters"):
        render(requests, tiny_tokenizer, 512)
    one = _of(render(requests[requests["item"] == "toy/0"], tiny_tokenizer, 512), "multiple_choice").iloc[0]
    assert tiny_tokenizer.decode(one["answer_ids"]) == " Z"


def test_the_tokenizer_of_another_model_is_refused(plain: pd.DataFrame, tiny_tokenizer: Any) -> None:
    said = "benchmark toy, item toy/0: the tokenizer divides it into other tokens than the requests have"
    with pytest.raises(BenchmarkError, match=said):
        render(plain, _with_start(tiny_tokenizer), 512)


def test_a_tokenizer_without_start_and_end_is_refused(plain: pd.DataFrame, tiny_tokenizer: Any) -> None:
    bare = copy.deepcopy(tiny_tokenizer)
    bare.eos_token = None
    with pytest.raises(BenchmarkError, match="the tokenizer has neither a bos_token nor an eos_token"):
        render(plain, bare, 512)


def test_letters_that_a_tokenizer_does_not_know_are_refused(pose: Any) -> None:
    """A vocabulary of a few words: letters that it lacks are all one unknown token."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: number for number, word in enumerate("? <e> hot cold it Is A A. B. C. Answer: B".split())}
    inner = Tokenizer(models.WordLevel(words, unk_token="?"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="?", eos_token="<e>", pad_token="<e>")
    assert len(render(pose(tokenizer, [("Is it", ["hot", "cold"], 0, "k")]), tokenizer, 512)) == 3
    with pytest.raises(
        BenchmarkError, match=r"toy/0: the tokens of its prompt and choice decode to '.*Answer: \?', and"
    ):
        render(pose(tokenizer, [("Is it", ["hot", "cold", "it"], 0, "k")]), tokenizer, 512)
