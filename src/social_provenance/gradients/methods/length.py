"""The length of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.gradients.methods.text_methods import TextMethod

if TYPE_CHECKING:
    from social_provenance.gradients.methods.text_methods import Texts


class Length(TextMethod):
    """Number of tokens of the document, for every benchmark alike."""

    name = "length"

    def compute_features(self, texts: Texts) -> np.ndarray:
        return np.array([[len(row)] for row in texts.tokens], dtype=np.float64).reshape(-1, 1)
