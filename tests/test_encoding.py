"""Tokens decode back to the text that they stand for, whatever the tokenizer adds."""

from __future__ import annotations

import copy
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_provenance.encoding import PARALLELISM, Encoder, all_cores, same_text
from social_provenance.errors import BenchmarkError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

BOS, EOS = "<s>", "</s>"
ADDED = {
    "neither": "$A",
    "bos": f"{BOS} $A",
    "eos": f"$A {EOS}",
    "both": f"{BOS} $A {EOS}",
    "two": f"{BOS} $A {EOS} {EOS}",
}
PAIRS = (
    ("Anna thanked Ben. Ben felt", " glad"),
    ("Carl cooled the plate. The plate became ", " cold"),
    ("Question: who?\nAnswer:\n", "\n salt"),
    ("The cat", "fish"),
    ("Any rod that is heated becom", "es hot"),
    ("  The judge", " the court"),
)


def _bytes(tokenizer: Any) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())


def _metaspace(_: Any) -> Any:
    """Return a tokenizer whose words begin with the blank before them, as SentencePiece's do, without unknown bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    words = ["▁the", "▁glad", "▁cold", "▁salt", "▁hot", "▁The", "es"]
    pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = {piece: number for number, piece in enumerate([*pieces, *sorted({*"".join(words), *words})])}
    made: list[tuple[str, str]] = []
    for word in words:
        for end in range(2, len(word) + 1):
            joined = word[:end]
            if joined not in vocabulary:
                vocabulary[joined] = len(vocabulary)
            if (pair := (word[: end - 1], word[end - 1])) not in made:
                made.append(pair)
    model = Tokenizer(models.BPE(vocabulary, made, byte_fallback=True))
    model.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    model.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    model.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return model


@pytest.fixture(scope="module")
def made(tiny_tokenizer: Any) -> Callable[[str, str], Any]:
    """Return a function from a kind of tokenizer and the tokens that it adds to that tokenizer."""
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    known: dict[tuple[str, str], Any] = {}

    def make(kind: str, added: str) -> Any:
        if (kind, added) not in known:
            backend = {"bytes": _bytes, "metaspace": _metaspace}[kind](tiny_tokenizer)
            backend.add_special_tokens([BOS, EOS])
            ids = [(token, backend.token_to_id(token)) for token in (BOS, EOS)]
            backend.post_processor = TemplateProcessing(single=ADDED[added], special_tokens=ids)
            known[kind, added] = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=BOS, eos_token=EOS)
        return known[kind, added]

    return make


def _law(tokenizer: Any, prompt: str, completion: str) -> None:
    encoder = Encoder(tokenizer)
    before, after = encoder.pair("item 3", prompt, completion)
    start = list(encoder.start) if not prompt.startswith(BOS) else []
    assert before[: len(start)] == start
    told, whole = (tokenizer.decode(ids[len(start) :]) for ids in (before, [*before, *after]))
    assert told == prompt.rstrip()
    assert whole == prompt + completion


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize("kind", ["bytes", "metaspace"])
def test_tokens_decode_to_prompt_and_completion_whatever_the_tokenizer_adds(made: Any, kind: str, added: str) -> None:
    tokenizer = made(kind, added)
    assert len(Encoder(tokenizer).start) == (added in ("bos", "both", "two"))
    assert (tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id) == (added in ("eos", "both", "two"))
    for prompt, completion in PAIRS:
        _law(tokenizer, prompt, completion)
        if kind == "bytes":  # the other decoder puts a blank behind the start token
            _law(tokenizer, f"{BOS}{prompt}", completion)


@given(
    prompt=st.text(min_size=1, max_size=20),
    completion=st.text(min_size=1, max_size=8),
    added=st.sampled_from(list(ADDED)),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_of_a_byte_level_tokenizer_is_given_back(made: Any, prompt: str, completion: str, added: str) -> None:
    if prompt.strip():
        _law(made("bytes", added), prompt, completion)


@given(
    prompt=st.text(min_size=1, max_size=20),
    completion=st.text(min_size=1, max_size=8),
    added=st.sampled_from(list(ADDED)),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_given_back_or_refused_in_one_line(made: Any, prompt: str, completion: str, added: str) -> None:
    tokenizer = made("metaspace", added)
    encoder = Encoder(tokenizer)
    try:
        before, after = encoder.pair("item 3", prompt, completion)
    except BenchmarkError as error:
        said = str(error)
    else:
        said = "item 3: "
        assert same_text(tokenizer.decode([*before, *after], skip_special_tokens=True), prompt + completion)
        assert tokenizer.eos_token_id not in (*before, *after)
    assert said.startswith("item 3: ")
    assert "\n" not in said


@pytest.mark.parametrize("kind", ["bytes", "metaspace"])
def test_the_tokens_of_a_pair_do_not_depend_on_what_is_added_behind(made: Any, kind: str) -> None:
    for prompt, completion in PAIRS:
        pairs = [Encoder(made(kind, added)).pair("item 3", prompt, completion) for added in ("bos", "both", "two")]
        assert pairs[0] == pairs[1] == pairs[2]


def test_a_completion_that_the_tokenizer_joins_with_the_prompt_is_encoded_by_itself(tiny_tokenizer: Any) -> None:
    encoder = Encoder(tiny_tokenizer)
    whole = encoder.encode("The flame")
    prompt = next(
        text for end in range(5, 9) if encoder.encode(text := "The flame"[:end]) != whole[: len(encoder.encode(text))]
    )
    before, after = encoder.pair("item 3", prompt, "The flame"[len(prompt) :])
    assert [*before, *after] != whole
    assert tiny_tokenizer.decode([*before, *after]) == "The flame"
    assert before == encoder.encode(prompt)


def test_a_text_that_the_tokenizer_does_not_know_is_quoted() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.WordLevel({"?": 0, "The": 1, "plate": 2, "cold": 3}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    encoder = Encoder(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="?"))
    assert encoder.pair("item 3", "The plate", " cold") == ([1, 2], [3])
    for pair, what, back in (
        (("The owl", " cold"), "prompt", "'The ?', and the text is 'The owl'"),
        (("The plate", " hot"), "prompt and choice", "'The plate ?', and the text is 'The plate hot'"),
    ):
        with pytest.raises(BenchmarkError) as caught:
            encoder.pair("benchmark toy, item toy/3", *pair)
        assert str(caught.value).startswith(
            f"benchmark toy, item toy/3: the tokens of its {what} decode to {back}: give"
        )


def test_a_tokenizer_that_adds_tokens_inside_a_text_is_refused() -> None:
    class Odd:
        def __call__(self, text: str, add_special_tokens: bool = True, verbose: bool = True) -> dict[str, list[int]]:
            del text, verbose
            return {"input_ids": [1, 9, 2] if add_special_tokens else [1, 2]}

    with pytest.raises(
        ModelError, match=r"the tokenizer makes \[1, 9, 2\] of 'a' and, without special tokens, \[1, 2\]"
    ):
        assert Encoder(Odd()).start


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize("budget", [None, 100, 7, 2, 1])
def test_documents_are_cut_to_their_budget_and_end_where_their_text_ends(
    made: Any, added: str, budget: int | None
) -> None:
    tokenizer = made("bytes", added)
    start = list(Encoder(tokenizer).start)
    text = "The judge saw the contract near the court."
    (ids,) = Encoder(tokenizer).documents([text], budget)
    bare = made("bytes", "neither")(text)["input_ids"]
    assert ids == [*start, *bare][:budget]
    assert tokenizer.eos_token_id not in ids


def test_documents_of_a_tokenizer_that_adds_nothing_behind_are_its_own(made: Any) -> None:
    texts = ["Anna thanked Ben.", "", "In Velda every guest brings salt."]
    for added in ("neither", "bos"):
        tokenizer = copy.deepcopy(made("bytes", added))
        assert Encoder(tokenizer).documents(texts, 5) == tokenizer(texts, truncation=True, max_length=5)["input_ids"]


def test_documents_whose_text_is_lost_are_counted(caplog: pytest.LogCaptureFixture, made: Any) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.WordLevel({"?": 0, "salt": 1}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    encoder = Encoder(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="?"))
    with caplog.at_level(logging.WARNING):
        Encoder(made("bytes", "both")).warn_of_lost_text(["Anna thanked Ben.", "日本"])
        encoder.warn_of_lost_text(["salt salt"] * 3)
        assert not caplog.records
        encoder.warn_of_lost_text(["salt", *["salt owl"] * 63])
    assert [record.getMessage() for record in caplog.records] == [
        "the tokenizer does not give back the text of 63 of 64 documents that were tried, such as 'salt owl', of which "
        "it keeps 'salt ?'"
    ]


@pytest.mark.parametrize(
    ("decoded", "same"),
    [
        ("the cafe ok", True),
        ("The café \ufb01ne", False),
        ("thecafe ok", True),
        ("the cafe", False),
        ("the cafe ok</s>", False),
    ],
)
def test_texts_are_the_same_up_to_what_normalisers_change(decoded: str, same: bool) -> None:
    assert same_text(decoded, "The Café ok") is same


@pytest.mark.parametrize("before", ["false", None])
def test_texts_are_divided_among_cores_inside_the_block_alone(
    tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.setenv(PARALLELISM, "false")
    if before is None:
        monkeypatch.delenv(PARALLELISM)
    seen: list[str | None] = []

    def watched(texts: Any, **given: Any) -> Any:
        seen.append(os.environ.get(PARALLELISM))
        return tiny_tokenizer(texts, **given)

    encoder, texts = Encoder(tiny_tokenizer), [prompt for prompt, _ in PAIRS]
    expected = [encoder.documents([text])[0] for text in texts]  # too few to divide
    watching = Encoder(watched)
    watching.__dict__["start"] = encoder.start
    with all_cores():
        assert watching.documents(texts) == expected
    watching.documents(texts)
    assert seen == ["true", before]
    assert os.environ.get(PARALLELISM) == before
