"""The two-way bootstrap against a plain pandas loop, and all statistics of a default study. Prints one JSON object.

Usage: python benchmarks/aggregation.py [--documents N] [--replicates N] [--loops N]

Both sides get the same arrays: documents in the 576 bins of the grid, from web sites that have one
page or a few, with the scores of 20 query blocks for each of four benchmarks. Ours goes from names of
sites to intervals of bins and topics. The loop draws documents within their bin and blocks within
their benchmark, a replicate at a time; it draws single documents and no sites, which spares it work.
Its time for all replicates is extrapolated from some of them. Each side is a forked process with one
thread, whose peak holds the arrays too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

ENVIRONMENT = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
GOALS = {"seconds": 90, "peak_gib": 4, "times_faster": 20, "default_study_seconds": 15}

SEED = 0
BENCHMARKS = ("first", "second", "third", "fourth")
CELLS = (("social", "reasoning"), ("stem", "reasoning"), ("social", "knowledge"), ("stem", "knowledge"))
BLOCKS = 20
SITES = 0.7
"""Web sites for each document; a site keeps to its bin."""
PER_BIN = 4
"""Documents of a bin in the default study."""


@dataclass(frozen=True)
class World:
    """Arrays that both sides read: bins and sites of documents, and documents x blocks of each benchmark."""

    bins: np.ndarray
    sites: np.ndarray
    blocks: dict[str, np.ndarray]


def make_world(documents: int) -> World:
    """Draw bins, sites and scores."""
    import numpy as np

    from social_provenance.regions.grid import BINS

    rng = np.random.default_rng(SEED)
    bins = rng.integers(len(BINS), size=documents)
    sites = bins + len(BINS) * rng.integers(max(int(SITES * documents / len(BINS)), 1), size=documents)
    blocks = {}
    for benchmark in BENCHMARKS:
        of_bins, of_queries = rng.normal(size=len(BINS)), rng.normal(size=BLOCKS)
        own = rng.normal(size=(documents, BLOCKS)).astype(np.float32)
        own += (of_bins[bins] + rng.normal(size=documents)).astype(np.float32)[:, None]
        own += of_queries.astype(np.float32)
        blocks[benchmark] = own
    return World(bins, sites, blocks)


def run_ours(documents: int, replicates: int) -> dict[str, float]:
    """Resample documents and queries, and make the intervals of bins and topics."""
    import numpy as np

    from social_provenance.estimation.bootstrap.multipliers import hash_names, multipliers
    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.estimation.maps.scored import Scored
    from social_provenance.estimation.maps.two_way import Blocks, two_way
    from social_provenance.regions.grid import FORMATS, TOPICS

    world = make_world(documents)
    names = [f"site-{site}.example" for site in world.sites]
    ids = np.array([f"document-{place:08d}" for place in range(documents)], dtype=object)
    weights = np.full(BLOCKS, 1 / BLOCKS)
    scores = np.stack([own.mean(axis=1, dtype=np.float64) for own in world.blocks.values()], axis=1)
    multipliers(hash_names(names[:1]), replicates, SEED)  # imports, which count on neither side
    start = time.perf_counter()
    scored = Scored(
        ids,
        [(name, "influence") for name in BENCHMARKS],
        scores,
        world.bins,
        hash_names(names),
        np.zeros(len(ids)),
        np.ones(len(ids)),
    )
    blocks = Blocks(dict.fromkeys(BENCHMARKS, weights), lambda column: (ids, world.blocks[column[0]]))
    found = two_way(scored, Bootstrap(replicates=replicates), blocks)
    resampled = time.perf_counter()
    found.uncertainty.interval(found.means, 0.95)
    topics = np.kron(np.eye(len(TOPICS)), np.full((1, len(FORMATS)), 1 / len(FORMATS)))
    found.uncertainty.over_labels(topics).interval(topics @ found.means, 0.95)
    end = time.perf_counter()
    return {
        "seconds": end - start,
        "resampling_seconds": resampled - start,
        "clusters": int(found.groups.clusters.sum()),
    }


def run_loop(documents: int, loops: int) -> float:
    """Return the seconds that the plain loop takes for one replicate."""
    import numpy as np
    import pandas as pd

    world = make_world(documents)
    columns = {name: [f"{name}/{block}" for block in range(BLOCKS)] for name in BENCHMARKS}
    frame = pd.concat([pd.DataFrame(own, columns=columns[name]) for name, own in world.blocks.items()], axis=1)
    frame = frame.assign(bin=world.bins)
    rng = np.random.default_rng(SEED)
    start = time.perf_counter()
    for _ in range(loops):
        drawn = frame.groupby("bin").sample(frac=1, replace=True, random_state=rng)
        for name in BENCHMARKS:
            chosen = rng.choice(columns[name], size=BLOCKS)
            drawn[chosen].mean(axis=1).groupby(drawn["bin"]).mean()
    return (time.perf_counter() - start) / loops


def run_default(replicates: int) -> float:
    """Return the seconds of all statistics of a default study: 4 documents a bin, 4 benchmarks, 8 methods."""
    import numpy as np
    import pandas as pd

    from social_provenance.capabilities.benchmark import Benchmark, Evaluation
    from social_provenance.estimation.bootstrap.settings import Bootstrap
    from social_provenance.estimation.maps import contrasts, profiles, strength
    from social_provenance.estimation.maps.aggregate import aggregate
    from social_provenance.estimation.maps.two_way import Blocks
    from social_provenance.gradients.methods.registry import method_names
    from social_provenance.regions.grid import BINS

    evaluation = Evaluation(
        benchmarks=[
            Benchmark.model_validate({"name": name, "domain": domain, "level": level, "task": "task.yaml"})
            for name, (domain, level) in zip(BENCHMARKS, CELLS, strict=True)
        ]
    )
    labels = pd.DataFrame([bin_ for bin_ in BINS for _ in range(PER_BIN)], columns=["topic", "format"])
    labels["doc_id"] = ids = [f"document-{place:08d}" for place in range(len(labels))]
    rng = np.random.default_rng(SEED)
    methods = method_names()[:8]
    own = {
        (name, method): rng.normal(size=(len(ids), BLOCKS)).astype("f4") for name in BENCHMARKS for method in methods
    }
    frames = [
        pd.DataFrame({"doc_id": ids, "benchmark": name, "method": method, "score": blocks.mean(axis=1, dtype=float)})
        for (name, method), blocks in own.items()
    ]
    prevalence = pd.DataFrame(BINS, columns=["topic", "format"]).assign(share=1 / len(BINS))
    names = np.array(ids, dtype=object)
    weights = dict.fromkeys(BENCHMARKS, np.full(BLOCKS, 1 / BLOCKS))
    start = time.perf_counter()
    influence = aggregate(
        pd.concat(frames),
        labels,
        prevalence,
        Bootstrap(replicates=replicates),
        Blocks(weights, lambda c: (names, own[c])),
    )
    influence.bins()
    for axis in ("topic", "format"):
        influence.marginal(axis)
    contrasts.contrast(influence, evaluation)
    strength.contrast_strength(influence, evaluation, SEED)
    profiles.profile_similarity(influence)
    profiles.profile_reliability(influence)
    return time.perf_counter() - start


def forked(function: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a function gives in a forked process, and the most memory it held, GiB."""
    context = multiprocessing.get_context("fork")
    outlet, inlet = context.Pipe(duplex=False)

    def run() -> None:
        result = function()
        inlet.send((result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))

    process = context.Process(target=run)
    process.start()
    inlet.close()
    try:
        result, peak = outlet.recv()
    except EOFError as error:
        raise RuntimeError(f"{function} failed in its process") from error
    process.join()
    return result, peak


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000, help="scored documents")
    parser.add_argument("--replicates", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--loops", type=int, default=10, help="replicates of the plain loop that are run")
    given = parser.parse_args()

    ours, peak = forked(partial(run_ours, given.documents, given.replicates))
    loop, loop_peak = forked(partial(run_loop, given.documents, given.loops))
    default, default_peak = forked(partial(run_default, given.replicates))
    size = {
        "documents": given.documents,
        "benchmarks": len(BENCHMARKS),
        "blocks": BLOCKS,
        "replicates": given.replicates,
    }
    found = {
        "world": size,
        "two_way": {**ours, "peak_gib": peak, "times_faster": loop * given.replicates / ours["seconds"]},
        "pandas_loop": {
            "seconds_a_replicate": loop,
            "extrapolated_seconds": loop * given.replicates,
            "peak_gib": loop_peak,
        },
        "default_study": {"seconds": default, "peak_gib": default_peak},
        "goals": GOALS,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    main()
