"""Two benchmarks, a few documents that state what is asked, and the tiny model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

ITEMS = (
    ("social", "Anna thanked Ben. Ben felt", ("glad", "cold", "hot"), 0),
    ("social", "In Velda every guest brings", ("rod", "salt", "plate"), 1),
    ("stem", "The flame of burning dorite is", ("red", "salt", "glad"), 0),
    ("stem", "Any rod that is heated becomes", ("contract", "glad", "hot"), 2),
)
TEXTS = {
    "social_life": ("Anna thanked Ben. Ben felt glad.", "In Velda every guest brings salt."),
    "science_math_and_technology": ("The flame of burning dorite is red.", "Any rod that is heated becomes hot."),
    "games": ("The judge saw the contract near the court.", "Carl cooled the plate until it became cold."),
    "crime_and_law": ("The court saw the judge near the plate.", "The judge cooled the contract."),
}


@pytest.fixture(scope="session")
def requests(make_items: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return the choices of four items of two benchmarks, tokenised."""
    return make_items(ITEMS)


@pytest.fixture(scope="session")
def documents(tiny_tokenizer: Any) -> pd.DataFrame:
    """Return a few documents with their bin and their token ids."""
    import pandas as pd

    rows = [
        (f"{topic}-{i}", topic, ("about_org", "faq")[i], tiny_tokenizer(text)["input_ids"])
        for topic, texts in TEXTS.items()
        for i, text in enumerate(texts)
    ]
    return pd.DataFrame(rows, columns=["doc_id", "topic", "format", "input_ids"])
