r"""Web sites: the host of a URL, in one spelling.

The rule: the host is what stands between ``//`` and the next ``/``, ``\\``, ``?`` or ``#``, without user, password and
port. An address without ``//`` has a host if it starts with one: a name with a dot whose last part has letters only, or
four numbers. The host is in lower case, without ``www.`` in front and dots behind, and international names are in their
own letters, not in Punycode. Subdomains stay apart: pages of two blogs of one service are of two sites.
"""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?[/\\]{2}([^/\\?#]*)", re.IGNORECASE)
_BARE = re.compile(
    r"((?:[\w-]+\.)+(?:[^\W\d_]{2,}|xn--[\w-]+)|\d+(?:\.\d+){3})\.?(?::\d+)?(?=[/\\?#]|$)", re.IGNORECASE
)
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
        return _spelled(bare.group(1)) if bare else None
    return _spelled(_PORT.sub("", found.group(1).rpartition("@")[2]))


def _spelled(host: str) -> str | None:
    """Return a host in one spelling."""
    name = _IGNORED.sub("", host).lower().strip().rstrip(".").removeprefix("www.").strip()
    if "xn--" in name:
        name = ".".join(map(_unicode, name.split(".")))
    return name or None


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label
