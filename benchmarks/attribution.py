"""Attribution against ``bergson trackstar``, against a plain pass, and against itself. Prints one JSON object.

Usage: python benchmarks/attribution.py [--documents N] [--items N] [--fifth-items N]

Everything is measured in one run, on one world: a seeded model with random weights, documents and
queries drawn from a few unigram distributions. Each process has one thread. What is compared with
the rival starts as a fresh process on both sides, so that imports count on both; everything else
is forked from a process that has imported the engines and done nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from datasets import Dataset

ENVIRONMENT = {
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")},
    **{f"{library}_OFFLINE": "1" for library in ("HF_HUB", "HF_DATASETS", "TRANSFORMERS")},
    "TOKENIZERS_PARALLELISM": "false",
}
GOALS = {
    "four_benchmarks": 0.30,
    "spearman": 0.999,
    "corpus_pass": 1.35,
    "fifth_benchmark": 0.10,
    "memory": 1.10,
    "exponent": 1.05,
}

ENGINE = (
    "bergson.build",
    "pandas",
    "social_provenance.datasets",
    "social_provenance.gradients.methods.scoring",
    "social_provenance.gradients.walk.store",
)

SEED = 0
VOCABULARY = 2048
SOURCES = 24
DOCUMENT_TOKENS = (40, 300)
QUERY_TOKENS = (20, 40)
ANSWER_TOKENS = (1, 6)
BLOCKS = 8
FOUR = ("first", "second", "third", "fourth")
FIFTH = "fifth"

PROJECTION_DIM = 16
BATCH_TOKENS = 4096
DAMPING = 0.1
COMPONENT = 62
SHARD = 200
CHUNK = 256

KILLED = 160
KILLED_SHARD = 20
MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
COPIES = 10


# The world


@dataclass(frozen=True)
class World:
    """Files that both sides read."""

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def corpus(self) -> Path:
        return self.folder / "corpus"

    @property
    def query_table(self) -> Path:
        return self.folder / "queries.parquet"

    def queries(self, benchmark: str) -> Path:
        return self.folder / "queries" / benchmark


def make_world(world: World, documents: int, items: dict[str, int]) -> int:
    """Write model, working set and queries; return the tokens of the working set."""
    import numpy as np
    import pandas as pd
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar

    from social_provenance.language_model import TrainedModel
    from social_provenance.pretraining.pretrain import new_model
    from social_provenance.pretraining.settings import Architecture, Pretraining
    from social_provenance.pretraining.tokenizer import BYTES, load_tokenizer, train_tokenizer

    disable_progress_bar()
    tokenizer = load_tokenizer(train_tokenizer([], BYTES + 1))
    model = new_model(Pretraining(seed=SEED, architecture=Architecture()), VOCABULARY, tokenizer.eos_token_id)
    TrainedModel(model, tokenizer).save(world.model)

    rng = np.random.default_rng(SEED)
    sources = rng.dirichlet(np.full(VOCABULARY, 0.1), SOURCES).cumsum(axis=1)

    def draw(source: int, length: int) -> list[int]:
        return np.searchsorted(sources[source], rng.random(length)).clip(max=VOCABULARY - 1).tolist()

    low, high = DOCUMENT_TOKENS
    texts = [draw(rng.integers(SOURCES), rng.integers(low, high + 1)) for _ in range(documents)]
    ids = [f"doc-{i:06d}" for i in range(documents)]
    lengths = [len(text) for text in texts]
    rows = {"doc_id": ids, "input_ids": texts, "labels": texts, "length": lengths}
    Dataset.from_dict(rows).save_to_disk(str(world.corpus))

    low, high = QUERY_TOKENS
    posed = []
    for source, (benchmark, count) in enumerate(items.items()):
        for i in range(count):
            tokens, answer = draw(source, rng.integers(low, high + 1)), -int(rng.integers(*ANSWER_TOKENS))
            item = f"{benchmark}-{i:04d}"
            posed.append((benchmark, "items", item, item, i % BLOCKS, tokens[:answer], tokens[answer:]))
    columns = ["benchmark", "variant", "item", "cluster", "block", "prompt_ids", "answer_ids"]
    table = pd.DataFrame(posed, columns=columns)
    table.to_parquet(world.query_table)
    for benchmark, own in table.groupby("benchmark"):
        query_rows(own).save_to_disk(str(world.queries(str(benchmark))))
    return sum(lengths)


def query_rows(table: Any) -> Dataset:
    """Return queries as both engines take them: loss on the answer's tokens only."""
    from datasets import Dataset

    pairs = list(zip(table["prompt_ids"], table["answer_ids"], strict=True))
    rows = {
        "item": list(table["item"]),
        "block": list(table["block"]),
        "input_ids": [prompt + answer for prompt, answer in pairs],
        "labels": [[-100] * len(prompt) + answer for prompt, answer in pairs],
        "length": [len(prompt) + len(answer) for prompt, answer in pairs],
    }
    return Dataset.from_dict(rows)


