"""Quality rules that reject pages that are not prose: few words, symbols, lists, repetition, notices.

Rules and thresholds are those of Rae et al. 2021, "Scaling Language Models: Methods, Analysis &
Insights from Training Gopher", appendix A.1.1 and table A1, except for ``boilerplate``.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from social_provenance.documents.settings import Quality

STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
BULLETS = ("•", "‣", "▪", "-", "*")
ELLIPSES = ("...", "…")
NOTICES = re.compile(
    r"cookies?\b.{0,60}\b(?:policy|accept|consent|settings|use)|(?:use|uses|using|accept) cookies|privacy policy"
    r"|terms (?:of|and) (?:use|service|conditions)|all rights reserved|copyright ©|©\s*\d{4}|enable javascript"
    r"|javascript (?:is|must be|to be) |sign (?:in|up)\b.{0,40}$|log ?in\b.{0,30}$|subscribe to (?:our|the)"
    r"|page not found|access denied|lorem ipsum",
    re.IGNORECASE,
)
"""Pattern of lines of boilerplate notices, in English."""

MENTIONS = (
    *("cookie", "privacy policy", "terms ", "rights reserved", "copyright", "©", "javascript", "sign in", "sign up"),
    *("log in", "login", "subscribe", "not found", "access denied", "lorem ipsum"),
)
"""Every line that :data:`NOTICES` matches contains one of these: a cheap test before the pattern."""

NOTICE_CHARS = 250
"""Length above which a line counts as a paragraph that mentions such words, not as a notice."""

REASONS = (
    *("few_words", "many_words", "word_length", "symbols", "bullet_lines", "ellipsis_lines", "few_letters"),
    *("no_stop_words", "boilerplate", "repeated_lines", "repeated_paragraphs", "common_ngram", "repeated_ngrams"),
)


def fault(text: str, rules: Quality) -> str | None:
    """Return the name of the first rule that a text violates; None if it passes all.

    Args:
        text: A normalised text, not empty.
        rules: Thresholds.
    """
    words = text.split()
    lines = [line for line in text.split("\n") if line.strip()]
    return (
        _words(words, rules)
        or _marks(text, words, lines, rules)
        or _repetition(text, lines, rules)
        or _ngrams(words, rules)
    )


def _words(words: Sequence[str], rules: Quality) -> str | None:
    mean = sum(map(len, words)) / len(words)
    if rules.min_words is not None and len(words) < rules.min_words:
        return "few_words"
    if rules.max_words is not None and len(words) > rules.max_words:
        return "many_words"
    if not _within(rules.min_word_length, mean, rules.max_word_length):
        return "word_length"
    return None


def _marks(text: str, words: Sequence[str], lines: Sequence[str], rules: Quality) -> str | None:
    ellipses = sum(map(text.count, ELLIPSES))
    if _above(max(text.count("#"), ellipses) / len(words), rules.max_symbols):
        return "symbols"
    if _above(sum(line.lstrip().startswith(BULLETS) for line in lines) / len(lines), rules.max_bullet_lines):
        return "bullet_lines"
    if _above(sum(line.rstrip().endswith(ELLIPSES) for line in lines) / len(lines), rules.max_ellipsis_lines):
        return "ellipsis_lines"
    if rules.min_letter_words is not None and _with_letter(words) < rules.min_letter_words * len(words):
        return "few_letters"
    if rules.min_stop_words and not _has_stop_words(words, rules.min_stop_words):
        return "no_stop_words"
    return None


def _repetition(text: str, lines: Sequence[str], rules: Quality) -> str | None:
    if rules.max_boilerplate is not None and _notices(text, lines) > rules.max_boilerplate * _chars(lines):
        return "boilerplate"
    if _repeats(lines, rules.max_repeated_lines, rules.max_repeated_chars):
        return "repeated_lines"
    paragraphs = [piece for piece in text.split("\n\n") if piece.strip()]
    if _repeats(paragraphs, rules.max_repeated_paragraphs, rules.max_repeated_chars):
        return "repeated_paragraphs"
    return None


def _repeats(pieces: Sequence[str], most: float | None, most_chars: float | None) -> bool:
    repeated = _repeated([piece.strip() for piece in pieces])
    return _above(len(repeated) / len(pieces), most) or _above(_chars(repeated) / _chars(pieces), most_chars)


def _notices(text: str, lines: Sequence[str]) -> int:
    """Count the characters in lines that are notices."""
    lowered = text.lower()
    if not any(mention in lowered for mention in MENTIONS):
        return 0
    return _chars(line for line in lines if len(line) <= NOTICE_CHARS and NOTICES.search(line))


def _ngrams(words: Sequence[str], rules: Quality) -> str | None:
    total = sum(map(len, words))
    common, repeated = rules.max_common_ngrams or {}, rules.max_repeated_ngrams or {}
    for size in sorted({*common, *repeated}):
        grams = list(_grams(words, size))
        if len(set(grams)) == len(grams):
            return None  # where no n-gram comes twice, no longer one does
        if size in common and _common(grams) > common[size] * total:
            return "common_ngram"
        if size in repeated and _again(words, grams, size) > repeated[size] * total:
            return "repeated_ngrams"
    return None


def _common(grams: Sequence[tuple[str, ...]]) -> int:
    """Count the characters in all occurrences of the most frequent n-gram."""
    counts = Counter(grams)
    times = max(counts.values())
    return max(sum(map(len, gram)) * times for gram, count in counts.items() if count == times)


def _again(words: Sequence[str], grams: Sequence[tuple[str, ...]], size: int) -> int:
    """Count the characters of words in repeated n-grams; each word counts once."""
    seen: set[tuple[str, ...]] = set()
    covered = end = 0
    for start, gram in enumerate(grams):
        if gram in seen:
            covered += sum(map(len, words[max(start, end) : start + size]))
            end = start + size
        seen.add(gram)
    return covered


def _grams(words: Sequence[str], size: int) -> Iterable[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(size)), strict=False)


def _repeated(pieces: Sequence[str]) -> list[str]:
    """Return the pieces that repeat an earlier one."""
    if len(set(pieces)) == len(pieces):
        return []
    counts: Mapping[str, int] = Counter(pieces)
    return [piece for piece, count in counts.items() for _ in range(count - 1)]


def _chars(pieces: Iterable[str]) -> int:
    return sum(map(len, pieces))


def _with_letter(words: Sequence[str]) -> int:
    """Count the words that contain a letter."""
    others = [word for word in words if not word[0].isalpha()]
    return len(words) - len(others) + sum(any(map(str.isalpha, word)) for word in others)


def _has_stop_words(words: Sequence[str], least: int) -> bool:
    return len(STOP_WORDS.intersection(words)) >= least or len(STOP_WORDS.intersection(map(str.lower, words))) >= least


def _above(value: float, most: float | None) -> bool:
    return most is not None and value > most


def _within(least: float | None, value: float, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)
