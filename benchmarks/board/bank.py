"""The bank of a world: models retrained without topics, made once, and bound to settings and code."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from board.studies import step
from social_provenance.datasets import PartsFolder
from social_provenance.fingerprint import digest_of, digest_of_code
from social_provenance.interventions.effects import measure_retraining
from social_provenance.interventions.retraining import RUN, final, seed_of
from social_provenance.pipelines.counterfactual.nodes import retrain_without
from social_provenance.pretraining.settings import Pretraining

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from board.studies import Study

TOP = "top"
PLAN, EFFECTS = "05_model_input/counterfactual_plan.parquet", "08_reporting/counterfactual_effects.parquet"
CODE = (
    "social_provenance.interventions.retraining",
    "social_provenance.pretraining.pretrain",
    "social_provenance.capabilities.harness",
)


class Bank:
    """Retrainings of a world without halves of its topics, without single topics, and without top topics of maps."""

    def __init__(self, study: Study, seeds: Sequence[int], evaluate_every: int, outcome: str) -> None:
        """Describe the bank of a study whose model is trained.

        Args:
            study: The world, with the documents and tokenizer of the bank.
            seeds: Seeds of the retrainings.
            evaluate_every: Steps between evaluations.
            outcome: ``end`` or ``training_mean``.
        """
        self._study, self._seeds, self._outcome = study, list(seeds), outcome
        self._every = evaluate_every
        self._folder = study.folder / "bank"

    def settings(self) -> dict[str, Any]:
        """Return what decides a retraining, whatever it leaves out."""
        params = self._study.params()
        pretraining = {name: value for name, value in params["pretraining"].items() if name != "checkpoints"}
        return {
            **self._study.world.identity(),
            "documents": {name: params.get(name) for name in ("documents", "miniature")},
            "evaluation": params["evaluation"],
            "pretraining": pretraining,
            "evaluate_every": self._every,
            "code": digest_of_code(*CODE),
            "versions": {name: version(name) for name in ("torch", "transformers", "lm_eval")},
        }

    def bind(self) -> None:
        """Record the settings of a new bank, or refuse one that was made under others."""
        with step(self._folder, self.settings()):
            pass

    def retrain(self, halves: int, singles: Sequence[str] | None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return plan and effects of the retrainings without halves and single topics; missing ones are trained.

        Args:
            halves: Number of halves.
            singles: Topics to leave out alone; None: all.
        """
        import pandas as pd

        own = {
            "topics": None if singles is None else list(singles),
            "halves": halves,
            "seeds": self._seeds,
            "evaluate_every": self._every,
        }
        self._study.run(["counterfactual"], {"counterfactual": own}, outputs=["counterfactual_effects"])
        plan, effects = (pd.read_parquet(self._study.root / name) for name in (PLAN, EFFECTS))
        return plan, effects[effects["outcome"] == self._outcome].reset_index(drop=True)

    def remove(self, sets: Iterable[tuple[str, ...]]) -> pd.DataFrame:
        """Return the effects of leaving out each set of topics, an :func:`arm`; missing retrainings are made."""
        import pandas as pd

        root = self._study.root
        own = {"seeds": self._seeds, "evaluate_every": self._every}
        self._study.run(["counterfactual"], {"counterfactual": own}, outputs=["full_trainings"])
        full = PartsFolder(path=str(root / "06_models/full_trainings"), keep=True).load()
        steps = {seed_of(name): int(final(folder)["step"].iloc[0]) for name, folder in full.items()}
        rows = [
            {"arm": arm(topics), "design": TOP, "topic": topic, "seed": seed, "steps": steps[seed]}
            for topics in sorted(set(sets))
            for seed in self._seeds
            for topic in topics
        ]
        plan = pd.DataFrame(rows).assign(evaluate_every=self._every)
        params = self._study.params()
        parts = retrain_without(
            plan[[*RUN, "design", "topic"]],
            pd.read_parquet(root / "05_model_input/retraining_tokens.parquet"),
            (root / "06_models/tokenizer.json").read_text(),
            pd.read_parquet(root / "04_feature/benchmark_requests.parquet"),
            Pretraining.model_validate(params["pretraining"]),
            params["evaluation"]["batch_size"],
        )
        kept = PartsFolder(path=str(self._folder / TOP), keep=True)
        kept.save(parts)
        effects = measure_retraining(plan, full, kept.load())
        return effects[effects["outcome"] == self._outcome].reset_index(drop=True)


def arm(topics: Sequence[str]) -> str:
    """Return the name of the arm that leaves out a set of topics, whatever their order."""
    return f"{TOP}-{digest_of(sorted(topics))}"
