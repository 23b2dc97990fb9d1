"""The walk, unlearning and evaluation on a GPU, against what was predicted without one. Prints one JSON object.

Usage: python benchmarks/gpu.py [--size tiny|small|7b] [--parts walk,agreement,unlearning,evaluation]

A model of OLMo3's architecture with random weights is run in each precision; where there is no GPU, on the CPU, without
figures of memory. It needs torch, transformers, safetensors, numpy, pandas, pyarrow, pydantic, peft, datasets and
Bergson, for the evaluation lm-eval, and nothing else of this project's dependencies; not even an installation of it.

- ``matrix_flops``: operations per second of products of square matrices in each precision, the median of several.
- ``walk``: the second of two passes of ``Walker`` over full batches, writing included. ``share_of_matrix_rate`` takes
  6 x parameters x tokens for the operations of a pass, as is usual for training; parameters are all but the input
  embeddings, which multiply nothing. The walk forms no gradient of a weight and so does about 4 of the 6; attention
  comes on top of both.
- ``agreement``: scores by the methods of ``conf/olmo3`` that compare gradients, of documents of different lengths in
  padded batches. ``with_fp32``: of the model. ``with_fp64``: of a tiny one, against gradients of single documents by
  plain differentiation in fp64 on the CPU, without Bergson's hooks, batches or padding; its matrices of projection
  alone are the same. So a hook, a mask or a kernel that is wrong in all precisions shows. The relative difference is
  that of the largest deviation to the largest score; ``gradients`` is the largest over documents of
  ``|g - exact| / |exact|``.
- ``unlearning``: steps (all but the first) and a reading, with the settings of ``conf/olmo3`` and documents at their
  longest.
- ``evaluation``: requests per second of ``Scorer`` in bf16.
- ``peak_bytes``: ``torch.cuda.max_memory_allocated`` above what was held before the model was loaded; it has no
  fragmentation and not the context of CUDA, for which ``device_memory.RESERVE`` is left. ``predicted_bytes`` is what
  ``walk_memory`` and ``run_memory`` give.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))  # on a rented machine it is copied, not installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import pandas as pd
    from datasets import Dataset

    from social_provenance.forgetting.settings import Unlearning
    from social_provenance.gradients.settings import GradientSettings
    from social_provenance.language_model import LanguageModel

    Documents = Sequence[Sequence[int]]

OFFLINE = {f"{library}_OFFLINE": "1" for library in ("HF_HUB", "HF_DATASETS", "TRANSFORMERS")}
PRECISIONS = ("fp32", "tf32", "bf16")
PARTS = ("walk", "agreement", "unlearning", "evaluation")
STUDY = "olmo3"
SEED = 0
SOURCES, BLOCKS = 8, 4
STEPS = 3
UNKNOWN = {"peak_bytes": None, "peak_to_predicted": None}
FOREIGN = ("kedro", "kedro_datasets", "ibis", "mlflow", "duckdb")
"""Packages that no part of this may import: a bare machine does not have them."""


@dataclass(frozen=True)
class Size:
    """A model, and how much is done with it.

    Attributes:
        hidden, intermediate, layers, heads, vocabulary: Shape of the model.
        tokens, batch: Tokens of a document at its longest, and of a batch of the walk.
        batches: Batches of a timed pass.
        documents, queries: Rows whose scores are compared.
        unlearning: Parameters other than those of ``conf/olmo3``.
        items: Items of the evaluation, of four choices each.
        matrix: Side of the matrices whose product is timed.
        spread: Standard deviation of the weights.
    """

    hidden: int
    intermediate: int
    layers: int
    heads: int
    vocabulary: int
    tokens: int = 4096
    batch: int = 4096
    batches: int = 16
    documents: int = 64
    queries: int = 16
    unlearning: dict[str, Any] = field(default_factory=dict)
    items: int = 64
    matrix: int = 8192
    spread: float = 0.02


SHORT = {"batch_documents": 4, "read_documents": 4, "max_tokens": 64, "tokens_at_once": 128}
SIZES = {
    "tiny": Size(64, 128, 2, 2, 320, 64, 256, 3, 24, 8, SHORT, items=8, matrix=512, spread=0.1),
    "small": Size(1024, 2816, 16, 16, 50304, batches=64),  # 0.31 billion parameters
    "7b": Size(4096, 11008, 32, 32, 100278),  # 29 GB on disk, and much longer
}


# Model and texts


def make_model(size: Size, folder: Path) -> LanguageModel:
    """Write a model with random weights and a tokenizer of bytes."""
    import torch
    from transformers import AutoModelForCausalLM, Olmo3Config

    from social_provenance.language_model import LanguageModel, TrainedModel
    from social_provenance.pretraining.tokenizer import BYTES, load_tokenizer, train_tokenizer

    tokenizer = load_tokenizer(train_tokenizer([], BYTES + 1))
    config = Olmo3Config(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=max(2 * size.tokens, 512),
        initializer_range=size.spread,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        layer_types=[("full" if layer % 4 == 3 else "sliding") + "_attention" for layer in range(size.layers)],
    )
    torch.manual_seed(SEED)
    TrainedModel(AutoModelForCausalLM.from_config(config, dtype=torch.float32), tokenizer).save(folder)
    return LanguageModel(str(folder))


def draw(size: Size, lengths: Sequence[int]) -> Documents:
    """Return documents of these lengths, each of one of a few unigram distributions."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    sources = rng.dirichlet(np.full(size.vocabulary, 0.1), SOURCES).cumsum(axis=1)
    last = size.vocabulary - 1
    return [
        np.searchsorted(sources[row % SOURCES], rng.random(length)).clip(max=last).tolist()
        for row, length in enumerate(lengths)
    ]


