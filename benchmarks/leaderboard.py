"""Attribution methods on one leaderboard, judged by retraining. Prints one JSON object and can write a page.

Usage: python benchmarks/leaderboard.py --worlds miniature:51,miniature:52,tofu:STUDY --folder DIR
           [--methods trackstar,influence,...,unrolling,magic] [--damping 0.1,10] [--projection 16,32]
           [--query gold,rival] [--normalizer none,adam] [--checkpoints 6] [--segments 3] [--unrolling adam]
           [--magic all,decay] [--seeds 2] [--halves 12] [--singles] [--roles] [--top 2] [--outcome end]
           [--page FILE]

For each world a model is trained under each seed, every method scores every topic for every benchmark, and models are
retrained without random halves of the topics (``--halves``; 0: none), without single topics (``--singles``), without
all planted topics or all decoys of a benchmark (``--roles``), and without the top topics of each method (``--top``; 0:
none). STUDY is a folder that ``tofu.py`` wrote. Methods are rows, under every ``--damping`` and ``--projection`` on
which they depend, and ``mixture``, a linear fit to the halves themselves, judged on halves that it has not seen.
``unrolling``, ``magic`` and ``trackstar_ensemble`` (likewise ``influence``, ``trak``) follow the training of the model
itself, which is repeated for them; ``rerank`` orders what TrackStar recalls by EK-FAC (``board/along.py``).
Measures are explained in ``board/measures.py``.

Every step is kept in DIR, so that a run that was stopped continues, and another method or world costs its own steps
only. Models, scores and retrainings that were made under other settings or code are refused. A world that failed is
named, left out and counted.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from board.along import plan_along
from board.bank import Bank, arm
from board.measures import (
    HALF,
    TOPIC,
    measure_halves,
    measure_removal,
    measure_singles,
    measure_truth,
    summarise,
    top_topics,
)
from board.mixture import fit_mixture, predict_held_out
from board.page import write_page
from board.studies import COSTS, RANKS, TOPICS, Study, plan_variants
from board.unrolling import VARIANTS, Unrolling
from board.worlds import Truth, parse_world
from social_provenance.hooks.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from board.studies import Variant
    from board.worlds import World

    Map = tuple[pd.DataFrame, pd.DataFrame]

logger = logging.getLogger(__name__)
MIXTURE = "mixture"
KEY = ["method", "world", "seed", "benchmark", "measure", "value"]


def judge_world(world: World, given: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return what is measured of every method in a world, and the effects of leaving out topics of each role.

    The latter are ``one``, the mean over topics left out alone, and ``all``, for each benchmark without all of them.
    """
    import pandas as pd

    folder = given.folder / world.name
    studies = [Study(world, seed, folder) for seed in range(given.seeds)]
    studies[0].make()
    every = given.evaluate_every or studies[0].params()["pretraining"]["evaluate_every"]
    bank = Bank(studies[0], retraining_seeds(given), every, given.outcome)
    bank.bind()
    truth = world.truth(studies[0].root)
    maps = {}
    for study in studies:
        study.make()
        for variant in given.variants:
            maps |= {(label, study.seed): own for label, own in read_maps(study, variant, truth).items()}
        for method in given.along:
            maps[method.label, study.seed] = read_map(method.score(study, truth), method.method, method.method, truth)
    judged: dict[str, Any] = {}
    tables = []
    effects = pd.DataFrame(columns=["design"])
    if given.halves or given.singles:
        plan, effects = bank.retrain(given.halves, None if given.singles else ())
    for (label, seed), (topics, extra) in maps.items():
        measured = [measure_truth(topics), extra]
        if not effects.empty:
            measured += [measure_halves(topics, effects, plan), measure_singles(topics, effects)]
        tables.append(pd.concat(measured).assign(method=label, seed=seed))
    if given.roles:
        judged["all"] = effects_together(bank, truth)
    if given.top:
        tops = {key: top_topics(topics, given.top) for key, (topics, _) in maps.items()}
        removed = bank.remove(topics for own in tops.values() for topics in own.values())
        for (label, seed), own in tops.items():
            arms = {benchmark: arm(topics) for benchmark, topics in own.items()}
            tables.append(measure_removal(arms, removed).assign(method=label, seed=seed))
    if not effects.empty:
        judged["one"] = effects_by_role(effects, truth)
        tables.append(measure_mixture(effects, plan, truth))
    return pd.concat(tables).assign(world=world.name)[KEY], judged


