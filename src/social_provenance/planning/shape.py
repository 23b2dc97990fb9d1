"""The model that is tried: the study's own, or one of the shape that pretraining will give it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from social_provenance.errors import ModelError
from social_provenance.language_model import LanguageModel, TrainedModel
from social_provenance.pretraining import tokenizer as bpe
from social_provenance.pretraining.pretrain import new_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from social_provenance.pretraining.settings import Pretraining


@contextmanager
def model_to_try(
    known: LanguageModel | None, texts: Sequence[str], settings: Pretraining | None
) -> Iterator[LanguageModel]:
    """Provide the model of a study, or one with random weights in a folder that is gone afterwards.

    Args:
        known: The study's model, if it is there.
        texts: Sample of the documents, from which a tokenizer is learned where there is no model.
        settings: Pretraining that the study begins with; None: it has none.

    Raises:
        ModelError: If there is no model and the study trains none.
    """
    if known is not None:
        yield known
        return
    if settings is None:
        raise ModelError(
            "there is no model to plan for: give one with --params model=DIR, or name pretraining in plan.pipelines"
        )
    loaded = bpe.load_tokenizer(bpe.train_tokenizer(texts, settings.vocab_size))
    with tempfile.TemporaryDirectory() as folder:
        TrainedModel(new_model(settings, len(loaded), loaded.eos_token_id), loaded).save(folder)  # type: ignore[arg-type]
        yield LanguageModel(folder)
