"""JSON text that cannot be read: where in a line the fault is, and what it is."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from json import JSONDecodeError

BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Bytes that some editors write before the first line."""

_WORD = re.compile(r"-?[A-Za-z]\w{,15}")


def explain_fault(text: str, error: JSONDecodeError) -> tuple[str, int]:
    """Return what is wrong with a text, and its column, from 1.

    Args:
        text: Text that is not JSON.
        error: Error of ``json`` or ``orjson``, which take NaN, Infinity and other words for an unexpected character.

    >>> import json
    >>> for text in ("[-NaN]", "[tru]", "[1"):
    ...     try:
    ...         json.loads(text)
    ...     except json.JSONDecodeError as error:
    ...         print(*explain_fault(text, error))
    -NaN is not JSON, column 2 2
    tru is not JSON, column 2 2
    Expecting ',' delimiter, column 3 3
    """
    before = max(0, error.pos - 1)
    start = before if text[before : error.pos] == "-" else error.pos
    word = _WORD.match(text, start)
    what = f"{word.group()} is not JSON" if word else error.msg
    return f"{what}, column {start + 1}", start + 1