def read_maps(study: Study, variant: Variant, truth: Truth) -> dict[str, Map]:
    """Return label -> the map of topics, and ranks of own documents and cost, of each method of a variant."""
    from social_provenance.gradients.methods.registry import find_methods

    folder = study.score(variant, truth)
    return {
        variant.label(method): read_map(folder, method, find_methods()[method].needs, truth)
        for method in variant.methods
    }


def read_map(folder: Path, method: str, need: str, truth: Truth) -> Map:
    """Return the map of topics of a method, and ranks of own documents and cost.

    Args:
        folder: Folder of its tables.
        method: Its name there.
        need: Key of its cost.
        truth: What is known of the topics.
    """
    import pandas as pd

    influence, ranks = pd.read_parquet(folder / TOPICS), pd.read_parquet(folder / RANKS)
    own = influence[influence["method"] == method].rename(columns={"z": "value"})
    roles = [truth.role(*pair) for pair in zip(own["benchmark"], own["topic"], strict=True)]
    topics = own[["benchmark", "topic", "value"]].assign(role=roles)
    ranked = ranks[ranks["method"] == method].rename(columns={"rank": "value"})
    seconds = json.loads((folder / COSTS).read_text())[need]
    cost = pd.DataFrame([{"benchmark": "all", "measure": "cost", "value": seconds}])
    extra = pd.concat([ranked[["benchmark", "value"]].assign(measure="own_rank"), cost]) if len(ranked) else cost
    return topics, extra


