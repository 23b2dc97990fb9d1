"""Paths among runtime parameters: the folder that was typed is the one that is used."""

from __future__ import annotations

import os
import re
from typing import Any
from unicodedata import category

from social_provenance.errors import SettingsError, excerpt

FOLDERS = ("root", "corpus", "benchmarks", "model")
"""Runtime parameters that must name a place where they are given."""

PATHS = (*FOLDERS, "query_model", "reference")
PLACES = (*PATHS, "accepted_code")
"""Runtime parameters that the catalog reads; all are text."""

ADDRESSES = {"corpus": re.compile(r"\w[\w+.-]*://"), "model": re.compile(r"hf://"), "query_model": re.compile(r"hf://")}
"""What may be elsewhere than in a folder of this machine, and the addresses that it has there."""

QUOTES = ("'", '"')

_ADDRESS = re.compile(r"\w[\w+.-]*:/")
_WINDOWS = re.compile(r"[A-Za-z]:\\")
_VARIABLE = re.compile(r"(?:^|/)(\$\w+)")


def restore_paths(given: dict[str, Any], source: str) -> None:
    """Replace the parameters that are paths by the text of the path that is meant, in place.

    Args:
        given: Runtime parameters, or others with these names.
        source: What gives them.

    Raises:
        SettingsError: If one is no path, or would be a folder of another name than the user means.
    """
    for name in PATHS:
        value = given.get(name)
        if value is not None and value != "":
            given[name] = _restored(f"{source}: {name}", name, value)


def _restored(what: str, name: str, value: Any) -> str:
    if type(value) is not int and not isinstance(value, str | os.PathLike):
        raise SettingsError(f"{what} {excerpt(value)} is not a path: give it as text, in quotes")
    text = str(value)
    if any(category(character) in {"Cc", "Cs"} for character in text):
        raise SettingsError(f"{what} {excerpt(text)} has a control character or is not UTF-8: rename it")
    if text[:1] in QUOTES:
        raise SettingsError(f"{what} {excerpt(text)} begins with a quotation mark: leave it out")
    if name in ADDRESSES and ADDRESSES[name].match(text):
        return text
    if _ADDRESS.match(text):
        raise SettingsError(
            f"{what} {excerpt(text)} is an address that is not read: give the path of a folder here"
            + (", or hf://OWNER/NAME" if "model" in name else "")
        )
    if _WINDOWS.match(text):
        raise SettingsError(f"{what} {excerpt(text)} is a path of Windows: give the path that it has here")
    if name == "root" and set("{}") & set(text):
        raise SettingsError(
            f"{what} {excerpt(text)} has braces, which the catalog reads as placeholders: rename the folder"
        )
    home = os.path.expanduser(text)
    if home.startswith("~"):
        raise SettingsError(f"{what} {excerpt(text)} is the home of no user: write ./{text} for a folder of that name")
    if (unset := _VARIABLE.search(home)) and not os.path.exists(home):
        raise SettingsError(
            f"{what} {excerpt(text)} has {unset[1]}, which the shell did not replace: write it outside of "
            f"single quotes, or give the path itself"
        )
    # Kedro takes what has a colon for a drive or an address, and does not begin it at the project.
    return f"./{home}" if ":" in home and not home.startswith(("/", "./", "../")) else home
