"""How good and how fast the light classifier is on real pages that it has not seen.

Train on some shards of real pages with the labels of the WebOrganizer classifiers, test on others:

    uv run python benchmarks/labelling.py --pages DIR --test shard-03

``DIR`` holds shards in the Dolma layout (the how-to "Your own corpus"). Every choice in the classifier was made by
cross-validation within the training shards; the test shard takes no part in it. The speed is that of whole labelling,
from texts to labels in memory, on the test pages over and over, in ``--processes`` processes.

Prints one JSON object. ``reference`` is a linear model on word 1-2-grams, character 2-5-grams and URL n-grams, trained
on 5,400 pages of the same source.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from social_provenance.labelling.label import Labeller

ENVIRONMENT = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
GOALS = {"topic_accuracy": 0.74, "format_accuracy": 0.67, "calibration_error": 0.05, "documents_a_second": 1000}
REFERENCE = {"topic_accuracy": 0.736, "format_accuracy": 0.670}


def read_pages(folder: Path) -> pd.DataFrame:
    """Return the labelled pages of a corpus, one of each text, with canonical labels."""
    import pandas as pd
    import pyarrow as pa

    from social_provenance.regions.aliases import canonical_format, canonical_topic

    rows = []
    for path in sorted(folder.glob("*.jsonl.zst")):
        with pa.input_stream(str(path), compression="zstd") as stream:
            records = [json.loads(line) for line in stream.read().decode().split("\n") if line.strip()]
        for record in records:
            labels, url = record["metadata"]["weborganizer"], record["metadata"].get("url")
            row = {"doc_id": record["id"], "shard": path.name, "text": record["text"], "url": url}
            topic, form = canonical_topic(labels["topic"]), canonical_format(labels["format"])
            rows.append({**row, "topic": topic, "format": form})
    pages = pd.DataFrame(rows).drop_duplicates("text").sort_values("doc_id", ignore_index=True)
    sites = pages["url"].str.extract("://(?:www\\.)?([^/:?#]+)")[0].str.lower()
    return pages.assign(cluster_id=sites.fillna(pages["doc_id"]))


def measure_quality(train_pages: pd.DataFrame, test_pages: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """Train on some pages, keep the classifier in a folder, and test what is read from there on others."""
    from social_provenance.labelling.linear import LinearLabeller
    from social_provenance.labelling.measure import compare
    from social_provenance.labelling.settings import Labelling
    from social_provenance.labelling.train import train

    settings = Labelling()
    start, spent = time.perf_counter(), time.process_time()
    labeller, validated = train(train_pages, settings.light, settings.reliability_bins)
    seconds, processor_seconds = time.perf_counter() - start, time.process_time() - spent
    labeller.save(folder)
    loaded = LinearLabeller.load(folder)
    tested = compare(test_pages, loaded.predict(test_pages), loaded.source, len(train_pages), settings.reliability_bins)
    size = sum(file.stat().st_size for file in folder.iterdir())
    return {
        "test": tested.quality.set_index("axis").to_dict("index"),
        "cross_validated": validated.quality.set_index("axis").to_dict("index"),
        "training_seconds": seconds,
        "training_processor_seconds": processor_seconds,
        "training_peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "classifier_mb": size / 1e6,
    }


def measure_speed(pages: pd.DataFrame, folder: Path, processes: int, documents: int, batch: int) -> dict[str, Any]:
    """Label pages over and over, a batch at a time."""
    import pandas as pd

    from social_provenance.labelling.linear import LinearLabeller
    from social_provenance.labelling.pool import Pool

    times = -(-batch // len(pages))
    chunk = pd.concat([pages] * times, ignore_index=True).iloc[:batch][["text", "url"]]

    def run(labeller: Labeller) -> float:
        labeller.predict(chunk)  # starts the processes and fills caches, which is not counted
        start = time.perf_counter()
        done = 0
        while done < documents:
            labeller.predict(chunk)
            done += len(chunk)
        return done / (time.perf_counter() - start)

    if processes == 1:
        pace = run(LinearLabeller.load(folder))
    else:
        with Pool(folder, processes) as pool:
            pace = run(pool)
    alone = LinearLabeller.load(folder)
    some = chunk.iloc[:1000]
    alone.predict(some)
    spent = time.process_time()
    alone.predict(some)
    milliseconds = (time.process_time() - spent) / len(some) * 1e3
    return {
        "documents_a_second": pace,
        "processes": processes,
        "documents": documents,
        "batch": batch,
        "mean_chars": float(chunk["text"].str.len().mean()),
        "processor_milliseconds_a_document": milliseconds,
        "peak_gib_of_a_process": {
            str(number): in_own_process(partial(peak_memory, folder, chunk, number, batch))
            for number in (documents // 4, documents)
        },
        "processors": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def peak_memory(folder: Path, chunk: pd.DataFrame, documents: int, batch: int) -> float:
    """Label so many documents in this process and return the most memory it held, GiB."""
    from social_provenance.labelling.linear import LinearLabeller

    labeller = LinearLabeller.load(folder)
    for _ in range(-(-documents // batch)):
        labeller.predict(chunk)
    # Not ru_maxrss, which begins with what the parent held.
    held = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(held.split()[1]) / 2**20


def in_own_process(function: Callable[[], float]) -> float:
    """Return what a function gives in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function).result()


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, default=Path("../shared/data/webpages"), help="folder of labelled shards")
    parser.add_argument("--test", default="shard-03", help="what the names of the test shards start with")
    parser.add_argument("--processes", type=int, default=2, help="that label")
    parser.add_argument("--documents", type=int, default=20_000, help="that are labelled to measure the speed")
    parser.add_argument("--batch", type=int, default=5_000, help="documents in memory at a time")
    given = parser.parse_args()

    pages = read_pages(given.pages)
    held = pages["shard"].str.startswith(given.test)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        quality = measure_quality(pages[~held].reset_index(drop=True), pages[held].reset_index(drop=True), folder)
        speed = measure_speed(pages[held], folder, given.processes, given.documents, given.batch)
    print(json.dumps({**quality, "speed": speed, "reference": REFERENCE, "goals": GOALS}))


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    main()
