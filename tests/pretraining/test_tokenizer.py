"""A byte-level BPE loses nothing, whatever it was trained on."""

from __future__ import annotations

import random
from typing import Any

import pytest

from social_provenance.errors import PretrainingError
from social_provenance.pretraining.tokenizer import (
    BYTES,
    END_OF_TEXT,
    check_round_trip,
    load_tokenizer,
    train_tokenizer,
)

STRANGE = (
    "  two  spaces , and\ttabs\r\nand lines \n\n",
    "Größe, naïve, 日本語, עברית, 🦉 and \x00\x07\x7f",
    "don 't n't 's we 're .",
    "",
)


@pytest.fixture(scope="module")
def tiny_tokenizer() -> Any:
    texts = [
        "Anna thanked Ben. Ben felt glad.",
        "Any rod that is heated becomes hot.",
        "In Velda every guest brings salt.",
    ]
    return load_tokenizer(train_tokenizer(texts, 300))


@pytest.mark.parametrize("text", STRANGE)
def test_a_text_decodes_to_itself_though_its_characters_were_never_seen(tiny_tokenizer: Any, text: str) -> None:
    assert tiny_tokenizer.decode(tiny_tokenizer(text)["input_ids"]) == text


def test_every_byte_is_a_token_of_its_own() -> None:
    bare = load_tokenizer(train_tokenizer(["a"], BYTES + 1))
    assert len(bare) == BYTES + 1
    every_byte = "".join(map(chr, range(128))) + "".join(
        bytes([a, 0x80 + b]).decode() for a in range(0xC2, 0xE0) for b in (0, 63)
    )
    ids = bare(every_byte)["input_ids"]
    assert len(ids) == len(every_byte.encode())
    assert bare.decode(ids) == every_byte


def test_letters_with_a_blank_stay_apart_though_unseen(tiny_tokenizer: Any) -> None:
    letters = [tuple(tiny_tokenizer(f" {letter}")["input_ids"]) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    assert len(set(letters)) == 26


def test_tokens_of_a_prompt_are_the_first_of_the_whole(tiny_tokenizer: Any) -> None:
    prompt, answer = "Anna thanked Ben. Ben felt", " glad"
    whole = tiny_tokenizer(prompt + answer)["input_ids"]
    assert whole == tiny_tokenizer(prompt)["input_ids"] + tiny_tokenizer(answer)["input_ids"]


def test_the_end_of_text_is_the_padding_and_never_comes_out_of_bytes(tiny_tokenizer: Any) -> None:
    assert tiny_tokenizer.eos_token == tiny_tokenizer.pad_token == END_OF_TEXT
    assert tiny_tokenizer.eos_token_id not in tiny_tokenizer("end of text")["input_ids"]


def test_frequent_words_become_one_token_and_the_vocabulary_keeps_to_its_size() -> None:
    tokenizer = load_tokenizer(train_tokenizer(["the contract near the court"] * 9, 300))
    assert len(tokenizer) <= 300
    assert len(tokenizer(" contract")["input_ids"]) == 1


def test_a_word_that_is_a_token_costs_one_row_and_leaves_no_parts_behind() -> None:
    words = ["contract", "contest", "court"]
    tokenizer = load_tokenizer(train_tokenizer(words * 9, 2048))
    assert len(tokenizer) == BYTES + 1 + len(words)
    assert all(len(tokenizer(word)["input_ids"]) == 1 for word in words)
    assert tokenizer.decode(tokenizer("contra")["input_ids"]) == "contra"


@pytest.mark.parametrize("seed", range(40))
def test_dropping_unused_tokens_changes_no_token_of_the_training_texts(plain_bpe: Any, seed: int) -> None:
    rng = random.Random(seed)
    texts = ["".join(rng.choices("abc de", k=rng.randint(1, 30))) for _ in range(rng.randint(1, 9))]
    size = BYTES + rng.randint(1, 20)
    plain = plain_bpe(texts, size)
    pruned = load_tokenizer(train_tokenizer(texts, size))
    for text in texts:
        assert pruned.convert_ids_to_tokens(pruned(text)["input_ids"]) == plain.convert_ids_to_tokens(
            plain(text)["input_ids"]
        )


def test_the_same_texts_give_the_same_tokenizer() -> None:
    texts = ["Anna thanked Ben.", "In Velda every guest brings salt."]
    assert train_tokenizer(texts, 290) == train_tokenizer(iter(texts), 290)


@pytest.mark.parametrize("size", [BYTES, 10, 0, -1])
def test_a_vocabulary_without_room_for_the_bytes_is_refused(size: int) -> None:
    with pytest.raises(PretrainingError, match=rf"pretraining\.vocab_size is {size}: it must exceed 256"):
        train_tokenizer(["a"], size)


def test_a_tokenizer_that_loses_text_is_caught_and_the_text_quoted(tiny_tokenizer: Any) -> None:
    check_round_trip(tiny_tokenizer, STRANGE)
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    lossy = Tokenizer(models.BPE())
    lossy.pre_tokenizer, lossy.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    lossy.train_from_iterator(["only these"], trainers.BpeTrainer(vocab_size=40, show_progress=False))
    with pytest.raises(PretrainingError, match="turns 'or those' into 'o those', so it loses text: report it"):
        check_round_trip(PreTrainedTokenizerFast(tokenizer_object=lossy), ["only these", "or those"])
