"""The loss of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.gradients.methods.text_methods import TextMethod

if TYPE_CHECKING:
    from social_provenance.gradients.methods.text_methods import Texts


class Loss(TextMethod):
    """Loss of the document in nats per predicted token, for every benchmark alike."""

    name = "loss"

    def compute_features(self, texts: Texts) -> np.ndarray:
        return np.asarray(texts.losses, dtype=np.float64)[:, None]
