"""JSON text that cannot be read: where in a line the fault is, and what it is."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any

from social_provenance.errors import repeated

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


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON from its keys and values, as an ``object_pairs_hook``: readers would keep the last.

    Raises:
        ValueError: With a key that is given twice.
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError(f"{repeated([name for name, _ in pairs])[0]!r} is given twice in one object")
    return fields


def quotes(value: Any) -> int:
    r"""Return the number of quotation marks in the JSON text of a value, if no key was given twice.

    Counting them is much faster than reading the text with :func:`distinct`. Where a quotation mark is written as
    a number (``\u0022``), the text has fewer.

    >>> quotes({"a": ["b", 1], "c": {"d": 'say "e"'}})
    12
    """
    count, left = 0, [value]
    while left:  # not by recursion: a record may be nested deeper than calls may
        own = left.pop()
        if type(own) is str:
            count += 2 + own.count('"')
        elif type(own) is dict:
            count += 2 * len(own) + "".join(own).count('"')
            left.extend(own.values())
        elif type(own) is list:
            left.extend(own)
    return count