def measure_mixture(effects: pd.DataFrame, plan: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return what is measured of the linear datamodel: its fit to the halves of one seed, judged on unseen halves."""
    import pandas as pd

    from social_provenance.estimation.comparison.agreement import pearson, spearman

    halves = effects[effects["design"] == HALF]
    arms = plan[plan["design"] == HALF].drop_duplicates(["arm", "topic"])
    if arms["arm"].nunique() < 4:
        return pd.DataFrame(columns=KEY)
    shares = 1 - pd.crosstab(arms["arm"], arms["topic"])
    pairs = [position // 2 for position in range(len(shares))]
    tables = []
    for (benchmark, seed), own in halves.groupby(["benchmark", "seed"]):
        outcome = own.set_index("arm")["effect"][shares.index].to_numpy(float)
        mean = halves[halves["benchmark"] == benchmark].groupby("arm")["effect"].mean()[shares.index].to_numpy(float)
        predicted = predict_held_out(shares.to_numpy(float), outcome, pairs)
        weights = fit_mixture(shares.to_numpy(float), outcome).weights
        roles = [truth.role(str(benchmark), topic) for topic in shares.columns]
        topics = pd.DataFrame({"benchmark": benchmark, "topic": shares.columns, "value": weights, "role": roles})
        fitted = [
            {"benchmark": benchmark, "measure": "lds_value", "value": pearson(predicted, mean)},
            {"benchmark": benchmark, "measure": "lds_rank", "value": spearman(predicted, mean)},
        ]
        parts = [pd.DataFrame(fitted), measure_truth(topics), measure_singles(topics, effects)]
        tables.append(pd.concat(parts).assign(method=MIXTURE, seed=seed))
    return pd.concat(tables)


def effects_by_role(effects: pd.DataFrame, truth: Truth) -> dict[str, float]:
    """Return role -> mean effect of leaving out one topic; empty without single topics."""
    singles = effects[effects["design"] == TOPIC]
    roles = [truth.role(*pair) for pair in zip(singles["benchmark"], singles["arm"], strict=True)]
    return {str(role): float(value) for role, value in singles.groupby(np.array(roles, str))["effect"].mean().items()}


def effects_together(bank: Bank, truth: Truth) -> dict[str, dict[str, float]]:
    """Return role -> benchmark -> effect on it of leaving out all its topics of that role."""
    sets = truth.together()
    effects = bank.remove(sets.values()).groupby(["arm", "benchmark"])["effect"].mean()
    together: dict[str, dict[str, float]] = {}
    for (role, benchmark), topics in sets.items():
        together.setdefault(role, {})[benchmark] = float(effects[arm(topics), benchmark])
    return together


def retraining_seeds(given: argparse.Namespace) -> list[int]:
    """Return the seeds of the retrainings: at least two, because noise is estimated between them."""
    return list(range(max(2, given.seeds)))


def judge(given: argparse.Namespace) -> dict[str, Any]:
    """Judge every world and return the report; worlds that fail are left out."""
    import pandas as pd

    tables, failed, effects = [], {}, {}
    for world in given.worlds:
        try:
            table, effects[world.name] = judge_world(world, given)
            tables.append(table)
        except Exception as error:  # one world of many: the others are judged
            logger.exception("world %s failed", world.name)
            failed[world.name] = one_line(error) or f"{type(error).__name__}: {error}"
    rows = summarise(pd.concat(tables)).to_dict("records") if tables else []
    return {
        "worlds": [world.name for world in given.worlds if world.name not in failed],
        "failed": failed,
        "n_failed": len(failed),
        "seeds": given.seeds,
        "retraining_seeds": retraining_seeds(given),
        "halves": given.halves,
        "top": given.top,
        "outcome": given.outcome,
        "effects": effects,
        "rows": [{key: _plain(value) for key, value in row.items()} for row in rows],
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line asks for, worlds and variants read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where every step is kept")
    parser.add_argument("--methods", default="trackstar,influence,gradient_cosine,trak,bm25,embedding,length,loss")
    parser.add_argument("--damping", default="0.1,10")
    parser.add_argument("--projection", default="16")
    parser.add_argument(
        "--query", default="gold", help="kinds of query; those after the first under the first settings"
    )
    parser.add_argument(
        "--normalizer", default="none", help="what gradients are divided by: none, adam; those after the first likewise"
    )
    parser.add_argument("--checkpoints", type=int, default=Unrolling.checkpoints, help="of a training, evenly spaced")
    parser.add_argument("--segments", type=int, default=Unrolling.segments, help="of unrolling; divide --checkpoints")
    parser.add_argument("--unrolling", choices=VARIANTS, default=Unrolling.variant, help="optimiser that it assumes")
    parser.add_argument("--magic", default="all,decay", help="steps that magic differentiates: all, decay, or both")
    parser.add_argument("--seeds", type=int, default=2, help="models in each world")
    parser.add_argument("--halves", type=int, default=12)
    parser.add_argument("--singles", action="store_true", help="also leave out every topic alone")
    parser.add_argument("--roles", action="store_true", help="also leave out all topics of a role and benchmark")
    parser.add_argument("--top", type=int, default=2, help="top topics that are left out for QLD; 0: none")
    parser.add_argument("--outcome", choices=("end", "training_mean"), default="end")
    parser.add_argument("--evaluate-every", type=int, help="steps between evaluations of a retraining")
    parser.add_argument("--environment", help="environment of the miniature instead of base")
    parser.add_argument("--page", type=Path, help="Markdown file to write")
    given = parser.parse_args(arguments)
    given.worlds = [parse_world(text, given.environment) for text in given.worlds.split(",")]
    dampings = [float(value) for value in given.damping.split(",")]
    projections = [int(value) for value in given.projection.split(",")]
    given.variants = plan_variants(
        given.methods.split(","), dampings, projections, given.query.split(","), given.normalizer.split(",")
    )
    unrolling = Unrolling(given.checkpoints, given.segments, given.unrolling)
    given.along = plan_along(given.methods.split(","), unrolling, given.magic.split(","))
    given.folder = given.folder.resolve()
    return given


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge the worlds, print the report and write the page."""
    import torch

    torch.set_num_threads(1)
    given = read_arguments(arguments)
    report = judge(given)
    if given.page:
        given.page.write_text(write_page(report), encoding="utf-8")
    print(json.dumps(report))
    if not report["worlds"]:
        sys.exit("every world failed")


if __name__ == "__main__":
    main()
