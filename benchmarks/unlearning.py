"""Unlearning against raw loops, and what a study's runs showed. Prints one JSON object.

Usage: python benchmarks/unlearning.py STUDY [--worlds TABLE] [--benchmarks DIR] [--repeats N] [--wall]

STUDY is the data folder of a finished study. Training: a run's steps against a plain loop of the same
model, batches, losses and optimiser. Evaluation: the second checkpoint scored by us against forward
passes over the same token sequences in batches of the same size, and against lm-eval's
`simple_evaluate` on as many items. Sides take turns, and the medians are compared. `--benchmarks` takes
the folder of real items that the environment `webpages` reads, divided by the study's tokenizer. `--wall`
runs the pipeline `unlearning` of the study anew, into a copy.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from social_provenance.capabilities.benchmark import Evaluation

PROJECT = Path(__file__).resolve().parents[1]
GOALS = {
    "training_throughput": ">= 0.80",
    "evaluation_to_forward": "<= 1.5",
    "evaluation_to_simple_evaluate": "<= 0.25",
    "aligned_hurt_more": "4 of 4, beyond every random set for 3",
    "other_worlds": ">= 16 of 20",
    "wall_s": "<= 120",
}
STEPS, BATCH, RATE = 12, 8, 1.5e-4
EVALUATED = 64
"""Choices at a time."""
REAL_ITEMS = 60
"""Of each real benchmark, evenly spaced."""


def alternate(sides: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each side, one turn each after a first that does not count."""
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        for name, side in sides.items():
            start = time.perf_counter()
            side()
            if turn:
                spent[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in spent.items()}


def measure_training(study: Path, repeats: int) -> float:
    """Return our steps a second over those of the plain loop."""
    import torch
    from torch.nn import functional

    from social_provenance.forgetting.objectives.grad_diff import GradDiff
    from social_provenance.language_model import LanguageModel
    from social_provenance.training.batches import pairs
    from social_provenance.training.loop import Optimiser, train

    model = LanguageModel.at(str(study / "06_models/language_model"))
    forget, retain = documents_of(study)
    batches = list(pairs(forget, retain, BATCH, STEPS, 0))

    def ours() -> None:
        own = model.load()
        step = GradDiff(retain="nll").prepare(own, forget, retain, BATCH)
        optimiser = Optimiser(learning_rate=RATE, weight_decay=0.0)
        train(own, pairs(forget, retain, BATCH, STEPS, 0), lambda pair: step(*pair), optimiser, lambda _: 1.0, go_on)

    def plain() -> None:
        own = model.load().train()
        optimiser = torch.optim.AdamW(own.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
        for pair in batches:
            optimiser.zero_grad()
            for sign, batch in zip((-1, 1), pair, strict=True):
                labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)[:, 1:]
                logits = own(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits[:, :-1]
                loss = functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten())
                (sign * loss).backward()
            torch.nn.utils.clip_grad_norm_(own.parameters(), 1.0)
            optimiser.step()

    spent = alternate({"ours": ours, "plain": plain}, repeats)
    return spent["plain"] / spent["ours"]


def measure_evaluation(study: Path, real: Path | None, repeats: int) -> dict[str, float]:
    """Return the time of a further checkpoint over that of forward passes, and over lm-eval's own evaluation."""
    import pandas as pd
    import torch

    from social_provenance.capabilities.harness import build_requests
    from social_provenance.capabilities.scoring import Scorer
    from social_provenance.capabilities.split import items_for
    from social_provenance.language_model import LanguageModel

    place = LanguageModel.at(str(study / "06_models/language_model"))
    model, tokenizer = place.load(), place.tokenizer()
    if real:
        requests = build_requests(real_evaluation(), real, tokenizer, place.config())
    else:
        requests = items_for(pd.read_parquet(study / "04_feature/benchmark_requests.parquet"), "evaluation")
    scorer = Scorer(requests, EVALUATED)
    batches = padded(requests, EVALUATED)

    def forward() -> None:
        with torch.inference_mode():
            for ids, mask in batches:
                model(input_ids=ids, attention_mask=mask)

    sides: dict[str, Callable[[], Any]] = {"ours": lambda: scorer.score(model), "forward": forward}
    found = alternate(sides, repeats)
    figures = {"evaluation_to_forward": found["ours"] / found["forward"], "choices": len(requests)}
    if real is None:
        harness = alternate(
            {"ours": sides["ours"], "lm_eval": lambda: simple(study, model, tokenizer)}, min(repeats, 3)
        )
        figures["evaluation_to_simple_evaluate"] = harness["ours"] / harness["lm_eval"]
    return figures


def real_evaluation() -> Evaluation:
    """Return the benchmarks of the environment with real pages."""
    import yaml

    from social_provenance.capabilities.benchmark import Evaluation

    parameters = yaml.safe_load((PROJECT / "conf/webpages/parameters.yml").read_text())
    return Evaluation.model_validate(parameters["evaluation"] | {"limit": REAL_ITEMS})


