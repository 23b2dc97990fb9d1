"""Normalisation of texts and their content hash."""

from __future__ import annotations

import hashlib
import re

_CONTROL = bytes([*range(9), *range(11, 32), 127])
_LINE_END = re.compile("\r\n?")
_TRAILING = re.compile("[ \t]+\n")
_BLANK = re.compile("\n{3,}")
_SPACE = " \t\n"
_PLAIN = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f", b"abcdefghijklmnopqrstuvwxyz" + b" " * 9
)
"""ASCII in lower case, and what Python takes for whitespace as a space."""


def normalise(text: str) -> str:
    """Unify line endings, remove control characters, trim lines, collapse blank lines to one."""
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    # By bytes, of which UTF-8 has no other below 128: many times as fast as an expression over characters.
    raw = text.encode(errors="surrogatepass")
    clean = raw.translate(None, _CONTROL)
    if len(clean) < len(raw):
        text = clean.decode(errors="surrogatepass")
    if " \n" in text or "\t\n" in text:
        text = _TRAILING.sub("\n", text)
    if "\n\n\n" in text:
        text = _BLANK.sub("\n\n", text)
    return text.strip(_SPACE)


def content_hash(text: str) -> str:
    """Return the SHA-256 of a text, ignoring case and whitespace."""
    if not text.isascii():
        return hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest()
    plain = text.encode().translate(_PLAIN).strip()
    while b"  " in plain:
        plain = plain.replace(b"  ", b" ")
    return hashlib.sha256(plain).hexdigest()
