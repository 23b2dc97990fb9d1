"""The environment of the 7B study fits a card of 80 GB, and what does not fit is seen not to."""

from __future__ import annotations

import pytest

import meta_memory
from social_provenance.device_memory import RESERVE


def test_a_linear_measure_is_extrapolated_to_all_layers() -> None:
    assert meta_memory.extrapolate(lambda layers: {"walk": 5 + 3 * layers}, [4, 8]) == {"walk": 5 + 3 * 32}


@pytest.mark.slow
def test_the_7b_study_fits_80_gigabytes_and_would_not_otherwise() -> None:
    layers = [2, 4]  # 4 and 8 give the same to 1%, and take twice the time
    found = {
        name: meta_memory.extrapolate(
            lambda count, own=own: meta_memory.peaks(meta_memory.Olmo3(f"olmo3-{count}", None, count), *own), layers
        )
        for name, own in meta_memory.settings_of().items()
        if name in ("olmo3", "walk, fp32, 8,192 tokens")
    }
    assert set(found["olmo3"]) == {"walk", "read", "step.ngdiff"}
    assert all(peak + RESERVE < meta_memory.CARD for peak in found["olmo3"].values())
    weights = 4 * 7.298e9
    assert weights < found["olmo3"]["walk"]
    assert found["walk, fp32, 8,192 tokens"]["walk"] + RESERVE > meta_memory.CARD
