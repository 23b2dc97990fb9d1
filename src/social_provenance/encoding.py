"""Encoding of text as token ids.

The law: tokens decode back to the text that they stand for. Of the tokens that a tokenizer adds by itself, those
before a text are kept, because its model has seen them at the start of every sequence (BOS); those behind it are left
out (EOS, SEP): they would stand between a prompt and its completion, or claim that a truncated document ends. So with
``start`` the tokens before a text, of a prompt and a completion

- ``prompt_ids`` are ``start`` and tokens that decode to the prompt without the blanks that end it;
- ``prompt_ids + completion_ids`` are ``start`` and tokens that decode to prompt and completion.

Both are compared for every request, in whole: alone, a decoder drops the blank that begins a completion. Equal is
what differs in no more than whitespace, case, accents and compatible forms of characters, because the normalisers of
many tokenizers change these. Tokens of requests are lm-eval's wherever those obey the law.
"""

from __future__ import annotations

import logging
import os
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from social_provenance.errors import BenchmarkError, ModelError, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

logger = logging.getLogger(__name__)

PARALLELISM = "TOKENIZERS_PARALLELISM"
PROBE = "a"


@dataclass(frozen=True)
class Encoder:
    """Encoder of prompts, completions and documents.

    Attributes:
        tokenizer: Tokenizer of the model.
    """

    tokenizer: Any

    @cached_property
    def start(self) -> tuple[int, ...]:
        """Token ids that the tokenizer adds before a text.

        Raises:
            ModelError: If it adds tokens inside a text.
        """
        bare = self._encode(PROBE)
        whole = [int(token) for token in self.tokenizer(PROBE, verbose=False)["input_ids"]]
        for place in range(len(whole) - len(bare) + 1):
            if whole[place : place + len(bare)] == bare:
                return tuple(whole[:place])
        raise ModelError(
            f"the tokenizer makes {whole} of {PROBE!r} and, without special tokens, {bare}, which is no part of it: "
            f"give a model whose tokenizer adds tokens before or behind a text only"
        )

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text behind ``start``, unless the text begins with the start token itself."""
        return [*self._start_of(text), *self._encode(text)]

    def pair(self, place: str, prompt: str, completion: str) -> tuple[list[int], list[int]]:
        """Return the token ids of a prompt and of its completion, as lm-eval 0.4 splits them.

        Blanks that end the prompt go to the completion. Both are encoded as one text, and the completion is what
        lies behind as many tokens as the prompt has by itself. Where the tokenizer joins the end of the prompt with
        the beginning of the completion, that would lose text, and the completion is encoded by itself.

        Args:
            place: Benchmark and item, for an error.
            prompt: Text before the answer.
            completion: Text of the answer, with its delimiter.

        Raises:
            BenchmarkError: If the tokens do not decode to the text.
        """
        kept = prompt.rstrip()
        before, text, added = self.encode(kept), prompt + completion, len(self._start_of(kept))
        back = self._decode(before[added:])
        if not same_text(back, kept):
            raise _lost(place, "prompt", kept, back)
        after = self.encode(text)[len(before) :]
        back = self._decode([*before[added:], *after])
        if same_text(back, text):
            return before, after
        after = self._encode(text[len(kept) :])
        alone = self._decode([*before[added:], *after])
        if alone != text:
            raise _lost(place, "prompt and choice", text, back)
        return before, after

    def documents(self, texts: Sequence[str], max_tokens: int | None = None) -> list[list[int]]:
        """Return the token ids of documents, each behind ``start``.

        Args:
            texts: Texts of documents.
            max_tokens: Token budget of a document, ``start`` included; None: no limit.
        """
        limit = {} if max_tokens is None else {"truncation": True, "max_length": max(1, max_tokens - len(self.start))}
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
            **limit,
        )["input_ids"]
        return [[*self.start, *ids][:max_tokens] for ids in encoded]

    def warn_of_lost_text(self, tried: Sequence[str]) -> None:
        """Warn of documents whose tokens do not decode to their text.

        Args:
            tried: Texts of some documents.
        """
        backs = [self._decode(self._encode(text)) for text in tried]
        lost = [(text, back) for text, back in zip(tried, backs, strict=True) if not same_text(back, text)]
        if lost:
            text, back = lost[0]
            logger.warning(
                "the tokenizer does not give back the text of %d of %d documents that were tried, such as %s, of "
                "which it keeps %s",
                *(len(lost), len(tried), excerpt(text), excerpt(back)),
            )

    @cached_property
    def _start_text(self) -> str | None:
        """Text of the token that lm-eval takes for the start of a text."""
        for token in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return str(self.tokenizer.decode([token]))
        return None

    def _start_of(self, text: str) -> tuple[int, ...]:
        starts = self._start_text is not None and text.startswith(self._start_text)
        return () if starts else self.start

    def _encode(self, text: str) -> list[int]:
        ids = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return [int(token) for token in ids]

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


@contextmanager
def all_cores() -> Iterator[None]:
    """Let a tokenizer divide the texts of a call among all cores inside the block.

    Elsewhere it may not: after that it warns in every process that is forked.
    """
    before = os.environ.get(PARALLELISM)
    os.environ[PARALLELISM] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[PARALLELISM]
        else:
            os.environ[PARALLELISM] = before


def same_text(decoded: str, text: str) -> bool:
    """Return whether two texts differ in no more than whitespace, case, accents and compatible forms."""
    return decoded == text or _core(decoded) == _core(text)


def _core(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(sign for sign in plain if not sign.isspace() and not unicodedata.combining(sign))


def _lost(place: str, what: str, text: str, back: str) -> BenchmarkError:
    return BenchmarkError(
        f"{place}: the tokens of its {what} decode to {_end(back)}, and the text is {_end(text)}: give a model whose "
        f"tokenizer keeps that text, or end the prompt in a blank (target_delimiter) if a word runs across the two"
    )


def _end(text: str, limit: int = 60) -> str:
    """Quote the end of a text, where the completion is."""
    return repr(text if len(text) <= limit else "…" + text[1 - limit :])
