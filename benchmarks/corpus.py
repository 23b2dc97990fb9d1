"""From raw shards to a stratified sample against datatrove, and what near de-duplication finds. Prints one JSON object.

Usage: python benchmarks/corpus.py [--documents N] [--pairs N] [--folder DIR]

Both sides read the same zstd JSON lines, drop texts that are too short or too long or break the rules
of Gopher, keep one of each text without regard to case and spacing, and draw the same stratified
sample (up to 100 documents of each of the 576 bins, in the order of md5 of seed and id). Ours are the
nodes and catalog entries of the corpus pipeline, on DuckDB with 2 threads, and write every table that
the pipeline writes. datatrove runs its own reader, filters and exact de-duplication (signatures,
search, filter) in one process, on a quarter of the documents, and writes the sample only; the drawing
is a step of ours, because it has none. Its filters divide words at spaces, as ours do: its own
tokenizer would take it much longer. ``lengths_only`` is the same without the rules. Memory and
processor time are sums over the process and its children, looked at ten times a second; on a machine
that others use, compare processor time (``times_datatrove_by_cpu``; ours may use two cores at once).
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import multiprocessing
import os
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

GOALS = {"times_datatrove": 4, "peak_gb": 3, "memory_growth": 1.25, "found_from_0.8": 0.95, "merged_under_0.6": 0.02}
SEED, PER_BIN, SHARDS = 42, 100, 16
MIN_CHARS, MAX_CHARS = 50, 1_000_000
CONNECTION = {"backend": "duckdb", "threads": 2, "memory_limit": "1GB"}
STOP_WORDS = "the be to of and that have with a in it for on as at by".split()
VOCABULARY = 20_000
DUPLICATES, SHORT = 0.08, 0.03
"""Shares of documents that repeat an earlier text in other case and spacing, and that are too short."""


class Writer:
    """Draws texts of words with Zipf's frequencies."""

    def __init__(self, seed: int) -> None:
        """Draw the vocabulary."""
        import numpy as np

        self.rng = np.random.default_rng(seed)
        letters = np.array(list("etaoinshrdlucmfwypvbgk"))
        words = {"".join(self.rng.choice(letters, size=size)) for size in self.rng.integers(3, 10, size=2 * VOCABULARY)}
        self.words = np.array([*STOP_WORDS, *sorted(words)[: VOCABULARY - len(STOP_WORDS)]], dtype=object)
        self.rng.shuffle(self.words[len(STOP_WORDS) :])
        weights = 1 / np.arange(1, len(self.words) + 1)
        self.cumulated = np.cumsum(weights / weights.sum())

    def draw(self, count: int) -> list[str]:
        """Return so many words."""
        return list(self.words[self.cumulated.searchsorted(self.rng.random(count))])

    def text(self) -> str:
        """Return about a thousand characters, in lines."""
        words = self.draw(int(self.rng.integers(80, 320)))
        return "\n".join(" ".join(words[start : start + 40]) for start in range(0, len(words), 40))


