"""Rules for pages that are not prose: each fires on a page made for it, and on no prose."""

from __future__ import annotations

import random
from typing import Any

import pytest

from social_provenance.documents.quality import MENTIONS, NOTICES, REASONS, fault
from social_provenance.documents.settings import Quality

RNG = random.Random(0)
WORDS = [
    "".join(RNG.choice("etaoinshrdlu") for _ in range(RNG.randint(3, 9))) for _ in range(2000)
] + "the be to of and that have with".split() * 40


def prose(words: int = 200, line: int = 20) -> str:
    """Return lines of random words, none of them alike."""
    drawn = ["the", "of", *RNG.choices(WORDS, k=words - 2)]
    return "\n".join(" ".join(drawn[start : start + line]) for start in range(0, words, line))


def repeat(piece: str, times: int, between: str) -> str:
    return between.join([piece] * times)


PAGES = {
    "few_words": prose(49, 49),
    "many_words": prose(100_020),
    "word_length": " ".join("the of antidisestablishmentarianism" for _ in range(60)),
    "symbols": prose() + " #" * 30,
    "bullet_lines": "\n".join(f"- {prose(8, 8)}" for _ in range(20)),
    "ellipsis_lines": "\n".join(prose(20, 20) + ("..." if number % 2 else "") for number in range(10)),
    "few_letters": " ".join(f"{prose(3, 3)} 12345 67890" for _ in range(40)),
    "no_stop_words": " ".join(word for word in prose(300, 300).split() if len(word) > 5),
    "boilerplate": "We use cookies to make the site better. Accept all of the cookies.\n" * 3
    + "All rights reserved. Privacy policy and terms of use of the company.\n"
    + prose(30, 30),
    "repeated_lines": repeat(prose(25, 25), 3, "\n") + "\n" + prose(100, 20),
    "repeated_paragraphs": repeat(prose(24, 8), 3, "\n\n") + "\n\n" + prose(60, 60),
    "common_ngram": " ".join(f"wonderful things {word}" for word in prose(80, 80).split()),
    "repeated_ngrams": (piece := prose(30, 30))
    + " "
    + prose(40, 40).replace("\n", " ")
    + " "
    + piece
    + " end "
    + piece,
}


def only(**rules: Any) -> Quality:
    """Return rules of which all but the given ones are off."""
    return Quality.model_validate(dict.fromkeys(Quality.model_fields) | rules)


@pytest.mark.parametrize("reason", REASONS)
def test_a_page_made_for_a_rule_breaks_it(reason: str) -> None:
    off = {"repeated_paragraphs": {"max_repeated_lines": None, "max_repeated_chars": None}}.get(reason, {})
    assert fault(PAGES[reason].strip(), Quality().model_copy(update=off)) == reason


@pytest.mark.parametrize("reason", REASONS)
def test_without_rules_everything_passes(reason: str) -> None:
    assert fault(PAGES[reason].strip(), only()) is None


def test_prose_keeps_every_rule() -> None:
    assert [fault(prose(RNG.randint(60, 600)), Quality()) for _ in range(50)] == [None] * 50


@pytest.mark.parametrize(
    ("text", "rules", "reason"),
    [
        ("aa bb", {"min_words": 2}, None),
        ("aa bb", {"min_words": 3}, "few_words"),
        ("aa bb", {"max_words": 2}, None),
        ("aa bb", {"max_words": 1}, "many_words"),
        ("aa bbbb", {"min_word_length": 3}, None),
        ("aa bbbb", {"max_word_length": 2.9}, "word_length"),
        ("# a b c", {"max_symbols": 0.25}, None),
        ("# a b c", {"max_symbols": 0.24}, "symbols"),
        ("a... b… c", {"max_symbols": 0.6}, "symbols"),
        ("- a\nb", {"max_bullet_lines": 0.5}, None),
        ("- a\n• b", {"max_bullet_lines": 0.5}, "bullet_lines"),
        ("a…\nb", {"max_ellipsis_lines": 0.4}, "ellipsis_lines"),
        ("a 1 2 3b", {"min_letter_words": 0.5}, None),
        ("a 1 2 3b", {"min_letter_words": 0.51}, "few_letters"),
        ("The cat AND", {"min_stop_words": 2}, None),
        ("The the the", {"min_stop_words": 2}, "no_stop_words"),
        ("a\nb\na\nc", {"max_repeated_lines": 0.25}, None),
        ("a\nb\na\na", {"max_repeated_lines": 0.49}, "repeated_lines"),
        ("long long\nb\nlong long\nc", {"max_repeated_chars": 0.4}, "repeated_lines"),
        ("a\nb\n\na\nb", {"max_repeated_paragraphs": 0.4}, "repeated_paragraphs"),
        ("x y x y z z", {"max_common_ngrams": {2: 0.66}}, "common_ngram"),
        ("x y x y z z", {"max_common_ngrams": {2: 0.67}}, None),
        ("a b c d e q a b c d e", {"max_repeated_ngrams": {5: 0.45}}, "repeated_ngrams"),
        ("a b c d e q a b c d e", {"max_repeated_ngrams": {5: 0.46}}, None),
    ],
)
def test_a_threshold_may_be_reached_and_not_passed(text: str, rules: dict[str, Any], reason: str | None) -> None:
    assert fault(text, only(**rules)) == reason


def test_a_long_paragraph_that_speaks_of_cookies_is_no_notice() -> None:
    text = f"{prose(100, 100)} The privacy policy of the shop is short. {prose(100, 100)}"
    assert fault(text, Quality()) is None


@pytest.mark.parametrize(
    "line",
    [
        "This website uses cookies.",
        "Cookie settings",
        "Read our Privacy Policy",
        "Terms and conditions",
        "All rights reserved.",
        "© 2020 A Company",
        "Please enable JavaScript",
        "Sign in to your account",
        "Log in",
        "Login",
        "Subscribe to our newsletter",
        "Page not found",
        "Access denied",
        "Lorem ipsum dolor",
    ],
)
def test_a_line_of_notices_is_known(line: str) -> None:
    assert NOTICES.search(line)
    assert any(mention in line.lower() for mention in MENTIONS)
    assert fault(line, only(max_boilerplate=0.5)) == "boilerplate"


def test_longer_ngrams_are_looked_at_where_shorter_ones_repeat() -> None:
    piece = prose(12, 12)
    text = f"{piece} and {prose(30, 30)} so {piece}"
    assert fault(text, only(max_repeated_ngrams={10: 0.01})) == "repeated_ngrams"
    assert fault(text, only(max_common_ngrams={2: 1.0}, max_repeated_ngrams={10: 0.01})) == "repeated_ngrams"


def test_the_thresholds_are_those_of_the_paper() -> None:
    rules = Quality()
    assert rules.max_common_ngrams == {2: 0.2, 3: 0.18, 4: 0.16}
    assert rules.max_repeated_ngrams == {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}
    assert (rules.min_words, rules.max_words, rules.min_word_length, rules.max_word_length) == (50, 100_000, 3, 10)