# The rival


def run_rival(world: World, benchmark: str, folder: Path) -> float:
    """Run ``bergson trackstar`` for one benchmark; return the wall time, seconds."""
    flags = {
        "model": world.model,
        "tokenizer": world.model,
        "precision": "fp32",
        "data.dataset": world.corpus,
        "query.dataset": world.queries(benchmark),
        "query.aggregation": "none",
        "projection_dim": PROJECTION_DIM,
        "projection_type": "rademacher",
        "loss_reduction": "sum",
        "token_batch_size": BATCH_TOKENS,
        "unit_normalize": True,
        "inversion": "damped_inverse",
        "damping_factor": DAMPING,
        "target_downweight_components": COMPONENT,
        "stats_sample_size": None,
        "resume": False,
        "nproc_per_node": 1,
    }
    # A flag without a value is Bergson's way to say None: second moments over all rows.
    words = [word for name, value in flags.items() for word in (f"--{name}", value) if word is not None]
    command = [sys.executable, "-m", "bergson", "trackstar", str(folder), *map(str, words)]
    wall, _ = timed_process(command)
    return wall


def rival_scores(folder: Path) -> list[float]:
    """Return the mean score over the queries for each document, in the order of the corpus."""
    from bergson.data import load_scores

    scores = load_scores(folder / "scores")
    if not scores.is_written():
        raise RuntimeError(f"{folder} lacks scores: bergson trackstar did not finish")
    return scores[:].mean(axis=1, dtype=float).tolist()


# Our side: what the attribution pipeline does, without Kedro around it


def import_engine() -> None:
    """Import what attribution needs, so that it can be timed apart."""
    for name in ENGINE:
        importlib.import_module(name)


def settings() -> Any:
    """Return the settings of our gradients."""
    from social_provenance.gradients.settings import GradientSettings

    return GradientSettings(projection_dim=PROJECTION_DIM, token_batch=BATCH_TOKENS, max_tokens=BATCH_TOKENS)


def collect_corpus(
    world: World, documents: int | None, shard: int, root: Path, after: Callable[[Path], None] | None = None
) -> None:
    """Collect the gradients of the first documents; ``after`` sees each shard once it is computed."""
    from datasets import load_from_disk

    from social_provenance.artifacts import Parts
    from social_provenance.datasets import PartsFolder
    from social_provenance.gradients.settings import Distributed
    from social_provenance.gradients.walk.collect import Walk, plan_store
    from social_provenance.language_model import LanguageModel

    rows = load_from_disk(str(world.corpus))
    count = len(rows) if documents is None else documents
    pieces = {
        f"shard-{start:06d}": rows.select(range(start, min(start + shard, count))) for start in range(0, count, shard)
    }
    parts = plan_store(pieces, Walk(LanguageModel(str(world.model)), settings(), Distributed(), "doc_id"))

    def watched(waiting: Mapping[str, Path]) -> Iterator[str]:
        for name in parts.write(waiting):
            if after is not None:
                after(waiting[name])
            yield name

    PartsFolder(path=str(root / "corpus_gradients"), keep=True).save(Parts(parts.digests, watched, parts.work))


