"""What retraining without a topic did, and how far cheaper checks rank topics as it does."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from social_provenance.errors import CounterfactualError
from social_provenance.estimation.agreement import pearson, spearman
from social_provenance.interventions.retraining import final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from social_provenance.interventions.settings import Counterfactual

TAIL_PATCH = "tail_patch"


def choose_topics(truth: pd.DataFrame, settings: Counterfactual) -> list[str]:
    """Return the topics to leave out: those given, or every planted one and some others, in a seeded draw.

    Args:
        truth: ``topic``, ``planted`` (benchmark or null), one row a document.
        settings: Which, or how many.
    """
    if settings.topics is not None:
        return list(settings.topics)
    planted = sorted(truth.loc[truth["planted"].notna(), "topic"].unique())
    others = sorted(set(truth["topic"]) - set(planted))
    drawn = random.Random("unplanted").sample(others, min(settings.unplanted, len(others)))
    return [*planted, *sorted(drawn)]


def measure(plan: pd.DataFrame, full: Mapping[str, Path], without: Mapping[str, Path]) -> pd.DataFrame:
    """Return the effect of each retraining on each benchmark, against the full training with its seed.

    Returns:
        ``topic``, ``benchmark``, ``seed``, ``steps``, ``full`` and ``without`` (mean normalised gold
        log-probability, nats an item) and ``effect``, their difference: negative where the topic
        supports the benchmark.

    Raises:
        CounterfactualError: If a training of the plan is not there.
    """
    import pandas as pd

    rows = []
    for run in plan.itertuples():
        reference, own = _score(full, f"seed-{run.seed}"), _score(without, f"seed-{run.seed}.{run.topic}")
        named = {"topic": run.topic, "benchmark": reference.index, "seed": run.seed, "steps": run.steps}
        rows.append(pd.DataFrame({**named, "full": reference.to_numpy(), "without": own[reference.index].to_numpy()}))
    table: pd.DataFrame = pd.concat(rows, ignore_index=True)
    table["effect"] = table["without"] - table["full"]
    return table


def found(topics: pd.DataFrame, patches: pd.DataFrame) -> pd.DataFrame:
    """Return how each check values topics: ``method``, ``benchmark``, ``topic``, ``value``, larger for more support.

    Args:
        topics: Table ``topic_influence``; the value is ``z``.
        patches: Table ``tail_patch``; each dose is a check of its own, ``tail_patch_4``. Bins of a
            topic are averaged.
    """
    import pandas as pd

    doses = patches.groupby(["benchmark", "dose", "topic"], as_index=False, sort=False)["effect"].mean()
    patched = doses.assign(method=TAIL_PATCH + "_" + doses["dose"].astype(str)).rename(columns={"effect": "value"})
    columns = ["method", "benchmark", "topic", "value"]
    table: pd.DataFrame = pd.concat([topics.rename(columns={"z": "value"})[columns], patched[columns]])
    return table.reset_index(drop=True)


def compare(effects: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """Return the correlation over topics of each check with the effects of retraining, by rank and by value.

    Ranks weigh all topics alike, also those whose effect is noise; values weigh the few of large effect.
    Seeds say how far retraining agrees with itself. The mean of k seeds whose effects correlate by r
    has the reliability k r / (1 + (k - 1) r) (Spearman 1910, Brown 1910), and no check that is
    independent of its noise can be expected to correlate with it by more than the square root of
    that: the noise ceiling.

    Args:
        effects: Of :func:`measure`.
        checks: Of :func:`found`.

    Returns:
        ``benchmark``, ``method``, ``measure`` (``rank`` or ``value``), ``n_topics``, ``correlation``
        (with the support of a topic: minus its effect, mean over seeds), ``seed_correlation`` (mean
        over pairs of seeds), ``reliability``, ``noise_ceiling``. NaN where a correlation does not
        exist; the ceiling is 0 where seeds do not agree at all.

    Raises:
        CounterfactualError: If a check lacks a topic that was left out.
    """
    import pandas as pd

    rows = []
    for benchmark, own in effects.groupby("benchmark", sort=False):
        seeds = -own.pivot(index="topic", columns="seed", values="effect")
        for method, values in checks[checks["benchmark"] == benchmark].groupby("method", sort=False):
            value = values.set_index("topic")["value"].reindex(seeds.index)
            if value.isna().any():
                raise CounterfactualError(
                    f"{method} has no value of topic {value.index[value.isna()][0]!r} for {benchmark}: it was made "
                    f"from other documents, run the pipelines attribution, aggregation and tail_patch again"
                )
            for measure, correlate in MEASURES.items():
                named = {"benchmark": benchmark, "method": method, "measure": measure, "n_topics": len(seeds)}
                agreed = correlate(seeds.mean(axis=1).to_numpy(float), value.to_numpy(float))
                rows.append({**named, "correlation": agreed, **_noise(seeds, correlate)})
    return pd.DataFrame(rows)


def _noise(seeds: pd.DataFrame, correlate: Callable[[np.ndarray, np.ndarray], float]) -> dict[str, float]:
    import numpy as np

    count = seeds.shape[1]
    effects = seeds.to_numpy(float).T
    pairs = [correlate(effects[i], effects[j]) for i in range(count) for j in range(i)]
    agreed = float(np.mean(pairs))
    kept = max(agreed, 0.0) if np.isfinite(agreed) else agreed
    reliability = count * kept / (1 + (count - 1) * kept)
    return {"seed_correlation": agreed, "reliability": reliability, "noise_ceiling": float(np.sqrt(reliability))}


MEASURES = {"rank": spearman, "value": pearson}


def _score(folders: Mapping[str, Path], part: str) -> pd.Series:
    if part not in folders:
        raise CounterfactualError(f"training {part} is not there: run the pipeline counterfactual again")
    table = final(folders[part])
    return table.set_index("benchmark")["choice_logprob"]
