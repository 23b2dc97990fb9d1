"""Token sequences of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.encoding import Encoder
from social_provenance.errors import AttributionError

if TYPE_CHECKING:
    from datasets import Dataset

HELD_OUT = 2000
"""Upper bound on the documents outside the working set that passages are drawn from."""


def tokenize_documents(documents: Any, tokenizer: Any, max_tokens: int) -> Dataset:
    """Tokenise documents, truncated to the token budget.

    Args:
        documents: Ibis table with ``doc_id``, ``topic``, ``format``, ``bin_rank`` and ``text``.
        tokenizer: The model's tokenizer; the tokens that it adds before a text are kept, those behind it left out.
        max_tokens: Token budget of a document.

    Returns:
        ``doc_id``, ``topic``, ``format``, ``bin_rank``, ``input_ids``, ``length`` (tokens), in the
        order of ``doc_id``.

    Raises:
        AttributionError: If a document has fewer than two tokens: nothing in it can be predicted.
    """
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    texts = Dataset(documents.select("doc_id", "topic", "format", "bin_rank", "text").order_by("doc_id").to_pyarrow())

    encoder = Encoder(tokenizer)
    encoder.warn_of_lost_text(texts["text"])

    def encode(batch: dict[str, list[str]]) -> dict[str, Any]:
        ids = encoder.documents(batch["text"], max_tokens)
        return {"input_ids": ids, "length": [len(row) for row in ids]}

    sequences = texts.map(encode, batched=True, remove_columns=["text"])
    short = [doc_id for doc_id, length in zip(sequences["doc_id"], sequences["length"], strict=True) if length < 2]
    if short:
        raise AttributionError(
            f"document {short[0]!r} has fewer than two tokens (and {len(short) - 1} more): raise documents.min_chars"
        )
    return sequences


def held_out(documents: Any, working_set: Any, tokenizer: Any, seed: int) -> list[list[int]]:
    """Return token ids of documents that are not in the working set, in a seeded order.

    Args:
        documents: Ibis table with ``doc_id`` and ``text``.
        working_set: Ibis table with ``doc_id``.
        tokenizer: The model's tokenizer.
        seed: Seed of the order.
    """
    import ibis

    order = ibis.literal(f"{seed}:").concat(documents.doc_id).hexdigest("md5")
    texts = documents.mutate(order=order).select("doc_id", "text", "order").anti_join(working_set, "doc_id")
    rows = texts.order_by("order").limit(HELD_OUT).to_pyarrow()["text"].to_pylist()
    return Encoder(tokenizer).documents(rows) if rows else []
