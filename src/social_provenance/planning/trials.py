"""Trials: seconds of the study's own code on a sample, from which those of all documents follow.

Each trial runs what a stage runs, on as little as shows its pace, and twice where a fixed part is to be told from what
grows: the first call of a library costs seconds that no document has to answer for.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.scoring import Scorer
from social_provenance.capabilities.split import items_for
from social_provenance.forgetting.runs.forecast import made_up_plan
from social_provenance.forgetting.runs.run import Bench, execute_run
from social_provenance.forgetting.runs.study import PASSES, plan_parts
from social_provenance.gradients.methods.scoring import plan_scores, plan_text_scores
from social_provenance.gradients.methods.text_methods import TextCorpus
from social_provenance.gradients.queries.build import build_queries, query_sets
from social_provenance.gradients.settings import Distributed
from social_provenance.gradients.walk.collect import plan_corpus, plan_queries
from social_provenance.gradients.walk.sequences import tokenize_documents
from social_provenance.gradients.walk.store import GradientStore, query_stores
from social_provenance.interventions import tail_patch
from social_provenance.language_model import max_tokens
from social_provenance.planning.clock import clocked, fewest_seconds
from social_provenance.planning.parts import new_folder, write_parts
from social_provenance.pretraining.pretrain import pretrain
from social_provenance.processes import worker_pool
from social_provenance.regions.grid import BINS
from social_provenance.training.loop import cpu_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from datasets import Dataset

    from social_provenance.artifacts import Parts
    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study

FEW, MORE = 16, 96
"""Documents of the two trials of a walk."""
ITEMS = (4, 16)
"""Items of each benchmark in the two trials of a scorer."""
STEPS = (2, 10)
"""Optimiser steps of the two trials of pretraining."""
LONGEST_RUN = 24
"""Steps of an unlearning run that is tried as it is; a longer one is tried with as many readings and fewer steps."""
TRIED_PATCHES = 2
"""Patches of each of two regions."""
COPIES = 16
"""Times that a shard is compared, to tell what a document costs from what a comparison costs."""


@dataclass(frozen=True)
class Line:
    """Seconds that grow along a straight line.

    Attributes:
        fixed: Seconds of nothing.
        per: Seconds per unit.
    """

    fixed: float
    per: float

    @classmethod
    def through(cls, one: tuple[float, float], other: tuple[float, float]) -> Line:
        """Return the line through two measurements (units, seconds); neither part is negative."""
        per = max(0.0, (other[1] - one[1]) / (other[0] - one[0]))
        return cls(max(0.0, one[1] - per * one[0]), per)

    def at(self, units: float) -> float:
        return self.fixed + self.per * units


@dataclass(frozen=True)
class Sample:
    """What the trials work on.

    Attributes:
        model: The model; small enough to be tried.
        texts: Texts of some documents.
        requests: Choices of all items, and what they are for.
    """

    model: LanguageModel
    texts: Sequence[str]
    requests: pd.DataFrame

    def tokens(self, budget: int) -> Dataset:
        """Return the token sequences of the texts, their bins in turn."""
        import ibis
        import pandas as pd

        rows = [(f"{number:06d}", text, *BINS[number % len(BINS)]) for number, text in enumerate(self.texts)]
        table = pd.DataFrame(rows, columns=["doc_id", "text", "topic", "format"]).assign(bin_rank=0)
        limit = min(budget, max_tokens(self.model.config()))
        return tokenize_documents(ibis.memtable(table), self.model.tokenizer(), limit)


def try_small_model(sample: Sample, study: Study, stages: Sequence[str]) -> dict[str, Any]:
    """Return the measurements of the trials of a model that is tried as it is.

    Args:
        sample: Model, texts, requests.
        study: Parameters.
        stages: Names of the stages that will run.

    Returns:
        Stage, or part of one -> its measurements.
    """
    tokens = sample.tokens(study.gradients.max_tokens)
    found: dict[str, Any] = {}
    if "pretrain" in stages:
        found["pretrain"] = try_pretraining(sample, study)
    with tempfile.TemporaryDirectory() as name:
        found["walk"], stores = try_walk(sample, tokens, study, Path(name))
        if "compare" in stages:
            found["compare"] = try_comparison(sample, tokens, study, stores)
    if "tail_patch" in stages:
        found["tail_patch"] = try_patches(sample, tokens, study)
    if "unlearn" in stages:
        found["unlearn"] = try_runs(sample, tokens, study)
    return found


def try_pretraining(sample: Sample, study: Study) -> dict[str, Any]:
    """Return the seconds of a step, and of an evaluation of all items."""
    tokenizer = sample.model.tokenizer()
    tokens = tokenizer(list(sample.texts), verbose=False)["input_ids"]
    requests = tail_patch.take_items(sample.requests.drop(columns="use"), ITEMS[0])

    def steps(count: int) -> float:
        asked = {"max_steps": count, "decay_steps": 1, "evaluate_every": count, "checkpoints": ()}
        settings = study.pretraining.model_copy(update={**asked, "learned_accuracy": None})
        return clocked(lambda: pretrain(tokens, tokenizer, lambda _: requests, settings, study.evaluation.batch_size))

    steps(1)
    line = Line.through(*((count, steps(count)) for count in STEPS))
    return {"step": line.per, "score": vars(try_scorer(sample, sample.requests.drop(columns="use"), study))}


def try_scorer(sample: Sample, requests: pd.DataFrame, study: Study) -> Line:
    """Return the seconds of scoring choices."""
    model = sample.model.load()
    scorers = [Scorer(tail_patch.take_items(requests, items), study.evaluation.batch_size) for items in ITEMS]
    scorers[0].score(model)
    with cpu_threads(study.pretraining.optimiser.threads):
        points = [(len(one.requests), clocked(partial(one.score, model))) for one in scorers]
    return Line.through(*points) if points[0][0] < points[1][0] else Line(points[0][1], 0.0)


def try_walk(
    sample: Sample, tokens: Dataset, study: Study, folder: Path
) -> tuple[dict[str, Any], tuple[dict[str, Path], dict[str, Path]]]:
    """Return the seconds of a walk by tokens, of its own trial, and of a set of queries; and the stores."""
    points = []
    for count in (1, FEW, MORE):
        part = tokens.select(range(min(count, len(tokens))))
        parts = plan_corpus(part, sample.model, study.gradients, Distributed())
        points.append((sum(part["length"]), fewest_seconds(partial(_write, parts))))
    shard = write_parts(parts, folder / "corpus")
    trial = fewest_seconds(parts.pace) if parts.pace else 0.0
    line = Line.through(*points[1:])
    sets, few = (query_sets(_queries(sample, tokens, study, items)) for items in (None, ITEMS[0]))
    parts = plan_queries(few, sample.model, study.gradients, Distributed())
    folders = write_parts(parts, folder / "queries")
    spent = fewest_seconds(partial(_write, parts))
    asked = sum(sum(rows["length"]) for rows in few.values())
    of_set = max(0.0, spent - line.at(asked)) / len(few)
    return {
        "tokens": vars(line),
        "trial": trial,
        "set": of_set,
        "sets": len(sets),
        "query_tokens": sum(sum(rows["length"]) for rows in sets.values()),
        "queries": sum(map(len, sets.values())),
    }, (shard, folders)


def try_comparison(
    sample: Sample, tokens: Dataset, study: Study, stores: tuple[dict[str, Path], dict[str, Path]]
) -> dict[str, Any]:
    """Return the seconds of comparing documents with queries, by documents: by gradients, and by texts."""
    ((name, shard),), queries = stores[0].items(), query_stores(stores[1])
    table, vocabulary = _queries(sample, tokens, study, ITEMS[0]), len(sample.model.tokenizer())

    def compare(copies: int) -> tuple[float, float]:
        store = GradientStore({f"{name}-{copy}": shard for copy in range(copies)})
        texts = TextCorpus(tokens, store, table, queries, vocabulary, study.scoring.chunk)
        return clocked(lambda: _write(plan_scores(store, queries, study.scoring))), clocked(
            lambda: _write(plan_text_scores(texts, study.scoring))
        )

    documents = min(MORE, len(tokens))
    one, many = compare(1), compare(COPIES)
    points = ((documents, COPIES * documents),) * 2
    lines = [Line.through((at[0], few), (at[1], more)) for at, few, more in zip(points, one, many, strict=True)]
    return {"gradients": vars(lines[0]), "texts": vars(lines[1])}


def try_patches(sample: Sample, tokens: Dataset, study: Study) -> dict[str, Any]:
    """Return the seconds of patching the model with one region once."""
    settings = study.tail_patch
    scorer = Scorer(
        tail_patch.take_items(sample.requests.drop(columns="use"), settings.items), study.evaluation.batch_size
    )
    patched = tail_patch.PatchedModel(sample.model.load(), scorer)
    documents = tokens["input_ids"]
    regions: dict[tuple[str, str | None], Any] = {("one", None): documents[::2], ("other", None): documents[1::2]}
    few = settings.model_copy(update={"repeats": TRIED_PATCHES})
    return {"patch": clocked(lambda: tail_patch.patch_regions(patched, regions, few)) / (2 * TRIED_PATCHES)}


def try_runs(sample: Sample, tokens: Dataset, study: Study) -> dict[str, Any]:
    """Return the seconds of an unlearning run, of the start of a process, and of the trial that a study begins with."""
    settings = study.unlearning
    shorter = -(-settings.steps // LONGEST_RUN)
    brief = settings.model_copy(
        update={"steps": settings.steps // shorter, "read_every": max(1, settings.read_every // shorter)}
    )
    scorer = Scorer(items_for(sample.requests, "evaluation"), study.evaluation.batch_size)
    plan, documents, bins = made_up_plan(tokens["input_ids"], brief, 2)
    bench = Bench(sample.model, scorer, documents, bins, brief)
    parts, pace = plan_parts(plan, bench), []
    trial = clocked(lambda: pace.append(parts.pace() if parts.pace else None))
    with tempfile.TemporaryDirectory() as folder:
        rows = [(row, new_folder(Path(folder) / row["run_id"])) for row in plan.to_dict("records")]
        _, run = (clocked(lambda row=row, at=at: execute_run(bench, row, at)) for row, at in rows)  # type: ignore[misc]
    batch = 2 * settings.batch_documents * sum(map(len, documents.values())) / len(documents)
    step = (pace[0] or 0.0) * PASSES * batch * settings.processes
    few = Scorer(tail_patch.take_items(scorer.requests, 1), scorer.batch_size)
    with worker_pool(1) as pool:
        start = pool.submit(_first_score, sample.model, few).result()
    return {"run": run + (settings.steps - brief.steps) * step, "start": start, "trial": trial}


def _first_score(model: LanguageModel, scorer: Scorer) -> float:
    """Return the seconds of the processor that a new process takes until it has scored something."""
    scorer.score(model.load())
    return time.process_time()


def _queries(sample: Sample, tokens: Dataset, study: Study, items: int | None) -> pd.DataFrame:
    """Return the queries of some items of each benchmark; None: of all."""
    requests = tail_patch.take_items(items_for(sample.requests, "attribution"), items)
    asked = {"blocks": study.queries["blocks"], "seed": study.queries["seed"], "query": study.queries["query"]}
    return build_queries(requests, study.nulls, tokens["input_ids"], **asked)


def _write(parts: Parts) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_parts(parts, Path(folder))
