"""The runs of an unlearning study before it is planned: their number, and what one of them reads and trains on."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

from social_provenance.forgetting.vocabulary import IDS
from social_provenance.regions.grid import BINS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from social_provenance.forgetting.settings import Unlearning


def count_runs(settings: Unlearning, benchmarks: int) -> int:
    """Return the number of runs of a study: each targeted set once per order seed, each random set once."""
    orders = len(settings.order_seeds)
    in_topics = settings.topics * (orders + settings.random_sets)
    anywhere = orders + settings.global_sets if settings.global_sets else 0
    return len(settings.algorithms) * benchmarks * (in_topics + anywhere)


def made_up_plan(
    tokens: Sequence[Sequence[int]], settings: Unlearning, runs: int
) -> tuple[pd.DataFrame, dict[str, Sequence[int]], dict[str, tuple[str, str]]]:
    """Return runs with as many documents in their sets as those of a study have, the documents of a sample in turn.

    Args:
        tokens: Token ids of the documents of a sample.
        settings: Parameters of the study.
        runs: Number of runs.

    Returns:
        The plan, as of :func:`social_provenance.forgetting.design.plan.list_runs`; document id -> token ids;
        document id -> bin.
    """
    import pandas as pd

    retained = settings.retain_per_topic * (len(TOPICS) - 1)
    sizes = (settings.forget_documents, retained, settings.held_out.per_bin * len(BINS))
    documents = {f"{number:08d}": ids for number, ids in enumerate(islice(cycle(tokens), sum(sizes)))}
    names, starts = list(documents), (0, sizes[0], sizes[0] + sizes[1])
    sets = {name: names[start : start + size] for name, start, size in zip(IDS, starts, sizes, strict=True)}
    shared = {"algorithm": settings.algorithms[0].name, "seed": 0, "steps": settings.steps, **sets}
    plan = pd.DataFrame([{"run_id": f"run-{number}", "digest": str(number), **shared} for number in range(runs)])
    return plan, documents, {name: BINS[number % len(BINS)] for number, name in enumerate(names)}
