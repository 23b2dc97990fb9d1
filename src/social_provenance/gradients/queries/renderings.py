"""Renderings of a benchmark: the same items asked as multiple choice, as cloze, and as answers alone.

A map should show the benchmark's content and not the form of its questions. The same items in three
forms measure how much the form alone changes the map.
"""

from __future__ import annotations

import itertools
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from social_provenance.encoding import Encoder
from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

Rendering = Literal["multiple_choice", "cloze", "answer_only"]
RENDERINGS: tuple[Rendering, ...] = get_args(Rendering)
"""Forms in which the items of a benchmark can be asked."""

LETTERS = string.ascii_uppercase
LETTER = re.compile(r"\(?[A-Z][.):]?")
"""A choice that names an option instead of being one: ``A``, ``A.``, ``(A)``."""
CUE = re.compile(r"(?<=\n)[ \t]*(?:A|Answer)[ \t]*:\s*\Z", re.IGNORECASE)
"""A last line that only asks for the answer."""


@dataclass(frozen=True)
class _Item:
    """An item with its choices.

    Attributes:
        benchmark: Name of its benchmark.
        name: Name of the item.
        cluster: Name shared by items that are not independent.
        prompt: Text before the answer.
        choices: Texts of the answers, each with its delimiter.
        gold: Index of the right one.
        tokens: Prompt and right answer as the requests have them.
    """

    benchmark: str
    name: str
    cluster: str
    prompt: str
    choices: tuple[str, ...]
    gold: int
    tokens: tuple[list[int], list[int]]

    @property
    def label(self) -> str:
        return f"benchmark {self.benchmark}, item {self.name}"


def render(requests: pd.DataFrame, tokenizer: Any, max_tokens: int) -> pd.DataFrame:
    r"""Render the items of every benchmark in each of the forms.

    - ``multiple_choice``: the prompt, a line ``A. <choice>`` for each choice in order, and
      ``Answer:``; the answer is the letter of the right one (``" A"``). A prompt's own last line that
      only asks for the answer (``Answer:``, ``A:``) is left out: it would stand before the options.
    - ``cloze``: the prompt and the text of the right answer, the very tokens of the requests.
    - ``answer_only``: those tokens of the answer behind one start token, without the prompt.

    Args:
        requests: Table of :func:`social_provenance.capabilities.harness.build_requests`, in any order.
        tokenizer: The one that the requests were made with.
        max_tokens: Upper bound on the tokens of a query.

    Returns:
        One row for each item in each form, by benchmark, form and item: ``benchmark``, ``variant``
        (the form), ``item``, ``cluster``, ``prompt_ids``, ``answer_ids`` (lists of int).
        :func:`social_provenance.gradients.queries.build.add_blocks` makes it a table of queries.

    Raises:
        BenchmarkError: If the choices of a benchmark are letters and not answers, an item has more
            choices than there are letters or is too long in one of the forms, or the tokenizer has no
            start token or is not that of the requests.
    """
    import pandas as pd

    rows = []
    start, encoder = _start_token(tokenizer), Encoder(tokenizer)
    for _, group in itertools.groupby(_items(requests), key=lambda item: item.benchmark):
        items = list(group)
        _refuse_letters(items)
        for form in RENDERINGS:
            for item in items:
                prompt, answer = _render(item, form, encoder, start)
                _check_budget(item, form, len(prompt) + len(answer), max_tokens)
                rows.append((item.benchmark, form, item.name, item.cluster, prompt, answer))
    return pd.DataFrame(rows, columns=["benchmark", "variant", "item", "cluster", "prompt_ids", "answer_ids"])


def _items(requests: pd.DataFrame) -> Iterator[_Item]:
    """Yield the items by benchmark and name."""
    ordered = requests.sort_values(["benchmark", "item", "choice"]).to_dict("records")
    for (benchmark, name), group in itertools.groupby(ordered, key=lambda row: (row["benchmark"], row["item"])):
        rows = list(group)
        gold = next(index for index, row in enumerate(rows) if row["is_gold"])
        right = rows[gold]
        yield _Item(
            benchmark=str(benchmark),
            name=str(name),
            cluster=str(right["cluster"]),
            prompt=str(right["prompt"]),
            choices=tuple(str(row["completion"]) for row in rows),
            gold=gold,
            tokens=(list(right["prompt_ids"]), list(right["completion_ids"])),
        )


def _start_token(tokenizer: Any) -> int:
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise BenchmarkError(
        "the tokenizer has neither a bos_token nor an eos_token, and an answer without its prompt has to stand "
        "behind one: name one in its tokenizer_config.json"
    )


def _render(item: _Item, form: Rendering, encoder: Encoder, start: int) -> tuple[list[int], list[int]]:
    if form == "multiple_choice":
        return _list_options(item, encoder)
    prompt, answer = encoder.pair(item.label, item.prompt, item.choices[item.gold])
    if (prompt, answer) != item.tokens:
        raise BenchmarkError(
            f"{item.label}: the tokenizer divides it into other tokens than the requests have: give that of the model "
            f"that they were made for"
        )
    return ([start], answer) if form == "answer_only" else (prompt, answer)


def _list_options(item: _Item, encoder: Encoder) -> tuple[list[int], list[int]]:
    if len(item.choices) > len(LETTERS):
        raise BenchmarkError(
            f"{item.label}: it has {len(item.choices)} choices and there are {len(LETTERS)} letters to name them; "
            f"leave it out of the file"
        )
    options = [f"{letter}. {choice.strip()}" for letter, choice in zip(LETTERS, item.choices, strict=False)]
    question = "\n".join([CUE.sub("", item.prompt).rstrip(), *options, "Answer:"])
    pairs = [encoder.pair(item.label, question, f" {LETTERS[index]}") for index in range(len(options))]
    return pairs[item.gold]


def _refuse_letters(items: Sequence[_Item]) -> None:
    """Refuse benchmarks whose choices are letters: the requests do not contain the texts of the answers."""
    if all(LETTER.fullmatch(choice.strip()) for item in items for choice in item.choices):
        first = items[0]
        raise BenchmarkError(
            f"{first.label}: its choices are letters ({', '.join(choice.strip() for choice in first.choices)}): give "
            f"the query audit a task whose choices are the texts of the answers"
        )


def _check_budget(item: _Item, form: Rendering, tokens: int, limit: int) -> None:
    if tokens > limit:
        raise BenchmarkError(
            f"{item.label}: {tokens} tokens as {form}, a query may have {limit}: raise gradients.max_tokens if the "
            f"model takes more, or leave the item out of the file"
        )