def rows_of(documents: Documents, name: str, **columns: Any) -> Dataset:
    """Return documents as the walk reads them."""
    from datasets import Dataset

    ids = [f"{name}-{number:05d}" for number in range(len(documents))]
    return Dataset.from_dict({"doc_id": ids, "input_ids": documents, "length": list(map(len, documents)), **columns})


def compared_rows(size: Size) -> dict[str, Dataset]:
    """Return documents of different lengths, and queries whose second half has loss."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    top = min(size.tokens, 512)
    texts = draw(size, rng.integers(top // 8, top + 1, size.documents).tolist())
    asked = draw(size, rng.integers(16, 33, size.queries).tolist())
    labels = [[-100] * (len(ids) // 2) + list(ids[len(ids) // 2 :]) for ids in asked]
    blocks = [row % BLOCKS for row in range(size.queries)]
    return {"documents": rows_of(texts, "text"), "items": rows_of(asked, "item", labels=labels, block=blocks)}


# Measures


@dataclass
class Measure:
    """Seconds of a block, and the bytes of the device at its peak; None without a GPU."""

    seconds: float = 0.0
    peak: int | None = None

    def memory(self, predicted: int | None) -> dict[str, Any]:
        if self.peak is None:
            return UNKNOWN | {"predicted_bytes": predicted}
        ratio = self.peak / predicted if predicted else None
        return {"peak_bytes": self.peak, "peak_to_predicted": ratio, "predicted_bytes": predicted}


def synchronise() -> None:
    """Wait for the GPU, if there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def held() -> int:
    """Return the bytes of the GPU that are in use once nothing that could be freed is held."""
    import torch

    gc.collect()
    if not torch.cuda.is_available():
        return 0
    torch.cuda.empty_cache()
    return int(torch.cuda.memory_allocated())


@contextmanager
def measured(before: int) -> Iterator[Measure]:
    """Measure a block; the peak is above ``before`` bytes."""
    import torch

    result = Measure()
    synchronise()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    yield result
    synchronise()
    result.seconds = time.perf_counter() - start
    if torch.cuda.is_available():
        result.peak = int(torch.cuda.max_memory_allocated()) - before


