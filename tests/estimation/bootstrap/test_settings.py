"""Bootstrap settings refuse what has no meaning."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.estimation.bootstrap.settings import Bootstrap


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("replicates", -1, "greater than 0"),
        ("replicates", 0, "greater than 0"),
        ("confidence", 0.0, "greater than 0"),
        ("confidence", 1.0, "less than 1"),
        ("seed", "first", "valid integer"),
        ("replicate", 10, "Extra inputs are not permitted"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name(field: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Bootstrap.model_validate({field: value})
    assert field in str(caught.value)
    assert said in str(caught.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Bootstrap().seed = 1
