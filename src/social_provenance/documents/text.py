"""Normalisation of texts and their content hash."""

from __future__ import annotations

import hashlib
import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_LINE_END = re.compile("\r\n?")
_TRAILING = re.compile("[ \t]+\n")
_BLANK = re.compile("\n{3,}")
_SPACE = " \t\n"


def normalise(text: str) -> str:
    """Unify line endings, remove control characters, trim lines, collapse blank lines to one."""
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    if _CONTROL.search(text):
        text = _CONTROL.sub("", text)
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("\n", text)
    if "\n\n\n" in text:
        text = _BLANK.sub("\n\n", text)
    return text.strip(_SPACE)


def content_hash(text: str) -> str:
    """Return the SHA-256 of a text, ignoring case and whitespace."""
    return hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest()