def tried(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function measures; if the GPU has too little memory, that it has: the others are measured still."""
    import torch

    say(f"{function.__name__} {' '.join(one for one in arguments if isinstance(one, str))}")
    try:
        return function(*arguments)
    except torch.OutOfMemoryError as error:
        return {"out_of_memory": str(error).splitlines()[0]}


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def matrix_rate(side: int, precision: str) -> float:
    """Return the operations per second of a product of square matrices, the median of five after two that warm up."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    one = torch.randn(side, side, device=device, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    seconds = []
    for _ in range(7):
        with measured(0) as product:
            one @ one
        seconds.append(product.seconds)
    torch.set_float32_matmul_precision(before)
    return 2 * side**3 / statistics.median(seconds[2:])


# The walk


def gradient_settings(size: Size, precision: str) -> GradientSettings:
    """Return the settings of a walk; the projection is that of the study."""
    from social_provenance.gradients.settings import GradientSettings

    return GradientSettings(max_tokens=size.tokens, token_batch=size.batch, precision=precision)


def measure_walk(model: LanguageModel, size: Size, precision: str, rate: float) -> dict[str, Any]:
    """Return the pace and the memory of a walk over full batches."""
    from social_provenance.device_memory import empty_model, found
    from social_provenance.gradients.settings import Distributed
    from social_provenance.gradients.walk.bergson_run import Walker
    from social_provenance.gradients.walk.bergson_trial import walk_memory

    before = held()
    settings = gradient_settings(size, precision)
    empty = empty_model(model.config())
    parameters = sum(one.numel() for one in empty.parameters()) - empty.get_input_embeddings().weight.numel()
    tokens = size.batches * size.batch
    rows = rows_of(draw(size, [size.tokens] * (tokens // size.tokens)), "full")
    walker = Walker(model, settings, Distributed())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "first").mkdir()
        walker.collect(rows.select(range(size.batch // size.tokens)), Path(folder) / "first")
        (Path(folder) / "second").mkdir()
        with measured(before) as walk:
            walker.collect(rows, Path(folder) / "second")
    return {
        "tokens": tokens,
        "seconds": walk.seconds,
        "tokens_a_second": tokens / walk.seconds,
        "share_of_matrix_rate": 6 * parameters * tokens / walk.seconds / rate,
        **walk.memory(found(lambda: walk_memory(model, settings), "a batch of the walk")),
    }


def walk_rows(model: LanguageModel, size: Size, precision: str, folder: Path) -> dict[str, Path]:
    """Write the gradient stores of the compared documents and queries; return their folders."""
    from social_provenance.gradients.settings import Distributed
    from social_provenance.gradients.walk.collect import Walk, plan_store

    rows = compared_rows(size)
    folders = {name: folder / name for name in rows}
    for own in folders.values():
        own.mkdir(parents=True)
    walk = Walk(model, gradient_settings(size, precision), Distributed(), "doc_id")
    list(plan_store(rows, walk).write(folders))
    held()
    return folders


def exact_gradients(model: LanguageModel, rows: Dataset) -> np.ndarray:
    """Return the projected gradient of each row in fp64, by plain differentiation of the loss of each alone."""
    import numpy as np
    import torch
    from bergson.collector.collector import create_module_projection_matrix
    from torch.nn import functional
    from transformers import AutoModelForCausalLM

    side = gradient_settings(SIZES["tiny"], "fp32").projection_dim
    whole = AutoModelForCausalLM.from_pretrained(model.path, dtype=torch.float64, attn_implementation="eager")
    names = [name for name, module in whole.base_model.named_modules() if isinstance(module, torch.nn.Linear)]
    weights = [whole.base_model.get_submodule(name).weight for name in names]

    def projection(name: str, role: Any, width: int) -> torch.Tensor:
        matrix = create_module_projection_matrix(
            name, role, side, width, torch.float32, torch.device("cpu"), "rademacher", "jl", None
        )
        return matrix.double()

    ends = {
        name: (projection(name, "left", w.shape[0]), projection(name, "right", w.shape[1]).T)
        for name, w in zip(names, weights, strict=True)
    }
    gradients = []
    for row in rows:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row.get("labels") or row["input_ids"])
        loss = functional.cross_entropy(whole(input_ids=ids).logits[0, :-1], labels[1:], reduction="sum")
        found = zip(names, torch.autograd.grad(loss, weights), strict=True)
        gradients.append(torch.cat([(ends[name][0] @ one @ ends[name][1]).flatten() for name, one in found]).numpy())
    return np.stack(gradients)


def exact_stores(model: LanguageModel, size: Size, like: dict[str, Path], folder: Path) -> dict[str, Path]:
    """Write stores of exact gradients in the format of others; return their folders."""
    import numpy as np
    import pandas as pd

    from social_provenance.gradients.walk.finish import write_moments
    from social_provenance.gradients.walk.store import NUMBERS, ROWS

    folders = {name: Path(shutil.copytree(own, folder / name)) for name, own in like.items()}
    for name, rows in compared_rows(size).items():
        exact_gradients(model, rows).astype(np.float32).tofile(folders[name] / NUMBERS)
        norms = write_moments(folders[name], list(rows["doc_id"]), "fp32")
        pd.read_parquet(folders[name] / ROWS).assign(norm=norms).to_parquet(folders[name] / ROWS)
    return folders


def scores_of(folders: dict[str, Path]) -> pd.DataFrame:
    """Return the score of each document by each method, documents x methods."""
    import pandas as pd
    import yaml

    from social_provenance.gradients.methods.registry import choose
    from social_provenance.gradients.methods.score_files import SCORES
    from social_provenance.gradients.methods.scoring import plan_scores
    from social_provenance.gradients.methods.settings import ScoringSettings
    from social_provenance.gradients.walk.store import GradientStore

    stores = {name: GradientStore({name: folder}) for name, folder in folders.items()}
    own = yaml.safe_load((PROJECT / "conf" / STUDY / "parameters.yml").read_text())["scoring"]
    names = [kind.name for kind in choose(own["methods"], "store")]
    # Few queries span few directions: at the study's component their spectrum is the rounding's alone.
    component = len(stores["items"].modules) * len(stores["items"].column("block")) // 2
    settings = ScoringSettings(**(own | {"methods": names, "target_component": component}))
    with tempfile.TemporaryDirectory() as folder:
        parts = plan_scores(stores["documents"], {"asked": {"items": stores["items"]}}, settings)
        list(parts.write({"asked": Path(folder)}))
        table = pd.read_parquet(Path(folder) / SCORES)
    return table.pivot(index="doc_id", columns="method", values="score")


def compare(scores: pd.DataFrame, reference: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return, for each method, Spearman's correlation and the largest difference in units of the largest score."""
    deviation = (scores - reference).abs().max() / reference.abs().max()
    return {
        method: {
            "spearman": float(scores[method].rank().corr(reference[method].rank())),
            "largest_relative_difference": float(deviation[method]),
        }
        for method in reference.columns
    }


def deviation(folder: Path, exact: Path) -> float:
    """Return the largest deviation of a gradient from the exact one, in units of the norm of that."""
    import numpy as np

    from social_provenance.gradients.walk.store import gradients_of

    (_, one), (_, other) = (next(gradients_of(own, 1 << 20)) for own in (folder, exact))
    return float((np.linalg.norm(one - other, axis=1) / np.linalg.norm(other, axis=1)).max())


def measure_agreement(model: LanguageModel, size: Size, folder: Path) -> dict[str, Any]:
    """Return how the scores of precisions agree, with each other and with exact ones."""
    tiny, small = SIZES["tiny"], folder / "tiny"
    stores = {name: walk_rows(model, size, name, folder / name) for name in PRECISIONS}
    other = make_model(tiny, small / "model")
    own = {name: walk_rows(other, tiny, name, small / name) for name in PRECISIONS}
    exact = exact_stores(other, tiny, own["fp32"], small / "fp64")
    reference, exact_scores = scores_of(stores["fp32"]), scores_of(exact)
    return {
        "documents": size.documents,
        "queries": size.queries,
        "with_fp32": {name: compare(scores_of(stores[name]), reference) for name in PRECISIONS[1:]},
        "with_fp64": {
            name: {
                "gradients": max(deviation(own[name][rows], exact[rows]) for rows in exact),
                **compare(scores_of(own[name]), exact_scores),
            }
            for name in PRECISIONS
        },
    }


# Unlearning and evaluation


def unlearning_settings(size: Size, precision: str) -> Unlearning:
    """Return the settings of the study, smaller where the model is."""
    import yaml

    from social_provenance.forgetting.settings import Unlearning

    own = yaml.safe_load((PROJECT / "conf" / STUDY / "parameters.yml").read_text())["unlearning"]
    return Unlearning(**(own | size.unlearning | {"precision": precision}))


def measure_unlearning(model: LanguageModel, size: Size, precision: str) -> dict[str, Any]:
    """Return the pace and the memory of steps and of a reading."""
    from social_provenance.forgetting.objectives.base import bounded
    from social_provenance.forgetting.runs.memory import run_memory
    from social_provenance.forgetting.runs.trainable import trainable
    from social_provenance.training.batches import read_losses, take
    from social_provenance.training.loop import train

    settings = unlearning_settings(size, precision)
    (algorithm,) = settings.algorithms
    predicted = run_memory(model.config(), settings, size.tokens)
    count = max(settings.batch_documents, settings.read_documents)
    documents = draw(size, [min(size.tokens, settings.max_tokens or size.tokens)] * count)
    before, ends = held(), []
    base = model.load(precision)
    with measured(before) as reading:
        read_losses(base, documents, settings.read_documents, settings.tokens_at_once)

    def after_step(*_: Any) -> bool:
        synchronise()
        ends.append(time.perf_counter())
        return True

    batch = take(documents, range(settings.batch_documents), base.device)
    with trainable(base, settings.lora, checkpointing=settings.checkpointing) as adapted, measured(before) as steps:
        step = bounded(
            algorithm.prepare(adapted, documents, documents, settings.batch_documents), settings.tokens_at_once
        )
        train(adapted, [batch] * STEPS, lambda one: step(one, one), settings.optimiser, lambda _: 1.0, after_step)
    seconds = (ends[-1] - ends[0]) / (STEPS - 1)
    tokens = 2 * sum(batch.lengths)  # of the forget and of the retain set
    return {
        "step": {
            "tokens": tokens,
            "seconds": seconds,
            "tokens_a_second": tokens / seconds,
            **steps.memory(predicted.get(f"step.{algorithm.name}")),
        },
        "reading": {
            "documents": count,
            "seconds": reading.seconds,
            "tokens_a_second": sum(map(len, documents)) / reading.seconds,
            **reading.memory(predicted.get("read")),
        },
    }


def measure_evaluation(model: LanguageModel, size: Size) -> dict[str, Any] | str:
    """Return the requests per second of the scorer of benchmarks; prompts are of 100 to 300 tokens."""
    if find_spec("lm_eval") is None:
        return "lm-eval is not installed"
    import random

    import pandas as pd

    from social_provenance.capabilities.scoring import Scorer

    rng, tokenizer = random.Random(SEED), model.tokenizer()
    rows = []
    for item in range(size.items):
        prompt = "".join(rng.choices("abcdefgh ", k=rng.randint(100, 300)))
        for choice in range(4):
            end = f" {choice} " + "".join(rng.choices("abcdefgh", k=12))
            ids = {"prompt_ids": tokenizer(prompt)["input_ids"], "completion_ids": tokenizer(end)["input_ids"]}
            named = {"benchmark": "asked", "item": str(item), "cluster": str(item), "choice": choice}
            text = {"prompt": prompt, "completion": end, "is_gold": choice == 0, "normalisation": "none", "units": 1}
            rows.append({**named, **text, **ids})
    before = held()
    loaded = model.load("bf16")
    scorer = Scorer(pd.DataFrame(rows), 16)
    scorer.score(loaded)
    with measured(before) as scoring:
        answers = scorer.score(loaded)
    return {
        "requests": len(rows),
        "items": len(answers),
        "seconds": scoring.seconds,
        "requests_a_second": len(rows) / scoring.seconds,
        "peak_bytes": scoring.peak,
    }


def device() -> dict[str, Any]:
    """Return the device, and the versions of what runs on it."""
    import torch

    on_gpu = torch.cuda.is_available()
    names = ("torch", "transformers", "peft", "bergson", "datasets")
    return {
        "device": torch.cuda.get_device_name(0) if on_gpu else "cpu",
        "device_bytes": torch.cuda.get_device_properties(0).total_memory if on_gpu else None,
        "cpu_threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "cuda": torch.version.cuda} | {n: version(n) for n in names},
    }


def rounded(value: Any) -> Any:
    """Keep six significant digits of every number."""
    if isinstance(value, dict):
        return {name: rounded(own) for name, own in value.items()}
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main(words: Sequence[str] | None = None) -> None:
    """Measure the parts that are asked for and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=PARTS, help=",".join(PARTS))
    given = parser.parse_args(words)
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown parts {sorted(unknown)}: name some of {', '.join(PARTS)}")
    begun, size = time.perf_counter(), SIZES[given.size]
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        say(f"make the model ({given.size})")
        model = make_model(size, folder / "model")
        rates = {precision: matrix_rate(size.matrix, precision) for precision in PRECISIONS}
        found: dict[str, Any] = {"matrix_flops": rates}
        if "walk" in given.parts:
            found["walk"] = {one: tried(measure_walk, model, size, one, rates[one]) for one in PRECISIONS}
        if "agreement" in given.parts:
            found["agreement"] = tried(measure_agreement, model, size, folder / "stores")
        if "unlearning" in given.parts:
            found["unlearning"] = {one: tried(measure_unlearning, model, size, one) for one in ("fp32", "bf16")}
        if "evaluation" in given.parts:
            found["evaluation"] = tried(measure_evaluation, model, size)
    foreign = sorted({name.partition(".")[0] for name in sys.modules} & set(FOREIGN))
    shape = {"size": given.size, "hidden": size.hidden, "layers": size.layers, "vocabulary": size.vocabulary}
    known = device() | {"model": shape} | found
    print(json.dumps(rounded(known | {"foreign_modules": foreign, "wall_s": time.perf_counter() - begun})))


if __name__ == "__main__":
    os.environ.update(OFFLINE)
    main()
