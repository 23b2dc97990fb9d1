"""A lossless byte-level BPE tokenizer."""

from __future__ import annotations

import json
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from social_provenance.errors import PretrainingError, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable

END_OF_TEXT = "<|endoftext|>"
BYTES = 256


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> str:
    """Train a byte-level BPE tokenizer; return it as JSON of the ``tokenizers`` library.

    The alphabet starts with all 256 bytes, so that every text decodes to itself. Otherwise characters that
    are not in the training texts would be dropped silently. Tokens that only led to longer ones are dropped: a word
    that is a token is looked up, not merged, and each unused token would cost a row of the output layer in every step.

    Args:
        texts: Training texts.
        vocab_size: Upper bound on the number of tokens, including bytes and the end-of-text token.

    Raises:
        PretrainingError: If the vocabulary has no room for the bytes.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    if vocab_size <= BYTES:
        raise PretrainingError(f"pretraining.vocab_size is {vocab_size}: it must exceed {BYTES}, the number of bytes")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = list(texts)
    tokenizer.train_from_iterator(texts, trainer)
    words = {word for text in texts for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)}
    tokenizer.model = _without_unused(tokenizer, words)
    return str(tokenizer.to_str())


def _without_unused(tokenizer: Any, words: Iterable[str]) -> Any:
    """Return the BPE model with the tokens of the words, what they are merged from, the bytes and the end of text."""
    from tokenizers import models

    trained = json.loads(tokenizer.to_str())["model"]
    parts = defaultdict(list)
    for pair in trained["merges"]:
        parts["".join(pair)].append(pair)
    used, merged = set(), set()
    for word in words:
        tokens = [token.value for token in tokenizer.model.tokenize(word)]
        used |= set(tokens)
        merged |= set(tokens) if len(tokens) > 1 else set()
    waiting = list(merged)
    while waiting:
        below = {part for pair in parts[waiting.pop()] for part in pair} - merged
        merged |= below
        waiting += below
    kept = [
        token
        for token, number in sorted(trained["vocab"].items(), key=itemgetter(1))
        if number <= BYTES or token in used | merged
    ]
    return models.BPE(
        vocab={token: number for number, token in enumerate(kept)},
        merges=[tuple(pair) for pair in trained["merges"] if "".join(pair) in merged],
        ignore_merges=True,
    )


def load_tokenizer(serialised: str) -> Any:
    """Return the ``transformers`` tokenizer of the JSON of :func:`train_tokenizer`."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(serialised),
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        clean_up_tokenization_spaces=False,
    )


def check_round_trip(tokenizer: Any, texts: Iterable[str]) -> None:
    """Check that texts decode to themselves.

    Raises:
        PretrainingError: Quoting the first text that does not.
    """
    for text in texts:
        back = tokenizer.decode(tokenizer(text)["input_ids"])
        if back != text:
            raise PretrainingError(
                f"the tokenizer turns {excerpt(text)} into {excerpt(back)}, so it loses text: report it, this is a bug"
            )
