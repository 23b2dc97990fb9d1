"""Carry out one run of an unlearning study."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import Parts, one_by_one
from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.forgetting.batches import Tokens, corpus_loss, pairs
from social_provenance.forgetting.objectives import ALGORITHMS
from social_provenance.pretraining.loop import seeded, train

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from social_provenance.capabilities.harness import Scorer
    from social_provenance.forgetting.settings import Unlearning
    from social_provenance.language_model import LanguageModel

UNTOUCHED = "untouched"
CODE = ("forgetting", "pretraining/loop.py", "capabilities")
"""What a run's numbers depend on, below the package."""
CHECKPOINT, ANSWERS, STEPS, SUMMARY = "checkpoint", "answers.parquet", "steps.parquet", "summary.json"


@dataclass(frozen=True)
class Bench:
    """What every run of a study needs.

    Attributes:
        model: The untouched model.
        scorer: Evaluates a model on every benchmark.
        tokens: Document id -> token ids.
        settings: Of the study.
    """

    model: LanguageModel
    scorer: Scorer
    tokens: Mapping[str, Tokens]
    settings: Unlearning


def plan_parts(plan: pd.DataFrame, bench: Bench) -> Parts:
    """Describe each run of a plan, and the evaluation of the untouched model, as a part."""
    shared = digest_of(
        bench.model.digest(),
        bench.settings,
        _digest_of_requests(bench.scorer.requests),
        bench.scorer.batch_size,
        [version(name) for name in ("torch", "transformers", "peft", "lm_eval")],
        [digest_of_path(Path(__file__).parents[1] / package) for package in CODE],
    )
    digests = {UNTOUCHED: digest_of(shared)}
    writers = {UNTOUCHED: partial(_evaluate_untouched, bench)}
    for row in plan.to_dict("records"):
        forget = [list(bench.tokens[doc_id]) for doc_id in row["forget_ids"]]
        retain = [list(bench.tokens[doc_id]) for doc_id in row["retain_ids"]]
        if set(row["forget_ids"]) & set(row["retain_ids"]):
            raise UnlearningError(f"run {row['run_id']}: a document is both to be forgotten and to be retained")
        digests[row["run_id"]] = digest_of(shared, forget, retain, row["seed"], row["steps"], row["algorithm"])
        writers[row["run_id"]] = partial(_forget, bench, row, forget, retain)
    return Parts(digests, one_by_one(writers))


def _digest_of_requests(requests: pd.DataFrame) -> str:
    tokens = [[list(ids) for ids in requests[column]] for column in ("prompt_ids", "completion_ids")]
    return digest_of(requests[["benchmark", "item", "cluster", "is_gold"]].to_numpy(), tokens)


def _evaluate_untouched(bench: Bench, folder: Path) -> None:
    model = bench.model.load()
    bench.scorer.score(model, bench.model.tokenizer()).to_parquet(folder / ANSWERS)


def _forget(
    bench: Bench, row: Mapping[Any, Any], forget: Sequence[Tokens], retain: Sequence[Tokens], folder: Path
) -> None:
    import pandas as pd

    settings = bench.settings
    model = _trainable(bench.model.load(), settings)
    step = ALGORITHMS[row["algorithm"]].prepare(model, forget, retain, settings.batch_documents)
    before = _losses(model, forget, retain, settings.batch_documents)
    steps: list[dict[str, float]] = []

    def after_step(number: int, measured: dict[str, float]) -> bool:
        steps.append({"step": number, **measured})
        return True

    batches = pairs(forget, retain, settings.batch_documents, row["steps"], row["seed"], model.device)
    with seeded(row["seed"]):
        train(model, batches, lambda pair: step(*pair), settings.optimiser, lambda _: 1.0, after_step)
    after = _losses(model, forget, retain, settings.batch_documents)
    bench.scorer.score(model, bench.model.tokenizer()).to_parquet(folder / ANSWERS)
    pd.DataFrame(steps).to_parquet(folder / STEPS)
    model.save_pretrained(folder / CHECKPOINT)
    summary = {f"{name}_before": value for name, value in before.items()} | {
        f"{name}_after": value for name, value in after.items()
    }
    (folder / SUMMARY).write_text(json.dumps(summary | {"checkpoint": digest_of_path(folder / CHECKPOINT)}))


def _losses(model: Any, forget: Sequence[Tokens], retain: Sequence[Tokens], size: int) -> dict[str, float]:
    return {"forget_loss": corpus_loss(model, forget, size), "retain_loss": corpus_loss(model, retain, size)}


def _trainable(model: Any, settings: Unlearning) -> Any:
    """Return the model with all weights trainable, or with adapters.

    Raises:
        UnlearningError: If an adapter's target is no module of the model.
    """
    if settings.lora is None:
        return model
    from peft import LoraConfig, get_peft_model

    lora = settings.lora
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    unknown = [target for target in lora.targets if target not in names]
    if unknown:
        raise UnlearningError(f"unlearning.lora.targets: the model has no module {unknown[0]!r}")
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    with seeded(0):
        return get_peft_model(model, config)