def collect_queries(world: World, benchmarks: Iterable[str], root: Path) -> None:
    """Collect the gradients of the benchmarks' queries."""
    from datasets import load_from_disk

    from social_provenance.datasets import PartsFolder
    from social_provenance.gradients.settings import Distributed
    from social_provenance.gradients.walk.collect import plan_queries
    from social_provenance.language_model import LanguageModel

    sets = {f"{benchmark}.items": load_from_disk(str(world.queries(benchmark))) for benchmark in benchmarks}
    parts = plan_queries(sets, LanguageModel(str(world.model)), settings(), Distributed())
    PartsFolder(path=str(root / "query_gradients"), keep=True).save(parts)


def score(benchmarks: Iterable[str], root: Path, target: str = "scores") -> None:
    """Score every collected document for every benchmark that is not scored yet."""
    from social_provenance.datasets import PartsFolder
    from social_provenance.gradients.methods.scoring import plan_scores
    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.walk.store import GradientStore, query_stores

    scoring = ScoringSettings(
        methods=("trackstar",),
        default_method="trackstar",
        damping=DAMPING,
        target_component=COMPONENT,
        winsorise=None,
        chunk=CHUNK,
    )
    corpus = GradientStore(PartsFolder(path=str(root / "corpus_gradients"), keep=True).load())
    stores = query_stores(PartsFolder(path=str(root / "query_gradients"), keep=True).load())
    parts = plan_scores(corpus, {benchmark: stores[benchmark] for benchmark in benchmarks}, scoring)
    PartsFolder(path=str(root / target)).save(parts)


def our_scores(benchmark: str, root: Path) -> list[float]:
    """Return the score of each document, in the order of the corpus."""
    import pandas as pd

    from social_provenance.datasets import PartsFolder

    table = pd.read_parquet(PartsFolder(path=str(root / "scores")).load()[benchmark] / "scores.parquet")
    return table.sort_values("doc_id")["score"].tolist()


def shard_ids(folder: Path) -> list[str]:
    """Return the documents of a shard."""
    import pandas as pd

    return pd.read_parquet(folder / "rows.parquet")["id"].tolist()


def finished(root: Path) -> dict[str, tuple[int, int]]:
    """Name each finished shard with what changes when it is done again: inode and time of its mark."""
    marks = (mark for mark in root.glob("*/*/done.json") if not mark.parent.name.endswith(".part"))
    return {str(mark.relative_to(root)): (mark.stat().st_ino, mark.stat().st_mtime_ns) for mark in marks}


def enlarge(root: Path, larger: Path) -> None:
    """Make a store that holds every shard of another one several times, as links under new names."""
    link = partial(shutil.copytree, copy_function=os.link)
    link(root / "query_gradients", larger / "query_gradients")
    store = larger / "corpus_gradients"
    shards = json.loads((root / "corpus_gradients" / "current.json").read_text())
    copies = {f"{name}-{copy}": f"{folder}-{copy}" for name, folder in shards.items() for copy in range(COPIES)}
    for folder in copies.values():
        link(root / "corpus_gradients" / folder.rpartition("-")[0], store / folder)
    (store / "current.json").write_text(json.dumps(copies))


def attribute(
    world: World, benchmarks: Sequence[str], root: Path, documents: int | None = None, shard: int = SHARD
) -> dict[str, float]:
    """Do all that is not done yet for some benchmarks; return the seconds of each stage."""
    start = time.perf_counter()
    collect_corpus(world, documents, shard, root)
    corpus = time.perf_counter()
    collect_queries(world, benchmarks, root)
    queries = time.perf_counter()
    score(benchmarks, root)
    return {"corpus": corpus - start, "queries": queries - corpus, "scores": time.perf_counter() - queries}


# A plain pass


class PlainPass:
    """Forward and backward of the same model: every parameter has a gradient, the loss is summed, as in training."""

    def __init__(self, world: World) -> None:
        """Load the model and open the working set."""
        from datasets import load_from_disk

        from social_provenance.language_model import LanguageModel

        self.model = LanguageModel(str(world.model)).load().train().requires_grad_(True)
        self.rows = load_from_disk(str(world.corpus))
        self.places = {doc_id: i for i, doc_id in enumerate(self.rows["doc_id"])}

    def seconds(self, doc_ids: Iterable[str]) -> float:
        """Walk over some documents, in the batches that Bergson makes of them."""
        from bergson.data import allocate_batches, pad_and_tensor
        from torch.nn import functional

        start = time.perf_counter()
        rows = self.rows.select([self.places[doc_id] for doc_id in doc_ids])
        for places in allocate_batches(rows["length"][:], BATCH_TOKENS):
            batch = rows[places]
            tokens, labels, *_ = pad_and_tensor(batch["input_ids"], labels=batch["labels"])
            logits = self.model(tokens).logits[:, :-1].flatten(0, 1)
            functional.cross_entropy(logits, labels[:, 1:].flatten(), reduction="sum").backward()
            self.model.zero_grad()
        return time.perf_counter() - start


