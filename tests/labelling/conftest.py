"""Small labelled corpora: words tell the topic, frames tell the format."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from social_provenance.labelling.calibration import Calibration
from social_provenance.labelling.linear import LinearLabeller, Training
from social_provenance.labelling.settings import Light

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = {"games": "chess dice board player puzzle", "health": "doctor nurse fever clinic vaccine"}
FRAMES = {"faq": "Frequently asked: what is {}?", "tutorial": "How to use {}, step by step."}
SPELLINGS = {"games": "Games", "health": "Health", "faq": "FAQ", "tutorial": "Tutorial"}


def _pages(count: int = 80, seed: int = 0) -> pd.DataFrame:
    """Return documents with their true labels."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        topic, form = rng.choice(list(WORDS)), rng.choice(list(FRAMES))
        text = FRAMES[form].format(" ".join(rng.choices(WORDS[topic].split(), k=6)))
        site = f"site{seed}-{i % 9}.org"
        row = {"doc_id": f"d{seed}-{i:03d}", "text": text, "url": None if i % 3 else f"https://{site}/{i}"}
        rows.append({**row, "cluster_id": site, "topic": topic, "format": form})
    return pd.DataFrame(rows)


def _documents(count: int = 60, given: int = 40, shards: int = 3) -> pd.DataFrame:
    """Return the table of the corpus pipeline; the first documents came with labels."""
    pages = _pages(count)
    known = pd.Series(range(count)) < given
    place = pd.Series(range(count))
    documents = pages.drop(columns=["topic", "format"]).assign(
        source="test",
        n_chars=pages["text"].str.len(),
        content_hash=[f"{i * 7919 % 1000:03d}" for i in range(count)],
        shard=[f"part/{i % shards}.jsonl" for i in range(count)],
        row=place // shards + 1,
        given_topic=pages["topic"].map(SPELLINGS).where(known, None),
        given_format=pages["format"].map(SPELLINGS).where(known, None),
        given_topic_confidence=pd.Series(0.75, index=pages.index).where(known & (place % 2 == 1)),
        given_format_confidence=pd.Series(float("nan"), index=pages.index),
    )
    return documents.astype({"url": object})


@pytest.fixture(scope="session")
def make_pages() -> Callable[..., pd.DataFrame]:
    return _pages


@pytest.fixture(scope="session")
def make_documents() -> Callable[..., pd.DataFrame]:
    return _documents


@pytest.fixture(scope="session")
def light() -> Light:
    return Light(min_documents=1)


@pytest.fixture(scope="session")
def labeller(light: Light) -> LinearLabeller:
    calibrations = {"topic": Calibration(0.1, 1.1, -0.1), "format": Calibration(0.2)}
    return replace(Training.of(_pages(), np.arange(80), light).labeller, calibrations=calibrations)
