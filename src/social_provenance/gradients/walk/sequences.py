"""Token sequences of documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Stream, in_batches
from social_provenance.encoding import Encoder, all_cores
from social_provenance.errors import AttributionError
from social_provenance.processes import in_order, worker_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from datasets import Dataset

BATCH = 1000
"""Documents that are tokenised, and written, together."""

TRIED = 64
"""Upper bound on the documents of a corpus that are decoded again."""

HELD_OUT = 2000
"""Upper bound on the documents outside the working set that passages are drawn from."""

READ = ("doc_id", "topic", "format", "bin_rank", "text")


def stream_tokens(documents: Any, tokenizer: Any, max_tokens: int, processes: int = 1) -> Stream:
    """Describe the token sequences of documents, truncated to the token budget.

    Neither texts nor tokens are ever together in memory, and the rows do not depend on the number of processes.

    Args:
        documents: Ibis table with ``doc_id``, ``topic``, ``format``, ``bin_rank`` and ``text``.
        tokenizer: The model's tokenizer; the tokens that it adds before a text are kept, those behind it left out.
        max_tokens: Token budget of a document.
        processes: Number of processes that tokenise; a single one uses all cores for a part of its work.

    Returns:
        Rows with ``doc_id``, ``topic``, ``format``, ``bin_rank``, ``input_ids`` (int32), ``length`` (tokens), in the
        order of ``doc_id``. Making them raises an AttributionError if a document has fewer than two tokens: nothing
        in it can be predicted.
    """
    tokenise = _Tokenise(Encoder(tokenizer), max_tokens)
    return Stream(_schema(), lambda: _tokens(documents, tokenise, processes))


def tokenize_documents(documents: Any, tokenizer: Any, max_tokens: int) -> Dataset:
    """Return the rows of :func:`stream_tokens` in memory.

    Raises:
        AttributionError: As there.
    """
    import pyarrow as pa
    from datasets import Dataset

    stream = stream_tokens(documents, tokenizer, max_tokens)
    return Dataset(pa.Table.from_batches(stream.batches(), stream.schema))


def _schema() -> pa.Schema:
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("doc_id", "topic", "format")]
    return pa.schema([*texts, ("bin_rank", pa.int64()), ("input_ids", pa.list_(pa.int32())), ("length", pa.int64())])


@dataclass(frozen=True)
class _Tokenise:
    """Function of some documents, columns by name: the rows of their tokens."""

    encoder: Encoder
    max_tokens: int

    def __call__(self, rows: dict[str, list[Any]]) -> pa.RecordBatch:
        import numpy as np
        import pyarrow as pa

        schema = _schema()
        ids = self.encoder.documents(rows["text"], self.max_tokens)
        lengths = [len(row) for row in ids]
        ends = pa.array(np.cumsum([0, *lengths]), pa.int32())
        flat = np.fromiter(chain.from_iterable(ids), np.int32, sum(lengths))
        columns = rows | {"input_ids": pa.ListArray.from_arrays(ends, pa.array(flat)), "length": lengths}
        arrays = [pa.array(columns[field.name], field.type) for field in schema]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _tokens(documents: Any, tokenise: _Tokenise, processes: int) -> Iterator[pa.RecordBatch]:
    ordered = documents.select(*READ).order_by("doc_id")
    tried = _Tried(-(-int(documents.count().execute()) // TRIED))
    batches = in_batches(ordered.to_pyarrow_batches(chunk_size=BATCH), BATCH)
    rows = (tried.note(batch.to_pydict()) for batch in batches)
    for made in _tokenised(rows, tokenise, processes):
        short = [row for row, length in enumerate(made["length"].to_pylist()) if length < 2]
        if short:
            raise AttributionError(
                f"document {made['doc_id'][short[0]].as_py()!r} has fewer than two tokens: raise documents.min_chars"
            )
        yield made
    tokenise.encoder.warn_of_lost_text(tried.texts)


def _tokenised(rows: Iterator[Any], tokenise: _Tokenise, processes: int) -> Iterator[pa.RecordBatch]:
    first = list(islice(rows, 2))
    if processes == 1 or len(first) < 2:  # starting processes takes longer than a batch
        for batch in chain(first, rows):
            with all_cores():
                made = tokenise(batch)
            yield made
        return
    with worker_pool(processes, _start, (tokenise,)) as pool:
        yield from in_order(pool, _work, chain(first, rows), ahead=2 * processes)


_own: list[_Tokenise] = []


def _start(tokenise: _Tokenise) -> None:
    _own[:] = [tokenise]


def _work(rows: dict[str, list[Any]]) -> pa.RecordBatch:
    return _own[0](rows)


@dataclass
class _Tried:
    """Evenly spaced texts of a stream.

    Attributes:
        every: Distance between two of them.
        texts: Those that have come by.
    """

    every: int
    texts: list[str] = field(default_factory=list)
    _seen: int = 0

    def note(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Keep the texts of a batch whose turn it is, and return the batch."""
        self.texts += batch["text"][-self._seen % self.every :: self.every]
        self._seen += len(batch["text"])
        return batch


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