def simple(study: Path, model: Any, tokenizer: Any) -> None:
    """Evaluate the miniature's tasks as a user of lm-eval does, from their files."""
    import yaml
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    folder = study / "01_raw/benchmarks"
    tasks = []
    for path in sorted(folder.glob("*.yaml")):
        files = {"data_files": {"test": str((folder / f"{path.stem}.jsonl").resolve())}}
        own = {"task": path.stem, "dataset_path": "json", "dataset_kwargs": files}
        tasks.append({**yaml.safe_load(path.read_text()), **own})
    lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=EVALUATED)
    simple_evaluate(lm, tasks=tasks, bootstrap_iters=0, limit=0.5, verbosity="ERROR")


def padded(requests: pd.DataFrame, size: int) -> list[tuple[Any, Any]]:
    """Return every sequence of the requests in padded batches, longest first."""
    from social_provenance.training.batches import pad

    both = zip(requests["prompt_ids"], requests["completion_ids"], strict=True)
    sequences = sorted(([*map(int, before), *map(int, after)][:-1] for before, after in both), key=len, reverse=True)
    batches = [pad(sequences[start : start + size]) for start in range(0, len(sequences), size)]
    return [(batch.input_ids, batch.attention_mask) for batch in batches]


def documents_of(study: Path) -> tuple[list[Any], list[Any]]:
    """Return the documents that the first run of a study forgets and retains."""
    import pandas as pd
    from datasets import Dataset

    row = pd.read_parquet(study / "05_model_input/unlearning_plan.parquet").iloc[0]
    tokens = Dataset.from_file(str(study / "04_feature/corpus_tokens.arrow"))
    ids = dict(zip(tokens["doc_id"], tokens["input_ids"], strict=True))
    forget, retain = ([ids[doc_id] for doc_id in row[name]] for name in ("forget_ids", "retain_ids"))
    return forget, retain


def go_on(*_: Any) -> bool:
    """Train to the end."""
    return True


def judge(study: Path) -> dict[str, Any]:
    """Return how the contrasts of a study came out."""
    import pandas as pd

    own = primary(pd.read_parquet(study / "08_reporting/unlearning_effects.parquet"))
    return {
        "contrasts": len(own),
        **count_damage(own),
        "did": dict(zip(own["benchmark"], own["did"].round(3), strict=True)),
        "influence_minus_random": dict(zip(own["benchmark"], own["influence_minus_random"].round(3), strict=True)),
    }


def count_damage(effects: pd.DataFrame) -> dict[str, int]:
    """Return in how many contrasts influential documents hurt more: beyond the others, and at all."""
    return {
        "did_hurt_more": int((effects["did"] < 0).sum()),
        "did_beyond_every_random_set": int((effects["did_n_random_less_damaging"] == effects["n_random"]).sum()),
        "aligned_hurt_more": int((effects["influence_minus_random"] < 0).sum()),
        "beyond_every_random_set": int((effects["n_random_less_damaging"] == effects["n_random"]).sum()),
    }


def primary(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the effects that the claim is about: topics, the normalised gold log-probability, equal compute."""
    asked = {"scope": "topic", "outcome": "choice_logprob", "reading": "equal_compute"}
    kept = effects
    for name, value in asked.items():
        kept = kept[kept[name] == value]
    return kept


def judge_worlds(table: Path) -> dict[str, Any]:
    """Return in how many benchmarks of other worlds influential documents hurt more."""
    import pandas as pd

    effects = pd.read_parquet(table)
    own = primary(effects)
    return {
        "worlds": int(own["seed"].nunique()),
        "pairs": len(own),
        **count_damage(own),
    }


def measure_wall(study: Path) -> float:
    """Return the seconds of `kedro run --pipelines unlearning` on a copy of a study that has no runs yet."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        shutil.copytree(study, root, ignore=shutil.ignore_patterns("unlearned_models"))
        command = [sys.executable, "-m", "kedro", "run", "--pipelines", "unlearning", "--params", f"root={root}"]
        start = time.perf_counter()
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
        return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything and print it."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="data folder of a finished study")
    parser.add_argument("--worlds", type=Path, help="table `world_effects` of other worlds")
    parser.add_argument("--benchmarks", type=Path, help="folder of real items")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--wall", action="store_true", help="also run the pipeline anew")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    figures: dict[str, Any] = {
        "goals": GOALS,
        "training_throughput": measure_training(given.study, given.repeats),
        **measure_evaluation(given.study, None, given.repeats),
        "study": judge(given.study),
    }
    if given.benchmarks:
        figures["real_prompts"] = measure_evaluation(given.study, given.benchmarks, given.repeats)
    if given.worlds:
        figures["other_worlds"] = judge_worlds(given.worlds)
    if given.wall:
        figures["wall_s"] = round(measure_wall(given.study), 1)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
