"""Prevalence has every bin once; the quality of a classifier is a share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pandera.errors
import pytest

from social_provenance.schemas.taxonomy import (
    BinPrevalence,
    ClassifierQuality,
    ClassifierReliability,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def prevalence(grid: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(grid, columns=["topic", "format"]).assign(n_documents=1, share=1 / 576)


def test_a_missing_bin_is_refused(prevalence: pd.DataFrame) -> None:
    with pytest.raises(pandera.errors.SchemaError, match="every bin has a row"):
        BinPrevalence.validate(prevalence.iloc[1:])


def test_a_classifier_was_tested_on_documents(refuses: Callable[..., None]) -> None:
    shares = {"accuracy": 0.7, "macro_f1": 0.6, "majority_share": 0.1, "confidence": 0.6, "calibration_error": 0.1}
    row = {"label_source": "linear", **shares, "n_train": 80, "n_test": 20}
    quality = pd.DataFrame([{"axis": "topic", **row}, {"axis": "format", **row}])
    refuses(ClassifierQuality, quality, "n_test", 0)


def test_reliability_faults(refuses: Callable[..., None]) -> None:
    row = {"axis": "topic", "low": 0.2, "high": 0.3, "confidence": 0.25, "accuracy": 0.5, "n_documents": 3}
    sound = pd.DataFrame([row, {**row, "axis": "format"}])
    refuses(ClassifierReliability, sound, "confidence", 0.5, "confidence lies in its bin")