# Measures


def timed_process(command: Sequence[str]) -> tuple[float, str]:
    """Return the wall time of a fresh process and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - start, done.stdout


def run_ours(world: World, benchmarks: Sequence[str], root: Path) -> dict[str, float]:
    """Attribute some benchmarks in a fresh process; return its wall time and its stages, seconds."""
    command = [sys.executable, __file__, "attribute", str(world.folder), str(root), *benchmarks]
    wall, printed = timed_process(command)
    return {"wall": wall, **json.loads(printed.splitlines()[-1])}


def attribute_and_print(folder: str, root: str, *benchmarks: str) -> None:
    """Do what :func:`run_ours` starts."""
    start = time.perf_counter()
    import_engine()
    imports = time.perf_counter() - start
    print(json.dumps({"imports": imports, **attribute(World(Path(folder)), benchmarks, Path(root))}))


def start(function: Callable[[], Any]) -> tuple[Any, Any]:
    """Start a function in a forked process; return the process and where its result comes out."""
    context = multiprocessing.get_context("fork")
    outlet, inlet = context.Pipe(duplex=False)

    def run() -> None:
        inlet.send((function(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10))

    process = context.Process(target=run)
    process.start()
    inlet.close()
    return process, outlet


def forked(function: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a function gives in a forked process, and the most memory it held, MiB."""
    process, outlet = start(function)
    try:
        result, peak = outlet.recv()
    except EOFError as error:
        raise RuntimeError(f"{function} failed in its process") from error
    process.join()
    return result, peak


def measure_rival(world: World, folder: Path) -> dict[str, Any]:
    """Four benchmarks by the rival and by us, and one more of ours."""
    ours = run_ours(world, FOUR, folder / "ours")
    rival = {benchmark: run_rival(world, benchmark, folder / f"rival-{benchmark}") for benchmark in FOUR}
    agreement = {
        benchmark: forked(partial(compare, benchmark, folder / "ours", folder / f"rival-{benchmark}"))[0]
        for benchmark in FOUR
    }
    fifth = run_ours(world, (*FOUR, FIFTH), folder / "ours")
    work = [sum(run[stage] for stage in ("corpus", "queries", "scores")) for run in (ours, fifth)]
    return {
        "four_benchmarks": {
            "ratio": ours["wall"] / sum(rival.values()),
            "ours_s": ours,
            "rival_s": rival,
            "agreement": agreement,
        },
        "fifth_benchmark": {
            "ratio": work[1] / work[0],
            "ratio_with_imports": fifth["wall"] / ours["wall"],
            "ours_s": fifth,
        },
    }


def compare(benchmark: str, ours: Path, rival: Path) -> dict[str, float]:
    """Return Spearman's correlation, and the largest difference in units of the largest score."""
    import numpy as np
    from scipy.stats import spearmanr

    mine, theirs = np.array(our_scores(benchmark, ours)), np.array(rival_scores(rival))
    return {
        "spearman": float(spearmanr(mine, theirs).statistic),
        "relative_difference": float(np.abs(mine - theirs).max() / np.abs(theirs).max()),
    }


def measure_pass(world: World, documents: int, root: Path) -> dict[str, float]:
    """Collect the corpus gradients, with a plain pass over the same documents after each shard.

    In turns, because other work on the machine then slows both alike.
    """
    plain = PlainPass(world)
    plain.seconds([f"doc-{i:06d}" for i in range(KILLED_SHARD)])
    spent = []

    def after(folder: Path) -> None:
        spent.append(plain.seconds(shard_ids(folder)))

    start = time.perf_counter()
    collect_corpus(world, documents, SHARD, root, after)
    ours = time.perf_counter() - start - sum(spent)
    return {"ratio": ours / sum(spent), "ours_s": ours, "plain_s": sum(spent)}