def write_corpus(folder: Path, documents: int) -> int:
    """Write shards of synthetic documents; return the characters of their texts.

    Ids are in the order of the shards, so the first of equal texts is the one with the smallest id.
    """
    import pyarrow as pa

    from social_provenance.regions.grid import BINS

    folder.mkdir(parents=True)
    writer, recent, chars = Writer(SEED), [], 0
    for shard in range(SHARDS):
        with pa.output_stream(str(folder / f"shard-{shard:02d}.jsonl.zst"), compression="zstd") as stream:
            for number in range(shard * documents // SHARDS, (shard + 1) * documents // SHARDS):
                kind = writer.rng.random()
                text = "too short" if kind < SHORT else writer.text()
                if recent and SHORT <= kind < SHORT + DUPLICATES:
                    text = recent[int(kind * 1e9) % len(recent)].upper().replace("\n", " \n")
                recent = [*recent[-99:], text] if kind > 0.99 else recent
                topic, form = BINS[number * 7919 % len(BINS)]
                labels = {"topic": topic, "format": form, "topic_confidence": 0.9, "format_confidence": 0.8}
                metadata = {"url": f"https://site{number % 9973}.org/{number}", "weborganizer": labels}
                row = {"id": f"doc-{number:09d}", "source": "made", "text": text, "metadata": metadata}
                stream.write((json.dumps(row) + "\n").encode())
                chars += len(text)
    return chars


def run_ours(corpus: Path, out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Run the nodes of the corpus pipeline and draw the sample; return seconds by step, and counts."""
    from social_provenance.datasets import RecordFolder, ShardFolder, TableFile
    from social_provenance.documents.sampling import draw_working_set
    from social_provenance.documents.settings import DocumentSettings
    from social_provenance.pipelines.corpus import nodes

    out.mkdir(parents=True)
    given = DocumentSettings.model_validate({"min_chars": MIN_CHARS, "max_chars": MAX_CHARS, **settings})
    watch = Watch()
    raw, records = ShardFolder(path=str(corpus)), RecordFolder(path=str(out / "records"), connection=CONNECTION)
    tables = {
        name: TableFile(filepath=str(out / f"{name}.parquet"), connection=CONNECTION)
        for name in ("documents", "rejected", "sample")
    }
    records.save(nodes.read_shards(raw.load(), given))
    watch.lap("read")
    documents, rejected = nodes.clean_documents(records.load(), given)
    tables["documents"].save(documents)
    tables["rejected"].save(rejected)
    kept = tables["documents"].load()
    counts = nodes.count_records(records.load(), kept, tables["rejected"].load(), given)
    watch.lap("clean")
    labels = kept.select("doc_id", topic=kept.given_topic, format=kept.given_format)
    tables["sample"].save(draw_working_set(labels, kept, PER_BIN, SEED))
    watch.lap("sample")
    drawn = tables["sample"].load().doc_id.execute()
    return {**watch.laps, "seconds": sum(watch.laps.values()), "counts": counts, "sample": _digest(drawn)}


def run_datatrove(corpus: Path, out: Path, rules: bool) -> dict[str, Any]:
    """Do the same with datatrove, in one process; return seconds and the identity of the sample."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.base import PipelineStep
    from datatrove.pipeline.dedup.exact_dedup import (
        ExactDedupConfig,
        ExactDedupFilter,
        ExactDedupSignature,
        ExactFindDedups,
    )
    from datatrove.pipeline.filters import LambdaFilter, gopher_quality_filter, gopher_repetition_filter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.logging import logger

    logger.remove()
    logger.configure(handlers=[])

    def content(document: Any) -> bytes:
        return " ".join(document.text.lower().split()).encode()

    content.__annotations__["return"] = bytes  # datatrove looks at it, and not at its name
    config = ExactDedupConfig(content_getter=content)
    for module in (gopher_quality_filter, gopher_repetition_filter):
        module.split_into_words = lambda text, language: text.split()  # noqa: ARG005

    def filters() -> list[Any]:
        lengths = LambdaFilter(lambda document: MIN_CHARS <= len(document.text) <= MAX_CHARS)
        gopher = [gopher_quality_filter.GopherQualityFilter(), gopher_repetition_filter.GopherRepetitionFilter()]
        return [lengths, *(gopher if rules else [])]

    class Draw(PipelineStep):
        """Keeps the first of each bin in seeded order."""

        name = "stratified sample"
        type = "sample"

        def run(self, data: Iterable[Any], rank: int = 0, world_size: int = 1) -> Iterator[Any]:
            del rank, world_size
            heaps: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
            for document in data:
                labels = document.metadata["weborganizer"]
                heap = heaps.setdefault((labels["topic"], labels["format"]), [])
                key = -int(hashlib.md5(f"{SEED}:{document.id}".encode()).hexdigest(), 16)
                entry = (key, document.id, document.text)
                heapq.heappush(heap, entry) if len(heap) < PER_BIN else heapq.heappushpop(heap, entry)
            drawn = [entry for heap in heaps.values() for entry in heap]
            (out / "sample.json").write_text(json.dumps([(name, text) for _, name, text in drawn]))
            yield from ()

    out.mkdir(parents=True)
    start = time.perf_counter()
    signatures, found = str(out / "signatures"), str(out / "found")
    fit = str(out / "fit") if rules else str(corpus)  # what has passed the rules is not asked again
    keep = [JsonlWriter(fit, compression=None)] if rules else []
    again = [] if rules else filters()
    for number, steps in enumerate(
        (
            [JsonlReader(str(corpus)), *filters(), *keep, ExactDedupSignature(signatures, config)],
            [ExactFindDedups(signatures, found, config)],
            [JsonlReader(fit), *again, ExactDedupFilter(found, config), Draw()],
        )
    ):
        LocalPipelineExecutor(steps, tasks=1, workers=1, logging_dir=str(out / f"log{number}")).run()
    seconds = time.perf_counter() - start
    drawn = [name for name, _ in json.loads((out / "sample.json").read_text())]
    return {"seconds": seconds, "sampled": len(drawn), "sample": _digest(drawn)}


def find_planted(pairs: int, out: Path) -> dict[str, Any]:
    """Plant pairs of known Jaccard similarity and see which of them become one group."""
    from social_provenance.datasets import RecordFolder, ShardFolder, TableFile
    from social_provenance.documents.settings import DocumentSettings
    from social_provenance.documents.signatures import shingles
    from social_provenance.pipelines.corpus import nodes

    corpus = out / "corpus"
    corpus.mkdir(parents=True)
    settings = DocumentSettings.model_validate({"near_duplicates": {"drop": False}})
    size = settings.near_duplicates.shingle_words  # type: ignore[union-attr]
    writer, truth = Writer(SEED + 1), {}
    with (corpus / "a.jsonl").open("w") as file:
        for number in range(pairs):
            words = writer.draw(int(writer.rng.integers(80, 320)))
            other = list(words)
            for place in writer.rng.choice(
                len(words), size=int(writer.rng.integers(1, 2 + len(words) // 10)), replace=False
            ):
                other[place] = writer.draw(1)[0]
            texts = (" ".join(words), " ".join(other))
            one, two = (set(shingles(text, size)) for text in texts)
            truth[number] = len(one & two) / len(one | two)
            for side, text in zip("ab", texts, strict=True):
                file.write(json.dumps({"id": f"{number}-{side}", "text": text}) + "\n")
    records = RecordFolder(path=str(out / "records"), connection=CONNECTION)
    records.save(nodes.read_shards(ShardFolder(path=str(corpus)).load(), settings))
    table = TableFile(filepath=str(out / "documents.parquet"), connection=CONNECTION)
    table.save(nodes.clean_documents(records.load(), settings)[0])
    rows = table.load().select("doc_id", "alike_id").execute()
    alike = dict(zip(rows["doc_id"], rows["alike_id"], strict=True))
    one_text = {number for number in truth if f"{number}-b" not in alike or f"{number}-a" not in alike}
    together = {number: alike.get(f"{number}-a") == alike.get(f"{number}-b") for number in truth.keys() - one_text}
    high = [together[number] for number in together if truth[number] >= 0.8]
    low = [together[number] for number in together if truth[number] < 0.6]
    strangers = sum(name.split("-")[0] != group.split("-")[0] for name, group in alike.items())
    return {
        "threshold": settings.near_duplicates.threshold,  # type: ignore[union-attr]
        "pairs_from_0.8": len(high),
        "found_from_0.8": sum(high) / len(high),
        "pairs_under_0.6": len(low),
        "merged_under_0.6": sum(low) / len(low),
        "documents_with_strangers": strangers,
    }


class Watch:
    """Seconds by step."""

    def __init__(self) -> None:
        """Begin."""
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """End a step."""
        now = time.perf_counter()
        self.laps[f"{name}_s"] = now - self._last
        self._last = now


def apart(function: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a function gives in a process of its own, with the memory and processor time of it and its kin."""
    import psutil

    context = multiprocessing.get_context("fork")
    outlet, inlet = context.Pipe(duplex=False)
    process = context.Process(target=lambda: inlet.send(function()))
    process.start()
    inlet.close()
    peak, ended = 0, threading.Event()
    used: dict[int, float] = {}

    def look() -> None:
        nonlocal peak
        own = psutil.Process(process.pid)
        while not ended.wait(0.1):
            held = 0
            for one in (own, *own.children(recursive=True)):
                try:
                    held += one.memory_info().rss
                    used[one.pid] = sum(one.cpu_times()[:2])
                except psutil.NoSuchProcess:
                    continue
            peak = max(peak, held)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        found: dict[str, Any] = outlet.recv()
    except EOFError as error:
        raise RuntimeError(f"{function} failed in its process") from error
    finally:
        ended.set()
        watcher.join()
        process.join()
    return {**found, "peak_gb": peak / 1e9, "cpu_s": sum(used.values())}


def compare(documents: int, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Run both sides, ours at two sizes."""
    quarter = documents // 4
    name = "rules" if settings else "lengths"
    run = partial(run_ours, settings=settings)
    small = apart(partial(run, folder / f"corpus-{quarter}", folder / f"{name}-{quarter}"))
    large = apart(partial(run, folder / f"corpus-{documents}", folder / f"{name}-{documents}"))
    theirs = apart(partial(run_datatrove, folder / f"corpus-{quarter}", folder / f"{name}-datatrove", bool(settings)))
    if small["sample"] != theirs["sample"]:
        raise RuntimeError("the two sides drew different samples, so they did not do the same")
    for size, found in ((quarter, small), (documents, large), (quarter, theirs)):
        found["documents_a_second"] = size / found["seconds"]
        found["cpu_us_a_document"] = 1e6 * found["cpu_s"] / size
    return {
        "ours": large,
        "ours_at_a_quarter": small,
        "datatrove_at_a_quarter": theirs,
        "times_datatrove": large["documents_a_second"] / theirs["documents_a_second"],
        "times_datatrove_by_cpu": theirs["cpu_us_a_document"] / large["cpu_us_a_document"],
        "memory_growth": large["peak_gb"] / small["peak_gb"],
    }


def measure(documents: int, pairs: int, folder: Path) -> dict[str, Any]:
    """Measure everything in a folder."""
    chars = {size: write_corpus(folder / f"corpus-{size}", size) for size in (documents // 4, documents)}
    near = apart(
        partial(run_ours, folder / f"corpus-{documents // 4}", folder / "near", {"quality": {}, "near_duplicates": {}})
    )
    return {
        "corpus": {"documents": documents, "text_gb": chars[documents] / 1e9, "shards": SHARDS},
        **compare(documents, folder, {"quality": {}}),
        "lengths_only": compare(documents, folder, {}),
        "with_near_duplicates_at_a_quarter": {**near, "documents_a_second": documents // 4 / near["seconds"]},
        "near_duplicates": apart(partial(find_planted, pairs, folder / "planted")),
        "goals": GOALS,
    }


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000, help="of the corpus")
    parser.add_argument("--pairs", type=int, default=4000, help="of planted near-duplicates")
    parser.add_argument("--folder", type=Path, help="where scratch goes; about 4 GB for a million documents")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = measure(given.documents, given.pairs, Path(folder))
    print(json.dumps(found))


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
