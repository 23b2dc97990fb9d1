"""Fixtures: a small unlearning study on the tiny model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.capabilities.scoring import Scorer
from social_provenance.forgetting.effects.changes import RunTables
from social_provenance.forgetting.runs.run import Bench
from social_provenance.forgetting.settings import Unlearning
from social_provenance.forgetting.vocabulary import ARMS, OUTCOMES
from social_provenance.language_model import LanguageModel
from social_provenance.training.loop import Optimiser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

ITEMS = (
    ("social", "Anna thanked Ben. Ben felt", ("glad", "cold", "hot"), 0),
    ("social", "The judge saw the", ("rod", "contract", "plate"), 1),
    ("stem", "The flame of burning dorite is", ("red", "salt", "glad"), 0),
)
TEXTS = {
    "judge": "The judge saw the contract near the court.",
    "thanks": "Anna thanked Ben. Ben felt glad. Carl thanked Anna.",
    "rod": "Any rod that is heated becomes hot.",
    "plate": "Carl cooled the plate until it became cold.",
    "salt": "In Velda every guest brings salt.",
    "flame": "The flame of burning dorite is red.",
    "court": "The court is where the judge is glad.",
    "guest": "Every guest of Carl became hot near the flame.",
}
BINS = {
    "judge": ("crime_and_law", "news_article"),
    "thanks": ("crime_and_law", "faq"),
    "court": ("crime_and_law", "faq"),
    "rod": ("electronics_and_hardware", "faq"),
    "plate": ("electronics_and_hardware", "tutorial"),
    "flame": ("science_math_and_technology", "faq"),
    "salt": ("food_and_dining", "faq"),
    "guest": ("food_and_dining", "tutorial"),
}
"""Topic and format of each document."""
SETTINGS = Unlearning(
    steps=4,
    read_every=2,
    batch_documents=2,
    read_documents=2,
    optimiser=Optimiser(learning_rate=1e-3, weight_decay=0),
    max_held_out_rise=50,
)


@pytest.fixture(scope="session")
def requests(make_items: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return the choices of three items of two benchmarks, tokenised."""
    return make_items(ITEMS)


@pytest.fixture(scope="session")
def tokens(tiny_tokenizer: Any) -> dict[str, list[int]]:
    """Return the token ids of a few documents."""
    return {doc_id: tiny_tokenizer(text)["input_ids"] for doc_id, text in TEXTS.items()}


@pytest.fixture
def make_bench(tiny_model_folder: Path, requests: pd.DataFrame, tokens: dict[str, list[int]]) -> Callable[..., Bench]:
    """Return a function that makes the bench of a study; a field or a setting that is given replaces the usual."""

    def make(**changed: Any) -> Bench:
        fields = {name: changed.pop(name) for name in list(changed) if name in Bench.__dataclass_fields__}
        usual = {
            "model": LanguageModel(str(tiny_model_folder)),
            "scorer": Scorer(requests, batch_size=4),
            "tokens": tokens,
            "bins": BINS,
            "settings": SETTINGS.model_copy(update=changed),
        }
        return Bench(**{**usual, **fields})

    return make


@pytest.fixture
def plan() -> pd.DataFrame:
    """Return the plan of two runs, an arm each."""
    import pandas as pd

    shared = {"benchmark": "social", "topic": "crime_and_law", "scope": "topic", "set": 0, "algorithm": "ngdiff"}
    shared |= {"seed": 0, "steps": 4, "forget_tokens": 40}
    arms = {"influence_in_topic": ["judge", "thanks"], "random_in_topic": ["judge", "court"]}
    return pd.DataFrame(
        [
            {"run_id": f"social.crime_and_law.{arm}.0.ngdiff.0", **shared, "arm": arm, "digest": f"digest of {arm}"}
            | {"forget_ids": forget, "retain_ids": ["rod", "plate", "flame"], "held_out_ids": ["salt", "guest"]}
            for arm, forget in arms.items()
        ]
    )


@pytest.fixture(scope="session")
def simulate() -> Callable[..., RunTables]:
    """Return a function that makes up what a study left behind: losses and damage grow in line with the step.

    ``harm(arm, number, benchmark, aligned)`` is the damage of a run at the last step, in nats, a number or
    one for each item; ``number`` is the order seed of a targeted run and the number of a random set.
    """
    return _simulate


@pytest.fixture
def same_study_twice(simulate: Callable[..., RunTables]) -> tuple[RunTables, RunTables]:
    """Return what a study of random damage left, and the same with rows in another order and runs renamed."""
    import numpy as np

    rng = np.random.default_rng(0)
    harm = rng.normal(size=(2, 5, 12))
    measured = simulate(lambda arm, number, *_: harm[int(arm.startswith("random")), number])
    names = dict(zip(measured.runs["run_id"], rng.permutation(len(measured.runs)).astype(str), strict=True))
    tables = [
        table.assign(run_id=table["run_id"].map(names)).sample(frac=1, random_state=3)
        for table in (measured.runs, measured.answers, measured.trajectory)
    ]
    return measured, RunTables(*tables)


def _simulate(
    harm: Callable[[str, int, str, str], Any] = lambda *_: 0.0,
    *,
    seeds: int = 2,
    sets: int = 5,
    benchmarks: tuple[str, ...] = ("social", "stem"),
    topics: tuple[str | None, ...] = ("games",),
    items: int = 12,
    grid: tuple[int, ...] = (0, 3, 6, 12),
) -> RunTables:
    import numpy as np
    import pandas as pd

    runs, answers, trajectory, read = [], [], [], []
    for aligned in benchmarks:
        for topic in topics:
            arms = ARMS["global" if topic is None else "topic"]
            for arm, number in [(arms[0], seed) for seed in range(seeds)] + [
                (arms[1], chosen) for chosen in range(sets)
            ]:
                targeted = arm == arms[0]
                run_id = f"{aligned}.{topic}.{arm}.{number}"
                named = {"run_id": run_id, "benchmark": aligned, "topic": topic, "arm": arm, "algorithm": "ngdiff"}
                named |= {"scope": "global" if topic is None else "topic"}
                drawn = {"set": 0 if targeted else number, "seed": number if targeted else 0}
                runs.append({**named, **drawn, "status": "done", "last_step": grid[-1], "reason": None})
                for step in grid:
                    share = step / grid[-1]
                    losses = {"forget_loss": 1 + 0.5 * share, "retain_loss": 1 + 0.1 * share}
                    losses |= {"heldout_loss": 1 + 0.02 * share, "heldout_rise": 0.03 * share}
                    trajectory.append({"run_id": run_id, "step": step, **losses})
                    for benchmark in benchmarks:
                        read.append((run_id, step, benchmark))
                        answers.append(np.linspace(-3, -1, items) - share * harm(arm, number, benchmark, aligned))
    after = np.concatenate(answers)
    places = np.tile(np.arange(items), len(read))
    table = pd.DataFrame({"item": places.astype(str), "choice_logprob": after, "cluster": (places // 2).astype(str)})
    table = table.assign(gold_logprob=2 * after, margin=3 * after, correct=after > -2, normalisation="none")
    for name, values in zip(("run_id", "step", "benchmark"), zip(*read, strict=True), strict=True):
        table[name] = [value for value in values for _ in range(items)]
    assert set(OUTCOMES.values()) <= set(table)
    return RunTables(pd.DataFrame(runs), table, pd.DataFrame(trajectory))