def measure_memory(root: Path, larger: Path) -> dict[str, float]:
    """Score a store and one ten times larger."""
    enlarge(root, larger)
    _, imported = forked(lambda: None)
    _, small = forked(partial(score, FOUR, root, "anew"))
    _, large = forked(partial(score, FOUR, larger, "anew"))
    return {"ratio": large / small, "small_mib": small, "large_mib": large, "imports_mib": imported}


def measure_growth(world: World, sizes: Sequence[int], folder: Path) -> dict[str, Any]:
    """Attribute N, 2N and 4N documents; fit time = constant x documents ** exponent."""
    import numpy as np

    seconds = []
    for size in sizes:
        stages, _ = forked(partial(attribute, world, FOUR[:1], folder / f"growth-{size}", size))
        seconds.append(stages["corpus"] + stages["scores"])
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    return {"exponent": float(exponent), "seconds": dict(zip(map(str, sizes), seconds, strict=True))}


def measure_kills(world: World, root: Path) -> dict[str, Any]:
    """Kill a run at several moments, run again, and compare with an undisturbed run.

    A moment is a share of the finished parts and not of a time, which differs from run to run.
    All runs write to the same place, so that a path in a file is no difference.
    """
    work = partial(attribute, world, FOUR[:2], root, KILLED, KILLED_SHARD)
    stages, _ = forked(work)
    undisturbed, whole = digests(root), len(finished(root))
    rng, pace = random.Random(SEED), sum(stages.values()) / whole
    kills = []
    for moment in MOMENTS:
        shutil.rmtree(root)
        process, _ = start(work)
        while process.is_alive() and len(finished(root)) < int(moment * whole):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, pace / 4))
        process.kill()
        process.join()
        before = finished(root)
        forked(work)
        after, written = finished(root), digests(root)
        kills.append(
            {
                "moment": moment,
                "killed": process.exitcode == -signal.SIGKILL,
                "finished_shards": len(before),
                "shards": len(after),
                "redone": [name for name, stamp in before.items() if after.get(name) != stamp],
                "different": sorted(
                    name for name in undisturbed.keys() | written.keys() if undisturbed.get(name) != written.get(name)
                ),
            }
        )
    return {"as_undisturbed": all(map(survived, kills)), "kills": kills}


def survived(kill: dict[str, Any]) -> bool:
    """Return whether a run was killed and its successor lost nothing and changed nothing."""
    return kill["killed"] and not kill["redone"] and not kill["different"]


def digests(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rounded(value: Any) -> Any:
    """Keep six significant digits of every number."""
    if isinstance(value, dict):
        return {name: rounded(own) for name, own in value.items()}
    if isinstance(value, list):
        return [rounded(own) for own in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main(words: Sequence[str]) -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2200, help="documents of the working set")
    parser.add_argument("--items", type=int, default=250, help="items of each of the four benchmarks")
    parser.add_argument("--fifth-items", type=int, default=1000, help="items of the fifth benchmark")
    given = parser.parse_args(words)
    items = dict.fromkeys(FOUR, given.items) | {FIFTH: given.fifth_items}
    sizes = [given.documents // share for share in (8, 4, 2)]

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        world = World(folder / "world")
        import_engine()
        tokens, _ = forked(partial(make_world, world, given.documents, items))
        found = {
            "world": {"documents": given.documents, "tokens": tokens, "items": items, "model": "OLMo3, 2 x 128"},
            **measure_rival(world, folder),
            "corpus_pass": forked(partial(measure_pass, world, given.documents // 3, folder / "pass"))[0],
            "memory": measure_memory(folder / "ours", folder / "larger"),
            "growth": measure_growth(world, sizes, folder),
            "kills": measure_kills(world, folder / "killed"),
        }
    print(json.dumps(rounded({**found, "goals": GOALS, "wall_s": time.perf_counter() - begun})))


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    if sys.argv[1:2] == ["attribute"]:
        attribute_and_print(*sys.argv[2:])
    else:
        main(sys.argv[1:])
