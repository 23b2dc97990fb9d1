"""Effects of retraining without topics, and how well cheaper checks predict them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from social_provenance.errors import CounterfactualError
from social_provenance.estimation.comparison.agreement import pearson, spearman
from social_provenance.interventions.retraining import evaluations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd


TAIL_PATCH = "tail_patch"
TRAINING_MEAN, END = "training_mean", "end"
"""Outcomes: mean over all evaluations of a training, and the last evaluation."""
RETRAINING = ["arm", "design", "seed", "steps"]


def measure_retraining(plan: pd.DataFrame, full: Mapping[str, Path], without: Mapping[str, Path]) -> pd.DataFrame:
    """Return the effect of each retraining on each benchmark, against the full training with its seed.

    At the end of training a benchmark may be learned with and without a topic, only at another time;
    ``training_mean`` measures that difference.

    Returns:
        ``arm``, ``design``, ``outcome`` (``training_mean`` or ``end``), ``benchmark``, ``normalisation``,
        ``seed``, ``steps``, ``full`` and ``without`` (mean normalised gold log-probability, nats per item) and
        ``effect``, their difference: negative if the documents left out support the benchmark.

    Raises:
        CounterfactualError: If a training of the plan is missing.
    """
    import pandas as pd

    tables = []
    for run in plan[RETRAINING].drop_duplicates().to_dict("records"):
        reference, retrained = (
            _outcomes(full, f"seed-{run['seed']}"),
            _outcomes(without, f"seed-{run['seed']}.{run['arm']}"),
        )
        tables.append(pd.DataFrame({"full": reference, "without": retrained, **run}).reset_index())
    table: pd.DataFrame = pd.concat(tables, ignore_index=True)
    table["effect"] = table["without"] - table["full"]
    return table[
        ["arm", "design", "outcome", "benchmark", "normalisation", "seed", "steps", "full", "without", "effect"]
    ]


def values_of_topics(topics: pd.DataFrame, patches: pd.DataFrame | None) -> pd.DataFrame:
    """Return the value of each topic by each check.

    Args:
        topics: Table ``topic_influence``; the value is ``z``.
        patches: Table ``tail_patch``; each dose is a check of its own, ``tail_patch_4``. Bins of a
            topic are averaged. None without tail-patches.

    Returns:
        ``method``, ``benchmark``, ``topic``, ``value``, larger for more support.
    """
    import pandas as pd

    columns = ["method", "benchmark", "topic", "value"]
    values = topics.rename(columns={"z": "value"})[columns]
    if patches is None:
        return values
    doses = patches_of_topics(patches)
    patched = doses.assign(method=TAIL_PATCH + "_" + doses["dose"].astype(str)).rename(columns={"effect": "value"})
    table: pd.DataFrame = pd.concat([values, patched[columns]], ignore_index=True)
    return table


def patches_of_topics(patches: pd.DataFrame) -> pd.DataFrame:
    """Return the mean ``effect`` over bins, per ``benchmark``, ``dose`` and ``topic`` of the table ``tail_patch``."""
    means: pd.DataFrame = patches.groupby(["benchmark", "dose", "topic"], as_index=False, sort=False)[["effect"]].mean()
    return means


def predict_effects(plan: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """Predict the effect of leaving topics out by each check: the sum of their values (Park et al. 2023).

    Args:
        plan: Of :func:`~social_provenance.interventions.retraining.plan_retraining`.
        checks: Of :func:`values_of_topics`.

    Returns:
        ``method``, ``benchmark``, ``arm``, ``value``, larger for more support.

    Raises:
        CounterfactualError: If a check lacks a topic that was left out.
    """
    left_out = plan[["arm", "topic"]].drop_duplicates()
    topics = sorted(left_out["topic"].unique())
    wide = checks.pivot(index=["method", "benchmark"], columns="topic", values="value").reindex(columns=topics)
    values = wide.reset_index().melt(["method", "benchmark"], var_name="topic")
    for gap in values[values["value"].isna()].to_dict("records"):
        raise CounterfactualError(
            f"{gap['method']} has no value of topic {gap['topic']!r} for {gap['benchmark']}: it was made from other "
            f"documents, run the pipelines attribution, aggregation and tail_patch again"
        )
    arms = values.merge(left_out, on="topic").groupby(["method", "benchmark", "arm"], sort=False)
    expected: pd.DataFrame = arms["value"].sum().reset_index()
    return expected


def compare_with_retraining(effects: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Return the correlation of predicted with measured effects over retrainings, by rank and by value.

    Ranks weigh all retrainings equally, including those whose effect is noise; values emphasise the few
    large effects. Over random halves the rank correlation is the linear datamodeling score (Park et al.
    2023). Seeds measure how well retraining agrees with itself. The mean of k seeds whose effects correlate
    by r has the reliability k r / (1 + (k - 1) r) (Spearman 1910, Brown 1910), and no check that is
    independent of its noise can be expected to correlate with it by more than the square root of
    that: the noise ceiling.

    Args:
        effects: Of :func:`measure_retraining`.
        expected: Of :func:`predict_effects`.

    Returns:
        ``design``, ``outcome``, ``benchmark``, ``method``, ``measure`` (``rank`` or ``value``),
        ``n_arms``, ``correlation`` (with minus the effect, mean over seeds), ``seed_correlation``
        (mean over pairs of seeds), ``reliability``, ``noise_ceiling``. NaN where a correlation does
        not exist; the ceiling is 0 where seeds do not agree at all.
    """
    import pandas as pd

    rows = []
    for (design, outcome, benchmark), measured in effects.groupby(["design", "outcome", "benchmark"], sort=False):
        seeds = -measured.pivot(index="arm", columns="seed", values="effect")
        came = seeds.mean(axis=1).to_numpy(float)
        ceilings = {measure: _noise(seeds, correlate) for measure, correlate in MEASURES.items()}
        for method, values in expected[expected["benchmark"] == benchmark].groupby("method", sort=False):
            value = values.set_index("arm")["value"][seeds.index].to_numpy(float)
            named = {"design": design, "outcome": outcome, "benchmark": benchmark, "method": method}
            rows += [
                {
                    **named,
                    "measure": measure,
                    "n_arms": len(seeds),
                    "correlation": correlate(came, value),
                    **ceilings[measure],
                }
                for measure, correlate in MEASURES.items()
            ]
    return pd.DataFrame(rows)


def _noise(seeds: pd.DataFrame, correlate: Callable[[np.ndarray, np.ndarray], float]) -> dict[str, float]:
    count = seeds.shape[1]
    effects = seeds.to_numpy(float).T
    pairs = [correlate(effects[i], effects[j]) for i in range(count) for j in range(i)]
    agreed = float(np.mean(pairs))
    kept = max(agreed, 0.0) if np.isfinite(agreed) else agreed
    reliability = count * kept / (1 + (count - 1) * kept)
    return {"seed_correlation": agreed, "reliability": reliability, "noise_ceiling": float(np.sqrt(reliability))}


MEASURES = {"rank": spearman, "value": pearson}


def _outcomes(folders: Mapping[str, Path], part: str) -> pd.Series:
    """Return the normalised gold log-probability by ``outcome``, ``benchmark`` and ``normalisation``."""
    import pandas as pd

    if part not in folders:
        raise CounterfactualError(f"training {part} is missing: run the pipeline counterfactual again")
    log = evaluations(folders[part])
    scores = log.pivot(index="step", columns=["benchmark", "normalisation"], values="choice_logprob").sort_index()
    outcomes: pd.Series = pd.concat({TRAINING_MEAN: scores.mean(), END: scores.iloc[-1]}, names=["outcome"])
    return outcomes
