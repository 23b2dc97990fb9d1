"""How do time and memory of every node grow with the corpus? Prints one JSON object.

Usage: python benchmarks/scale.py [--documents N N N] [--corpus-only] [--chars N] [--folder DIR]

A small model and its benchmarks are made once (``--env test``). For each size a process of its own runs the pipelines
from the shards to the report on fabricated documents: texts of random words, given labels that fill all 576 bins, one
document in ten a near-duplicate of the one before. All documents are attributed to. Gradients are not computed: random
numbers stand in the store, in its own format, so that everything behind the walk is real. With ``--corpus-only`` the
pipelines end with the working set, for larger sizes.

For each node: ``wall_s``, ``cpu_s`` (its process and the children that have ended), ``mb`` (the most memory that
process and children held, without mapped files, above what they held when the node began). Exponents are the slopes of
a straight line through the logarithms. A node is judged if it takes more than one hundredth of the processor time of
the largest size. ``cpu_h`` and ``gb`` are what the target would take, from the two largest sizes: along a straight
line, time along a power where it bends upwards. Tables of the corpus are the engine's, which spills what goes beyond
its memory limit: its nodes are not judged by their memory. Texts, dimensions of gradients and queries are smaller than
in a study of a 7B model, and time is linear in them; no figure here says anything about a GPU.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from kedro.framework.hooks import hook_impl

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[1]
PER_SHARD = 2000
"""Documents of a shard: a corpus of another size has more shards, not larger ones."""
SEED = 3
TARGETS = {"working_set": 5_680_000, "corpus": 1_260_000_000}
"""Documents of the study of a 7B model, and of the corpus that they are drawn from."""
CORPUS = ("corpus", "taxonomy")
LATER = ("attribution", "aggregation", "tail_patch", "unlearning", "reporting")
OF_CORPUS = {
    *("read_shards", "clean_documents", "count_records", "train_classifier", "label_shards", "join_labels"),
    *("measure_prevalence", "draw_documents"),
}
"""Nodes that see the whole corpus; the others see the working set."""
OF_ENGINE = {
    *("clean_documents", "count_records", "join_labels", "measure_prevalence", "draw_documents", "list_working_set"),
    *("describe_working_set", "label_shards", "gather_scores"),
}
"""Nodes whose work is a query of the engine."""
SHARE = 0.01
LAWS = {"time_exponent": 1.05, "memory_exponent": 0.1, "gb": 64}
PARAMS: dict[str, Any] = {
    "documents": {"near_duplicates": {}, "min_chars": 1},
    "working_set": {"per_bin": 10**6, "min_documents": 1},
    "attribution": {"nulls": ["wrong_answers"]},
    "gradients": {"ranks_per_shard": 10, "projection_dim": 8},
    "scoring": {
        "methods": ["trackstar", "influence", "gradient_cosine", "bm25", "embedding", "length", "loss"],
        "default_method": "trackstar",
    },
    "unlearning": {"random_sets": 2, "forget_documents": 8, "retain_per_topic": 2},
}


def main() -> None:
    """Run all sizes and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 40_000, 160_000])
    parser.add_argument("--corpus-only", action="store_true")
    parser.add_argument("--chars", type=int, default=600)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        run_study(given.child, given.folder, (*CORPUS, *(() if given.corpus_only else LATER)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not given.corpus_only:
            make_model(folder / "small")
        taken = {}
        for documents in given.documents:
            place = folder / str(documents)
            write_corpus(place / "shards", documents, given.chars)
            taken[documents] = measure(place, folder / "small", given.corpus_only)
            print(documents, round(sum(one["wall_s"] for one in taken[documents].values()), 1), file=sys.stderr)
    print(json.dumps(describe(taken) | {"chars": given.chars, "cores": os.cpu_count()}))


def make_model(root: Path) -> None:
    """Make benchmarks and a small model."""
    command = [sys.executable, "-m", "kedro", "run", "--env", "test", "--pipelines", "miniature,corpus,taxonomy"]
    if (root / "06_models/language_model").exists():
        return
    command[-1] += ",pretraining"
    subprocess.run([*command, "--params", f"root={root}"], cwd=PROJECT, check=True, stdout=sys.stderr)


def write_corpus(folder: Path, documents: int, chars: int) -> None:
    """Write shards of random words; the words come with Zipf's frequencies."""
    import gzip

    import numpy as np

    from social_provenance.regions.grid import BINS

    rng = np.random.default_rng(SEED)
    words = np.array([f"w{number}" for number in range(5000)], dtype=object)
    weights = 1 / np.arange(1, len(words) + 1)
    cumulated = np.cumsum(weights / weights.sum())
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, documents, PER_SHARD):
        with gzip.open(folder / f"part-{start // PER_SHARD:06d}.jsonl.gz", "wt", compresslevel=1) as file:
            text: list[str] = []
            for number in range(start, min(start + PER_SHARD, documents)):
                if number % 10 == 9:
                    text = [*text[:-1], f"other{number}"]
                else:
                    text = list(words[cumulated.searchsorted(rng.random(chars // 4))])
                topic, form = BINS[number % len(BINS)]
                labels = {"topic": topic, "format": form}
                row = {"id": f"d{number:010d}", "text": " ".join(text)}
                row["metadata"] = {"url": f"https://s{number % 9973}.org/{number}", "weborganizer": labels}
                file.write(json.dumps(row) + "\n")


def measure(place: Path, small: Path, corpus_only: bool) -> dict[str, dict[str, float]]:
    """Run a study in a process of its own and return what each node took."""
    command = [sys.executable, __file__, "--child", str(place), "--folder", str(small)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(
        [*command, *(["--corpus-only"] if corpus_only else [])], check=True, env=environment, stdout=sys.stderr
    )
    nodes: dict[str, dict[str, float]] = json.loads((place / "nodes.json").read_text())
    return nodes


class Watch:
    """Hook that measures each node, its loads and saves among it."""

    def __init__(self, every: float = 0.05) -> None:
        """Look at this process and its children every so many seconds."""
        self.process, self.base, self.every = psutil.Process(), 0, every
        self.taken: dict[str, dict[str, float]] = {}
        self.peak, self.highest, self.over = 0, 0, threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self.over.wait(self.every):
            self.peak = max(self.peak, held_by(self.process))
            self.highest = max(self.highest, self.peak)

    @hook_impl
    def before_dataset_loaded(self, node: Any) -> None:
        """Begin with the first load of a node."""
        self._begin(node.name)

    @hook_impl
    def before_node_run(self, node: Any) -> None:
        """Begin with the node, if it loads nothing."""
        self._begin(node.name)

    def _begin(self, name: str) -> None:
        if name not in self.taken:
            self._end()
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # else what an earlier node has freed counts as this one's
            self.peak = self.base = held_by(self.process)
            self.taken[name] = {"wall_s": -time.perf_counter(), "cpu_s": -spent()}

    def _end(self) -> None:
        for one in self.taken.values():
            if "mb" not in one:
                one["wall_s"] += time.perf_counter()
                one["cpu_s"] += spent()
                one["mb"] = max(0, self.peak - self.base) / 1e6

    @hook_impl
    def after_pipeline_run(self) -> None:
        """End the last node."""
        self._end()
        self.over.set()


def held_by(process: psutil.Process) -> int:
    """Return the bytes that a process and its children hold, without files that they have mapped."""
    held = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(OSError):  # it has ended
            lines = Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines()
            held += sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")) * 1024
    return held


def spent() -> float:
    """Return the seconds of processor time of this process and its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def fabricated(collect: Callable[..., None]) -> Callable[..., None]:
    """Return a walk that writes random numbers for documents, as an index has them, and walks queries."""
    import numpy as np

    from social_provenance.gradients.walk.bergson_index import INDEX, STATES
    from social_provenance.gradients.walk.coverage import inspect

    def write(walker: Any, sequences: Any, folder: Path) -> None:
        if "doc_id" not in sequences.column_names:
            collect(walker, sequences, folder)
            return
        config, rows = walker.model.config(), len(sequences)
        numbers = walker.settings.projection_dim**2
        sizes = dict.fromkeys(inspect(config, walker.settings.moe_experts).modules, numbers)
        rng = np.random.default_rng(rows)
        np.save(folder / STATES, rng.standard_normal((rows, config.hidden_size), dtype=np.float32))
        index = folder / INDEX
        index.mkdir()
        rng.standard_normal((rows, numbers * len(sizes)), dtype=np.float32).tofile(index / "gradients.bin")
        info = {"num_items": rows, "num_grads": rows, "grad_sizes": sizes, "base_dtype": "float32"}
        (index / "info.json").write_text(json.dumps(info))
        losses = sequences.select_columns(["length"]).add_column("loss", rng.random(rows))
        losses.save_to_disk(index / "data.hf")

    return write


def run_study(place: Path, small: Path, pipelines: tuple[str, ...]) -> None:
    """Run pipelines on the shards of a folder and write what each node took."""
    from kedro.framework.project import configure_project
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from social_provenance.gradients.walk.bergson_run import Walker

    bootstrap_project(PROJECT)
    configure_project("social_provenance")
    given = {**PARAMS, "root": str(place / "data"), "corpus": str(place / "shards")}
    if len(pipelines) > len(CORPUS):
        given |= {"model": str(small / "06_models/language_model"), "benchmarks": str(small / "01_raw/benchmarks")}
    Walker.collect = fabricated(Walker.collect)
    with KedroSession.create(PROJECT, env="test", runtime_params=given) as session:
        watch = Watch()
        session._hook_manager.register(watch)
        session.run(pipeline_names=list(pipelines))
    (place / "nodes.json").write_text(json.dumps(watch.taken))


def describe(taken: dict[int, dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Return what each node took and would take, and which of the laws are broken by whom."""
    sizes = sorted(taken)
    largest = taken[sizes[-1]]
    total = sum(one["cpu_s"] for one in largest.values())
    nodes, broken = {}, []
    for name in largest:
        rows = [taken[size][name] for size in sizes]
        one: dict[str, Any] = {key: [round(row[key], 3) for row in rows] for key in ("wall_s", "cpu_s", "mb")}
        one["time_exponent"] = round(slope(sizes, one["cpu_s"]), 2)
        one["memory_exponent"] = round(slope(sizes, one["mb"]), 2)
        target = TARGETS["corpus" if name in OF_CORPUS else "working_set"]
        one["cpu_h"] = round(reach(sizes, one["cpu_s"], target, bends=True) / 3600, 2)
        one["gb"] = round(reach(sizes, one["mb"], target, bends=False) / 1000, 1)
        one["judged"] = rows[-1]["cpu_s"] > SHARE * total
        nodes[name] = one
        if one["judged"] and one["time_exponent"] > LAWS["time_exponent"]:
            broken.append(f"{name}: time grows with the power {one['time_exponent']}")
        grows = one["memory_exponent"] > LAWS["memory_exponent"] and one["gb"] > LAWS["gb"]
        if one["judged"] and grows and name not in OF_ENGINE:
            broken.append(f"{name}: memory would be {one['gb']} GB")
    return {"documents": sizes, "targets": TARGETS, "laws": LAWS, "broken": broken, "nodes": nodes}


def slope(sizes: list[int], values: list[float]) -> float:
    """Return the exponent of a power law through values, of which none counts below a thousandth."""
    import numpy as np

    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-3)), 1)[0])


def reach(sizes: list[int], values: list[float], target: int, *, bends: bool) -> float:
    """Return the value at a target from the two largest sizes: along a straight line, or a power that bends upwards."""
    (small, large), (low, high) = sizes[-2:], values[-2:]
    straight = high + max(high - low, 0) / (large - small) * (target - large)
    power = slope([small, large], [low, high])
    return max(straight, high * (target / large) ** power) if bends and power > 1 else straight


if __name__ == "__main__":
    main()
