"""Forecast of the tokens, bytes and seconds of collecting gradients, from a sample of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.gradients.walk.collect import plan_corpus
from social_provenance.gradients.walk.sequences import tokenize_documents
from social_provenance.language_model import max_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.gradients.settings import Distributed, GradientSettings
    from social_provenance.language_model import LanguageModel


def forecast_walk(
    texts: Sequence[str], documents: int, model: LanguageModel, settings: GradientSettings, distributed: Distributed
) -> dict[str, Any]:
    """Return ``documents``, ``tokens``, ``bytes``, ``seconds`` and ``token_seconds`` of collecting gradients.

    The pace is that of forward and backward passes over some of the texts, without projecting and
    writing. ``token_seconds`` are those per token in one process. Both are null if the model has to be
    sharded, so that one process cannot try it.

    Args:
        texts: Sample of the documents' texts.
        documents: Number of documents of the study.
        model: The model.
        settings: Settings of the gradients.
        distributed: Processes.
    """
    import ibis
    import pandas as pd

    rows = pd.DataFrame({"doc_id": [f"{number:06d}" for number in range(len(texts))], "text": list(texts)})
    table = ibis.memtable(rows.assign(topic="", format="", bin_rank=0))
    budget = min(settings.max_tokens, max_tokens(model.config()))
    parts = plan_corpus(tokenize_documents(table, model.tokenizer(), budget), model, settings, distributed)
    work = next(iter(parts.work.values()))
    scale = documents / work.documents
    tokens = round(work.tokens * scale)
    pace = None if parts.pace is None else parts.pace()
    return {
        "documents": documents,
        "tokens": tokens,
        "bytes": round(work.bytes * scale),
        "seconds": None if pace is None else pace * tokens,
        "token_seconds": None if pace is None else pace * distributed.processes,
    }
