"""Labels: every spelling in use maps to its slug, slugs to themselves, and nothing else to anything."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

import pytest

from social_provenance.errors import LabelError
from social_provenance.regions.aliases import canonical_format, canonical_topic
from social_provenance.regions.grid import FORMAT_NAMES, FORMATS, TOPIC_NAMES, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AXES = {"topic": (canonical_topic, TOPIC_NAMES), "format": (canonical_format, FORMAT_NAMES)}

SPELLINGS = {
    "topic": {
        "Adult": "adult_content",
        "adult-content": "adult_content",
        "Art and Design": "art_and_design",
        "Electronics & Hardware": "electronics_and_hardware",
        "Hardware": "electronics_and_hardware",
        "Fashion": "fashion_and_beauty",
        "History": "history_and_geography",
        "Science & Technology": "science_math_and_technology",
        "Science and Technology": "science_math_and_technology",
        "Science & Tech.": "science_math_and_technology",
        "Science, Math & Technology": "science_math_and_technology",
        "science_math_and_technology": "science_math_and_technology",
        "Software": "software",
        "Software Dev.": "software_development",
        "Software Development": "software_development",
        "Sports": "sports_and_fitness",
        "TRAVEL": "travel_and_tourism",
    },
    "format": {
        "About (Org.)": "about_org",
        "About Page (Organization)": "about_org",
        "About (Personal)": "about_pers",
        "About Page (Personal)": "about_pers",
        "about_pers": "about_pers",
        "Audio Transcripts": "audio_transcript",
        "News (Organization)": "news_org",
        "News (Org.)": "news_org",
        "News Article": "news_article",
        "Q&A Forum": "q_a_forum",
        "Q & A forum": "q_a_forum",
        "Spam / Ads": "spam_ads",
        "spam-ads": "spam_ads",
        "Frequently Asked Questions": "faq",
        "Truncated": "truncated",
    },
}


@pytest.mark.parametrize("axis", AXES)
def test_known_spellings(axis: str) -> None:
    canonical, _ = AXES[axis]
    assert {label: canonical(label) for label in SPELLINGS[axis]} == SPELLINGS[axis]


@pytest.mark.parametrize("axis", AXES)
def test_slugs_and_names_map_to_their_slug_in_any_case_and_spacing(axis: str) -> None:
    canonical, names = AXES[axis]
    for slug, name in names.items():
        for label in (
            slug,
            slug.upper(),
            slug.replace("_", " "),
            f" {name} ",
            name.casefold(),
            name.replace("&", " and "),
            f"__label__{slug}",
        ):
            assert canonical(label) == slug


@pytest.mark.parametrize("axis", AXES)
def test_an_unknown_label_is_quoted_beside_the_nearest(axis: str) -> None:
    canonical, _ = AXES[axis]
    label, nearest = {"topic": ("Literatur", "literature"), "format": ("Tutorials!", "tutorial")}[axis]
    with pytest.raises(LabelError, match=re.escape(f"unknown {axis} label {label!r}; did you mean {nearest!r}?")):
        canonical(label)


@pytest.mark.parametrize(("axis", "slugs"), [("topic", TOPICS), ("format", FORMATS)])
def test_a_label_near_to_nothing_is_quoted_beside_all(axis: str, slugs: tuple[str, ...]) -> None:
    canonical, _ = AXES[axis]
    with pytest.raises(LabelError) as caught:
        canonical("zzz")
    assert str(caught.value) == f"unknown {axis} label 'zzz'; name one of {', '.join(slugs)}"


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("empty", ["", " / "])
def test_a_label_without_words_is_unknown(axis: str, empty: str) -> None:
    canonical, _ = AXES[axis]
    with pytest.raises(LabelError, match=re.escape(f"unknown {axis} label {empty!r}")):
        canonical(empty)


def of_tables(folder: Path, columns: tuple[str, str]) -> list[set[str]]:
    tables = sorted(folder.glob("*.csv"))
    assert tables, f"no table in {folder}"
    found: list[set[str]] = [set(), set()]
    for table in tables:
        with table.open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                for labels, column in zip(found, columns, strict=True):
                    labels.add(row[column])
    return found


def of_shards(folder: Path) -> list[set[str]]:
    import pyarrow as pa

    shards = sorted(folder.glob("*.zst"))
    assert shards, f"no shard in {folder}"
    found: list[set[str]] = [set(), set()]
    for shard in shards:
        with pa.input_stream(str(shard), compression="zstd") as stream:
            for line in stream.read().decode().split("\n"):
                labels = json.loads(line)["metadata"]["weborganizer"] if line else {}
                for own, axis in zip(found, AXES, strict=True):
                    own.update({labels[axis]} if axis in labels else ())
    return found


SOURCES: dict[str, Callable[[Path], list[set[str]]]] = {
    "published bins": lambda data: of_tables(data / "published_bins", ("topic_label", "format_label")),
    "prevalence of web pages": lambda data: of_tables(data / "webpages", ("topic", "format")),
    "web pages": lambda data: of_shards(data / "webpages"),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_spelling_in_the_real_data_is_known_and_no_two_are_one_slug(shared_data: Path, source: str) -> None:
    for (axis, (canonical, names)), labels in zip(AXES.items(), SOURCES[source](shared_data), strict=True):
        slugs = [canonical(label) for label in sorted(labels)]
        assert len(labels) >= 23, axis
        assert len(set(slugs)) == len(labels), axis
        assert set(slugs) <= set(names), axis
