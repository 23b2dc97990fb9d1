"""Train the small model again: on everything, and without one topic after another.

A retraining without a topic has the steps and the schedule of the full training under the same
seed. Were it to stop when it has learned, as the full one does, it would train until the effect of
the missing documents was gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Parts, one_by_one
from social_provenance.errors import CounterfactualError, did_you_mean
from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.pretraining.pretrain import pretrain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from social_provenance.pretraining.pretrain import Pretraining

LOG = "log.parquet"
CODE = ("interventions/retraining.py", "pretraining", "capabilities")
"""What a training's numbers depend on, below the package."""


@dataclass(frozen=True)
class Training:
    """What every training of the study shares.

    Attributes:
        tokens: Document id -> token ids, in the order in which the model was trained.
        topics: Document id -> topic, of the same documents.
        tokenizer: Of the documents.
        requests: Choices of the benchmarks, tokenised.
        settings: Of the full training.
        batch_size: Choices scored at a time.
    """

    tokens: Mapping[str, Sequence[int]]
    topics: Mapping[str, str]
    tokenizer: Any
    requests: pd.DataFrame
    settings: Pretraining
    batch_size: int

    def without(self, topic: str | None) -> list[Sequence[int]]:
        """Return the documents of all topics but one.

        Raises:
            CounterfactualError: If a document has no label, or the topic no document.
        """
        missing = next((doc_id for doc_id in self.tokens if doc_id not in self.topics), None)
        if missing is not None:
            raise CounterfactualError(f"document {missing!r} has no topic: run the taxonomy pipeline again")
        kept = [tokens for doc_id, tokens in self.tokens.items() if self.topics[doc_id] != topic]
        if topic is not None and len(kept) == len(self.tokens):
            hint = did_you_mean(topic, set(self.topics.values()))
            raise CounterfactualError(f"counterfactual.topics: no document is of topic {topic!r}{hint}")
        return kept


def plan_full(training: Training, seeds: Sequence[int]) -> Parts:
    """Describe the full training under each seed as a part, ``seed-0``."""
    shared = _shared(training)
    documents = training.without(None)
    return Parts(
        {f"seed-{seed}": digest_of(shared, _digest(documents), training.settings, seed) for seed in seeds},
        one_by_one({f"seed-{seed}": partial(_train, training, documents, _full(training, seed)) for seed in seeds}),
    )


def plan_without(training: Training, plan: pd.DataFrame) -> Parts:
    """Describe each retraining as a part, ``seed-0.games``; all topics of a seed before the next seed.

    Args:
        training: What they share.
        plan: Of :func:`plan_retraining`.
    """
    shared = _shared(training)
    kept = {topic: training.without(topic) for topic in plan["topic"].unique()}
    digests, writers = {}, {}
    for row in plan.sort_values("seed", kind="stable").to_dict("records"):
        settings = _equal_steps(training.settings, int(row["seed"]), int(row["steps"]))
        name, topic = f"seed-{row['seed']}.{row['topic']}", row["topic"]
        digests[name] = digest_of(shared, _digest(kept[topic]), settings, topic)
        writers[name] = partial(_train, training, kept[topic], settings)
    return Parts(digests, one_by_one(writers))


def plan_retraining(topics: Sequence[str], full: Mapping[str, Path]) -> pd.DataFrame:
    """Return every retraining: ``seed``, ``topic`` and the ``steps`` of the full training under that seed."""
    import pandas as pd

    rows = [
        {"seed": seed_of(part), "topic": topic, "steps": int(final(folder)["step"].iloc[0])}
        for part, folder in full.items()
        for topic in topics
    ]
    return pd.DataFrame(rows, columns=["seed", "topic", "steps"])


def seed_of(part: str) -> int:
    """Return the seed that a part is named after."""
    return int(part.partition(".")[0].removeprefix("seed-"))


def final(folder: Path) -> pd.DataFrame:
    """Return the last evaluation of a training: ``step``, ``benchmark``, ``accuracy``, ``choice_logprob``, ..."""
    import pandas as pd

    log = pd.read_parquet(folder / LOG)
    last: pd.DataFrame = log[log["step"] == log["step"].max()].reset_index(drop=True)
    return last


def _full(training: Training, seed: int) -> Pretraining:
    return training.settings.model_copy(update={"seed": seed, "checkpoints": ()})


def _equal_steps(settings: Pretraining, seed: int, steps: int) -> Pretraining:
    """Return the settings of a training that takes so many steps, learned or not."""
    return settings.model_copy(
        update={
            "seed": seed,
            "max_steps": steps,
            "decay_steps": min(settings.decay_steps, steps),
            "learned_accuracy": None,
            "evaluate_every": steps,
            "checkpoints": (),
        }
    )


def _train(training: Training, documents: Sequence[Sequence[int]], settings: Pretraining, folder: Path) -> None:
    _, log, _ = pretrain(documents, training.tokenizer, lambda _: training.requests, settings, training.batch_size)
    log.to_parquet(folder / LOG)


def _shared(training: Training) -> str:
    requests = training.requests
    tokens = [[list(ids) for ids in requests[column]] for column in ("prompt_ids", "completion_ids")]
    return digest_of(
        requests[["benchmark", "item", "is_gold"]].to_numpy(),
        tokens,
        len(training.tokenizer),
        training.batch_size,
        [version(name) for name in ("torch", "transformers", "lm_eval")],
        [digest_of_path(Path(__file__).parents[1] / name) for name in CODE],
    )


def _digest(documents: Sequence[Sequence[int]]) -> str:
    return digest_of([[int(token) for token in tokens] for tokens in documents])
