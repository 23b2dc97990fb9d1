"""Retraining of the small model: on all documents, without each topic, and without random halves of all topics.

A retraining differs from the full training under the same seed only in what is left out: it has the same
initial weights, steps and schedule, and every other document at the same position. If it stopped when it has
learned, as the full training does, it would train until the effect of the missing documents was gone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import OneByOne, Parts
from social_provenance.errors import CounterfactualError, did_you_mean
from social_provenance.fingerprint import digest_of
from social_provenance.pretraining.pretrain import pretrain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from social_provenance.interventions.settings import Counterfactual
    from social_provenance.pretraining.settings import Pretraining

LOG = "log.parquet"
TOPIC, HALF = "topic", "half"
"""Designs: one topic is left out, or a random half of all topics is."""
RUN = ["seed", "arm", "steps", "evaluate_every"]


@dataclass(frozen=True)
class Training:
    """Documents, benchmarks and parameters that all trainings of the study share.

    Attributes:
        tokens: Document id -> token ids, in the order in which the model was trained.
        topics: Document id -> topic, of the same documents.
        tokenizer: Tokenizer of the documents.
        requests: Tokenised choices of the benchmarks.
        settings: Parameters of the full training.
        batch_size: Choices scored at a time.
    """

    tokens: Mapping[str, Sequence[int]]
    topics: Mapping[str, str]
    tokenizer: Any
    requests: pd.DataFrame
    settings: Pretraining
    batch_size: int

    def positions_of(self, topics: Sequence[str]) -> tuple[int, ...]:
        """Return the positions of these topics' documents in the order of training.

        Raises:
            CounterfactualError: If a document has no label, or a topic no document.
        """
        missing = next((doc_id for doc_id in self.tokens if doc_id not in self.topics), None)
        if missing is not None:
            raise CounterfactualError(f"document {missing!r} has no topic: run the taxonomy pipeline again")
        known = {self.topics[doc_id] for doc_id in self.tokens}
        for topic in topics:
            if topic not in known:
                hint = did_you_mean(topic, known)
                raise CounterfactualError(
                    f"counterfactual.topics: no document is of topic {topic!r}{hint}; leave it out"
                )
        return tuple(position for position, doc_id in enumerate(self.tokens) if self.topics[doc_id] in topics)


def plan_full(training: Training, params: Counterfactual) -> Parts:
    """Describe the full training under each seed as a part, ``seed-0``."""
    shared = _shared(training)
    settings = {f"seed-{seed}": _full(training.settings, seed, params.evaluate_every) for seed in params.seeds}
    return Parts(
        {name: digest_of(shared, own) for name, own in settings.items()},
        OneByOne({name: partial(_train, training, own, ()) for name, own in settings.items()}),
    )


def plan_without(training: Training, plan: pd.DataFrame) -> Parts:
    """Describe each retraining as a part, ``seed-0.games``.

    All seeds of an arm come before the next arm, so that a run that was stopped has whole arms.

    Args:
        training: What all trainings share.
        plan: Of :func:`plan_retraining`.
    """
    shared = _shared(training)
    inputs, writers = {}, {}
    for run in plan.groupby(RUN, sort=False)["topic"].agg(list).reset_index().to_dict("records"):
        settings = _equal_steps(_full(training.settings, run["seed"], run["evaluate_every"]), run["steps"])
        name, positions = f"seed-{run['seed']}.{run['arm']}", training.positions_of(run["topic"])
        inputs[name] = digest_of(shared, settings, list(positions))
        writers[name] = partial(_train, training, settings, positions)
    return Parts(inputs, OneByOne(writers))


def plan_retraining(topics: Sequence[str], params: Counterfactual, full: Mapping[str, Path]) -> pd.DataFrame:
    """Plan the retrainings: which topics each one leaves out.

    Args:
        topics: Topics of the documents, in any order.
        params: Topics that are left out alone, number of halves.
        full: Part -> folder of the full training under each seed.

    Returns:
        One row per topic that a retraining leaves out: ``seed``, ``arm`` (the topic, or
        ``half-00``), ``design`` (``topic`` or ``half``), ``topic``, the ``steps`` of the full
        training under that seed, and ``evaluate_every``.
    """
    import pandas as pd

    everything = sorted(set(topics))
    alone = [(topic, TOPIC, topic) for topic in (everything if params.topics is None else params.topics)]
    halves = [
        (f"half-{number:02d}", HALF, topic)
        for number, half in enumerate(draw_halves(everything, params.halves))
        for topic in half
    ]
    rows = [
        (seed_of(part), *arm, int(final(folder)["step"].iloc[0]), params.evaluate_every)
        for arm in (*halves, *alone)
        for part, folder in full.items()
    ]
    return pd.DataFrame(rows, columns=["seed", "arm", "design", "topic", "steps", "evaluate_every"])


def draw_halves(topics: Sequence[str], count: int) -> list[list[str]]:
    """Return random halves of the topics in complementary pairs, so that each topic is left out as often as kept."""
    halves: list[list[str]] = []
    for pair in range((count + 1) // 2):
        order = random.Random(f"half {pair}").sample(list(topics), len(topics))
        middle = len(order) // 2
        halves += [sorted(order[:middle]), sorted(order[middle:])]
    return halves[:count]


def seed_of(part: str) -> int:
    """Return the seed that a part is named after."""
    return int(part.partition(".")[0].removeprefix("seed-"))


def evaluations(folder: Path) -> pd.DataFrame:
    """Return the evaluations of a training, during it and at its end.

    Returns:
        ``step``, ``benchmark``, ``accuracy``, ``choice_logprob`` and so on.
    """
    import pandas as pd

    return pd.read_parquet(folder / LOG)


def final(folder: Path) -> pd.DataFrame:
    """Return the last of the :func:`evaluations` of a training."""
    log = evaluations(folder)
    last: pd.DataFrame = log[log["step"] == log["step"].max()].reset_index(drop=True)
    return last


def _full(settings: Pretraining, seed: int, evaluate_every: int) -> Pretraining:
    return settings.model_copy(update={"seed": seed, "evaluate_every": evaluate_every, "checkpoints": ()})


def _equal_steps(settings: Pretraining, steps: int) -> Pretraining:
    """Return the settings of a training of exactly ``steps`` steps, whether it has learned or not."""
    decay = min(settings.decay_steps, steps)
    return settings.model_copy(update={"max_steps": steps, "decay_steps": decay, "learned_accuracy": None})


def _train(training: Training, settings: Pretraining, left_out: Sequence[int], folder: Path) -> None:
    documents = list(training.tokens.values())
    made = pretrain(documents, training.tokenizer, lambda _: training.requests, settings, training.batch_size, left_out)
    made.log.to_parquet(folder / LOG)


def _shared(training: Training) -> str:
    requests = training.requests
    tokens = [[list(ids) for ids in requests[column]] for column in ("prompt_ids", "completion_ids")]
    return digest_of(
        [[int(token) for token in document] for document in training.tokens.values()],
        requests[["benchmark", "item", "is_gold", "units", "normalisation"]].to_numpy(),
        tokens,
        len(training.tokenizer),
        training.batch_size,
        [version(name) for name in ("torch", "transformers", "lm_eval")],
    )
