"""The grid: 24 topics by 24 formats, the published slugs in alphabetical order."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest

from social_provenance.regions.grid import BINS, FORMAT_NAMES, FORMATS, TOPIC_NAMES, TOPICS

if TYPE_CHECKING:
    from pathlib import Path


def test_the_grid_is_every_pair_once() -> None:
    assert (len(TOPICS), len(FORMATS)) == (24, 24)
    assert len(set(BINS)) == len(BINS) == 576
    assert set(BINS) == {(topic, form) for topic in TOPICS for form in FORMATS}


def test_bins_are_in_alphabetical_order() -> None:
    assert list(BINS) == sorted(BINS)


@pytest.mark.parametrize("names", [TOPIC_NAMES, FORMAT_NAMES])
def test_slugs_are_plain_and_names_differ(names: dict[str, str]) -> None:
    assert [slug for slug in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", slug)] == []
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("benchmark", ["socialiqa", "arc_challenge", "mmlu_social_sciences", "mmlu_stem"])
def test_the_published_tables_have_these_bins(shared_data: Path, benchmark: str) -> None:
    with (shared_data / "published_bins" / f"{benchmark}.csv").open(encoding="utf-8") as stream:
        published = [(row["topic_label"], row["format_label"]) for row in csv.DictReader(stream)]
    assert sorted(published) == list(BINS)
