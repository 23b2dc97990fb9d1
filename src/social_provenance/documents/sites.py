r"""Web sites: the host of a URL, in one spelling.

The rule: the host is what stands between ``//`` and the next ``/``, ``\\``, ``?`` or ``#``, without user, password and
port. An address without ``//`` has a host if it starts with one: four numbers, or a name with a dot whose last part has
letters only and is no suffix of files that no domain has (``html``, ``pdf``). The host is in lower case, without
``www.`` in front and dots behind, and international names are in their own letters, neither in Punycode nor in
compatible forms. Subdomains stay apart: pages of two blogs of one service are of two sites.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?[/\\]{2}([^/\\?#]*)", re.IGNORECASE)
_BARE = re.compile(
    r"((?:[\w-]+\.)+(?:[^\W\d_]{2,}|xn--[\w-]+)|\d+(?:\.\d+){3})\.?(?::\d+)?(?=[/\\?#]|$)", re.IGNORECASE
)
_FILES = frozenset("asp aspx cfm cgi csv doc docx htm html jpg json jsonl jsp pdf php png shtml txt xhtml xml".split())
"""Suffixes of files that are not top-level domains."""

_BROKEN = re.compile(r"[\t\r\n]")
_PORT = re.compile(r":\d*$")
_IGNORED = re.compile(r"[\x00-\x20\x7f]+")


def web_site(url: str | None) -> str | None:
    """Return the site of a URL; None if it names no host."""
    if not url:
        return None
    # Browsers ignore blanks around an address, and line breaks and tabs anywhere.
    text = url.strip()
    if not text.isprintable():
        text = _BROKEN.sub("", text)
    found = _ADDRESS.match(text)
    if found is None:
        bare = _BARE.match(text)
        if bare is None or bare.group(1).rpartition(".")[2].lower() in _FILES:
            return None
        return _spelled(bare.group(1))
    return _spelled(_PORT.sub("", found.group(1).rpartition("@")[2]))


@lru_cache(maxsize=1 << 16)  # pages of one site are near each other
def _spelled(host: str) -> str | None:
    """Return a host in one spelling."""
    if not host.isascii():
        host = unicodedata.normalize("NFKC", host).replace("\u3002", ".")  # the full stop of Chinese and Japanese
    name = _IGNORED.sub("", host).lower().strip().rstrip(".").removeprefix("www.").strip()
    if "xn--" in name:
        name = ".".join(map(_unicode, name.split(".")))
    return name or None


def _unicode(label: str) -> str:
    """Return a label in its own letters; as it is, if it is no Punycode of letters."""
    code = label.removeprefix("xn--")
    if code == label:
        return label
    try:  # by Punycode alone: "idna" of the standard library refuses letters that it would replace, such as ß
        own = code.encode("ascii").decode("punycode")
        return own if _is_international(own) and own.encode("punycode").decode() == code else label
    except UnicodeError:
        return label


def _is_international(label: str) -> bool:
    return not label.isascii() and all(sign == "-" or unicodedata.category(sign)[0] in "LMN" for sign in label)
