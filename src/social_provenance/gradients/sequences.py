"""Token sequences with labels: documents, and the queries that benchmarks pose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.errors import AttributionError

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset


def tokenize_documents(documents: Any, tokenizer: Any, max_tokens: int) -> Dataset:
    """Tokenise documents, cut to the token budget.

    Args:
        documents: Ibis table with ``doc_id``, ``topic``, ``format`` and ``text``.
        tokenizer: The model's tokenizer, with the special tokens that it adds by itself.
        max_tokens: Token budget of a document.

    Returns:
        ``doc_id``, ``topic``, ``format``, ``input_ids``, ``length`` (tokens), in the order of
        ``doc_id``.

    Raises:
        AttributionError: If a document has fewer than two tokens: nothing in it can be predicted.
    """
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    texts = Dataset(documents.select("doc_id", "topic", "format", "text").order_by("doc_id").to_pyarrow())

    def encode(batch: dict[str, list[str]]) -> dict[str, Any]:
        ids = tokenizer(batch["text"], truncation=True, max_length=max_tokens)["input_ids"]
        return {"input_ids": ids, "length": [len(row) for row in ids]}

    sequences = texts.map(encode, batched=True, remove_columns=["text"])
    short = [doc_id for doc_id, length in zip(sequences["doc_id"], sequences["length"], strict=True) if length < 2]
    if short:
        raise AttributionError(
            f"document {short[0]!r} has fewer than two tokens (and {len(short) - 1} more): raise documents.min_chars"
        )
    return sequences


def label_documents(sequences: Dataset) -> Dataset:
    """Take the loss on every token of a document."""
    columns = sequences.select_columns(["doc_id", "input_ids", "length"])
    return columns.add_column("labels", list(sequences["input_ids"]))


def build_queries(requests: pd.DataFrame) -> dict[str, Dataset]:
    """Turn the gold answer of each item into a query: loss on the answer's tokens only.

    Args:
        requests: Table of :func:`social_provenance.capabilities.harness.build_requests`.

    Returns:
        Benchmark -> rows with ``item``, ``input_ids``, ``labels`` (-100 on the prompt), ``length``.
    """
    from datasets import Dataset

    queries = {}
    gold = requests[requests["is_gold"]]
    for benchmark, rows in gold.groupby("benchmark", sort=False):
        columns: dict[str, list[Any]] = {"item": [], "input_ids": [], "labels": [], "length": []}
        for item, prompt_ids, completion_ids in zip(
            rows["item"], rows["prompt_ids"], rows["completion_ids"], strict=True
        ):
            prompt, answer = list(prompt_ids), list(completion_ids)
            columns["item"].append(item)
            columns["input_ids"].append(prompt + answer)
            columns["labels"].append([-100] * len(prompt) + answer)
            columns["length"].append(len(prompt) + len(answer))
        queries[str(benchmark)] = Dataset.from_dict(columns)
    return queries
