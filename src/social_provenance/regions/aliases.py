"""Slugs of topics and formats from labels in any spelling that is in use.

A label is compared without case, punctuation or spacing (``&`` reads as ``and``), so the aliases are only
names that differ in words: those of the WebOrganizer website and classifiers, of Dolma 3's folders, and of
the published bin tables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from social_provenance.errors import LabelError, did_you_mean
from social_provenance.regions.grid import FORMAT_NAMES, TOPIC_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOPIC_ALIASES: dict[str, str] = {
    "Adult": "adult_content",
    "Electronics": "electronics_and_hardware",
    "Hardware": "electronics_and_hardware",
    "Fashion": "fashion_and_beauty",
    "History": "history_and_geography",
    "Science & Technology": "science_math_and_technology",
    "Science & Tech.": "science_math_and_technology",
    "Science, Math & Tech": "science_math_and_technology",
    "Software Dev.": "software_development",
    "Sports": "sports_and_fitness",
    "Travel": "travel_and_tourism",
}

_FORMAT_ALIASES: dict[str, str] = {
    "About Page (Organization)": "about_org",
    "About (Organization)": "about_org",
    "About Page (Org.)": "about_org",
    "About Page (Personal)": "about_pers",
    "About (Pers.)": "about_pers",
    "About Page (Pers.)": "about_pers",
    "Audio Transcripts": "audio_transcript",
    "Comments": "comment_section",
    "Frequently Asked Questions": "faq",
    "News (Organization)": "news_org",
    "Organizational Announcement": "news_org",
    "Q and A Forum": "q_a_forum",
    "Spam and Ads": "spam_ads",
    "Truncated Text": "truncated",
    "Reviews": "user_review",
}


FASTTEXT = "__label__"
"""Prefix of labels in fastText's output."""


def _key(label: str) -> str:
    words = label.casefold().strip().removeprefix(FASTTEXT).replace("&", " and ")
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")


def _table(names: Mapping[str, str], aliases: Mapping[str, str]) -> dict[str, str]:
    table = {_key(slug): slug for slug in names}
    table |= {_key(name): slug for slug, name in names.items()}
    return table | {_key(alias): slug for alias, slug in aliases.items()}


_TOPIC_TABLE = _table(TOPIC_NAMES, _TOPIC_ALIASES)
_FORMAT_TABLE = _table(FORMAT_NAMES, _FORMAT_ALIASES)


def canonical_topic(label: str) -> str:
    """Return the slug of a topic label in any known spelling.

    Raises:
        LabelError: If no spelling of any topic matches.
    """
    return _canonical(label, "topic", _TOPIC_TABLE, TOPIC_NAMES)


def canonical_format(label: str) -> str:
    """Return the slug of a format label in any known spelling.

    Raises:
        LabelError: If no spelling of any format matches.
    """
    return _canonical(label, "format", _FORMAT_TABLE, FORMAT_NAMES)


CANONICAL: dict[str, Callable[[str], str]] = {"topic": canonical_topic, "format": canonical_format}
"""Axis -> function that returns the slug of a label."""


def _canonical(label: str, kind: str, table: Mapping[str, str], names: Mapping[str, str]) -> str:
    slug = table.get(_key(label))
    if slug is None:
        hint = did_you_mean(_key(label), table) or f"; name one of {', '.join(names)}"
        raise LabelError(f"unknown {kind} label {label!r}{hint}")
    return slug
