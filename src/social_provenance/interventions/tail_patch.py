"""Tail-patch: extra training steps on one region, and the change of each benchmark.

A check for any model and any corpus (Chang et al. 2025 patch with single documents; a region's
mini-batch has less noise): from the trained weights a few optimiser steps on documents of a region,
then the change of each benchmark's normalised gold log-probability. Much of that change is common to all
regions, because any further training changes a model; :func:`summarise_patches` subtracts it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.answers import summarise
from social_provenance.capabilities.items import evenly_spaced
from social_provenance.errors import TailPatchError
from social_provenance.training.batches import Tokens, mean_loss, pad
from social_provenance.training.documents import StoredTokens
from social_provenance.training.loop import cpu_threads, train

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from datasets import Dataset

    from social_provenance.capabilities.scoring import Scorer
    from social_provenance.interventions.settings import TailPatch
    from social_provenance.training.batches import Batch

Region = tuple[str, str | None]
"""A topic and a format, or a topic alone."""


@dataclass(frozen=True)
class PatchedModel:
    """The model that is patched, with its benchmarks.

    Attributes:
        model: Model in memory; every patch starts from its weights and restores them.
        scorer: Scores the items of the benchmarks.
    """

    model: Any
    scorer: Scorer

    def evaluate(self) -> pd.Series:
        """Return the mean normalised gold log-probability of each benchmark, nats per item."""
        table = summarise(self.scorer.score(self.model))
        scores: pd.Series = table.set_index("benchmark")["choice_logprob"]
        return scores


def take_items(requests: pd.DataFrame, items: int | None) -> pd.DataFrame:
    """Return the requests of ``items`` evenly spaced items per benchmark; None: of all."""
    names = requests[["benchmark", "item"]].drop_duplicates()
    kept = [own["item"].to_numpy()[evenly_spaced(len(own), items)] for _, own in names.groupby("benchmark", sort=False)]
    chosen = {str(item) for own in kept for item in own}
    return requests[requests["item"].isin(chosen)].reset_index(drop=True)


def regions_of(tokens: Dataset, level: str) -> dict[Region, StoredTokens]:
    """Return the documents of each region, sorted by ``doc_id``, so that input order has no effect.

    Args:
        tokens: ``doc_id``, ``topic``, ``format``, ``input_ids``.
        level: ``topic`` or ``bin``.
    """
    documents = tokens.select_columns(["doc_id", "topic", "format"]).to_pandas()
    rows = tokens.select_columns(["input_ids"])
    places: dict[Region, list[int]] = {}
    for row in documents.sort_values(["topic", "format", "doc_id"]).itertuples():
        region = (str(row.topic), None if level == "topic" else str(row.format))
        places.setdefault(region, []).append(int(row.Index))
    return {region: StoredTokens(rows, own) for region, own in places.items()}


def patch_regions(
    patched: PatchedModel, regions: Mapping[Region, Sequence[Tokens]], settings: TailPatch
) -> pd.DataFrame:
    """Patch the model with each region in turn, each time from its own weights.

    Args:
        patched: Model with its benchmarks.
        regions: Region -> token ids of its documents.
        settings: Doses, repeats, mini-batches, optimiser.

    Returns:
        ``topic``, ``format`` (null for a whole topic), ``repeat``, ``dose`` (steps), ``benchmark``, ``normalisation``
        and ``change`` of the mean normalised gold log-probability, nats per item.

    Raises:
        TailPatchError: If there are fewer than two regions, so that there is nothing to compare with.
    """
    import pandas as pd

    if len(regions) < 2:
        raise TailPatchError(
            f"the documents are of {len(regions)} region(s): a patch is compared with those of other regions, give "
            f"documents of two topics or more"
        )
    rows: list[dict[str, Any]] = []
    with cpu_threads(settings.optimiser.threads):
        start = {name: value.detach().clone() for name, value in patched.model.state_dict().items()}
        before = patched.evaluate()
        for region, documents in regions.items():
            for repeat in range(settings.repeats):
                named = {"topic": region[0], "format": region[1], "repeat": repeat}
                for dose, after in _dose(patched, region, documents, repeat, settings):
                    changes = (after - before).items()
                    rows += [{**named, "dose": dose, "benchmark": name, "change": change} for name, change in changes]
                patched.model.load_state_dict(start)
    return pd.DataFrame(rows).assign(normalisation=patched.scorer.normalisation)


def summarise_patches(changes: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return the effect of each region: its change minus the mean change over regions, averaged over repeats.

    A few repeats estimate their own variance badly, so it is pooled over the regions of a benchmark and
    dose, and the interval is Student's t with the pooled degrees of freedom. It covers the draw of
    mini-batches only.

    Args:
        changes: Of :func:`patch_regions`.
        confidence: Confidence level of the interval.

    Returns:
        ``topic``, ``format``, ``benchmark``, ``dose``, ``normalisation``, ``change`` and ``effect`` (nats per item,
        means over repeats), ``standard_error``, ``ci_low``, ``ci_high`` (of the effect), ``n_repeats``.
    """
    from scipy.stats import t

    region, asked = ["topic", "format"], ["benchmark", "dose", "normalisation"]
    common = changes.groupby(["repeat", *asked])["change"].transform("mean")
    effects = changes.assign(effect=changes["change"] - common)
    groups = effects.groupby([*region, *asked], sort=False, dropna=False)
    table = groups.agg(
        change=("change", "mean"), effect=("effect", "mean"), variance=("effect", "var"), n_repeats=("effect", "size")
    ).reset_index()
    pooled = table.groupby(asked)["variance"].transform("mean")
    freedom = (table["n_repeats"] - 1) * table.groupby(asked)["effect"].transform("size")
    error = (pooled / table["n_repeats"]) ** 0.5
    reach = error * t.ppf((1 + confidence) / 2, freedom)
    bounds = {"ci_low": table["effect"] - reach, "ci_high": table["effect"] + reach}
    return table.drop(columns="variance").assign(standard_error=error, **bounds)


def _dose(
    patched: PatchedModel, region: Region, documents: Sequence[Tokens], repeat: int, settings: TailPatch
) -> list[tuple[int, pd.Series]]:
    """Train one patch; return each dose with the benchmarks' scores after it."""
    scores: list[tuple[int, pd.Series]] = []

    def set_gradients(batch: Batch) -> dict[str, float]:
        loss = mean_loss(patched.model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return {"loss": float(loss.detach())}

    def after_step(step: int, _: dict[str, float]) -> bool:
        if step in settings.doses:
            scores.append((step, patched.evaluate()))
        return step < settings.doses[-1]

    rng = random.Random(f"patch {settings.seed} {region} {repeat}")
    batches = _batches(documents, rng, settings.batch_documents, patched.model.device)
    train(patched.model, batches, set_gradients, settings.optimiser, lambda _: 1.0, after_step)
    return scores


def _batches(documents: Sequence[Tokens], rng: random.Random, size: int, device: Any) -> Iterator[Batch]:
    """Yield mini-batches forever, the documents in a new order each pass."""
    deck: list[int] = []
    while True:
        batch: list[Tokens] = []
        while len(batch) < size:
            deck = deck or rng.sample(range(len(documents)), len(documents))
            batch.append(documents[deck.pop()])
        yield pad(batch, device)
