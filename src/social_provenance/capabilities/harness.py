"""The adapter of lm-eval: tasks from local files, their requests, the score of a model.

Requests are built and tokenised once and then score any number of checkpoints; results equal those of
``lm_eval.evaluator.evaluate`` (a test compares them).
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.answers import answers
from social_provenance.capabilities.items import check_items, columns_of, evenly_spaced, first_item
from social_provenance.capabilities.normalisation import normalise_choices
from social_provenance.capabilities.requests import ItemReader, check_answers
from social_provenance.errors import BenchmarkError, excerpt
from social_provenance.language_model import max_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from social_provenance.capabilities.benchmark import Benchmark, Evaluation

SPLITS = ("training_split", "validation_split", "test_split", "fewshot_split")


def load_tasks(benchmark: Benchmark, folder: Path) -> list[Any]:
    """Return the lm-eval task objects of a benchmark, zero-shot, on local data where it has a file.

    Args:
        benchmark: The definition to load.
        folder: Folder of benchmark files and of your own task definitions.

    Raises:
        BenchmarkError: If the definition does not exist, or its file cannot be used.
    """
    tasks = []
    for definition in _definitions(benchmark, folder):
        task = _open_task(benchmark, _configure(benchmark, definition, folder), folder)
        # Few-shot examples would be in the prompt of every query, and in its gradient.
        task.set_config("num_fewshot", 0)
        tasks.append(task)
    return tasks


def build_requests(evaluation: Evaluation, folder: Path, tokenizer: Any, config: Any) -> pd.DataFrame:
    """Render every item of every benchmark exactly as lm-eval scores it.

    Args:
        evaluation: The benchmarks.
        folder: Folder of benchmark files.
        tokenizer: The model's tokenizer.
        config: The model's configuration; requests must fit its context.

    Returns:
        One row per choice of each item: ``benchmark``, ``item``, ``cluster``, ``choice``
        (int), ``is_gold`` (bool), ``prompt``, ``completion``, ``prompt_ids``, ``completion_ids``
        (token ids; the delimiter belongs to the completion), ``normalisation`` and ``units``.

    Raises:
        BenchmarkError: If an item has no correct answer among its choices, two choices with equal
            tokens, a choice without bytes where these are the unit, or more tokens than the model's context.
    """
    import pandas as pd

    encoder = _encoder(tokenizer, config)
    rows: list[dict[str, Any]] = []
    for benchmark in evaluation.benchmarks:
        for task in load_tasks(benchmark, folder):
            check_answers(benchmark, task)
            # Indices are chosen here, not through lm-eval's ``limit``, which takes the first items.
            places = evenly_spaced(len(task.eval_docs), evaluation.limit)
            with _quiet():
                task.build_all_requests(samples=places, rank=0, world_size=1)
            reader = ItemReader(benchmark, task, encoder._encode_pair, max_tokens(config))
            rows += reader.read(places, evaluation.max_unusable_share)
    return normalise_choices(pd.DataFrame(rows), evaluation.normalise)


class Scorer:
    """Scorer of models on requests that were tokenised once."""

    def __init__(self, requests: pd.DataFrame, batch_size: int) -> None:
        """Take the requests of :func:`build_requests`."""
        self.requests = requests
        self.batch_size = batch_size
        columns = zip(
            requests["prompt"],
            requests["completion"],
            requests["prompt_ids"],
            requests["completion_ids"],
            strict=True,
        )
        self._encoded = [((prompt, end), list(before), list(after)) for prompt, end, before, after in columns]

    @property
    def normalisation(self) -> str:
        """Unit of the log-probabilities: ``none``, ``token`` or ``byte``, the same for all requests of a study."""
        return str(self.requests["normalisation"].iloc[0])

    def score(self, model: Any, tokenizer: Any) -> pd.DataFrame:
        """Return the model's answer to each item; the model's training mode is restored.

        Returns:
            One row per item, as :func:`~social_provenance.capabilities.answers.answers` reduces them.
        """
        training = model.training
        with _quiet():
            scored = _lm(model, tokenizer, self.batch_size)._loglikelihood_tokens(self._encoded, disable_tqdm=True)
        model.train(training)
        return answers(self.requests.assign(logprob=[logprob for logprob, _ in scored]))


def _definitions(benchmark: Benchmark, folder: Path) -> list[Path]:
    own = folder / benchmark.task
    if own.is_file():
        return [own]
    stock = _stock_folder() / benchmark.task
    if benchmark.tag is not None:
        return _tagged(benchmark, stock)
    if stock.is_file():
        return [stock]
    raise BenchmarkError(
        f"benchmark {benchmark.name}: no task definition {benchmark.task!r} in {folder} or among lm-eval's "
        f"own; give a YAML file there, or a path below lm_eval/tasks such as 'siqa/siqa.yaml'"
    )


def _tagged(benchmark: Benchmark, folder: Path) -> list[Path]:
    from lm_eval.tasks._yaml_loader import load_yaml

    def tags(path: Path) -> list[str]:
        tag = load_yaml(path, resolve_func=False).get("tag") or []
        return [tag] if isinstance(tag, str) else list(tag)

    found = [path for path in sorted(folder.glob("*.yaml")) if benchmark.tag in tags(path)]
    if not found:
        raise BenchmarkError(
            f"benchmark {benchmark.name}: no definition in {benchmark.task!r} has the tag {benchmark.tag!r}"
        )
    return found


def _stock_folder() -> Path:
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or spec.origin is None:
        raise BenchmarkError("lm-eval is not installed: run `uv sync`")
    return Path(spec.origin).parent / "tasks"


def _configure(benchmark: Benchmark, definition: Path, folder: Path) -> dict[str, Any]:
    from lm_eval.tasks._yaml_loader import load_yaml

    try:
        config: dict[str, Any] = copy.deepcopy(dict(load_yaml(definition, resolve_func=True)))
    except Exception as error:
        reason = " ".join(str(error).split())
        raise BenchmarkError(
            f"benchmark {benchmark.name}: task definition {definition} cannot be read ({reason}); fix the YAML"
        ) from error
    for key in ("tag", "group", "task_list"):
        config.pop(key, None)
    config.setdefault("task", benchmark.name)
    config |= benchmark.overrides
    if benchmark.file is None:
        return config
    file = (folder / benchmark.file).resolve()
    check_items(file, columns_of(config) | ({benchmark.cluster} if benchmark.cluster else set()))
    split = config.get("test_split") or config.get("validation_split")
    for name in SPLITS:
        config[name] = config.get(name) if config.get(name) == split else None
    config |= {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": {split: str(file)}}}
    return config


def _open_task(benchmark: Benchmark, config: dict[str, Any], folder: Path) -> Any:
    """Return the task object; lm-eval loads the data and renders the first item in its constructor."""
    from lm_eval.api.task import ConfigurableTask

    try:
        with _quiet():
            return ConfigurableTask(config=config)
    except Exception as error:
        reason = f"({type(error).__name__}: {excerpt(str(error), 160)})"
        if benchmark.file is None:
            raise BenchmarkError(
                f"benchmark {benchmark.name}: the data of task {benchmark.task!r} cannot be loaded {reason}; "
                f"give its items as a file in the folder of benchmarks"
            ) from error
        raise BenchmarkError(
            f"{benchmark.file}, row 1: task {benchmark.task!r} cannot render "
            f"{excerpt(first_item(folder / benchmark.file), 160)} {reason}; its answer must name one of its choices"
        ) from error


def _encoder(tokenizer: Any, config: Any) -> Any:
    """Return an lm-eval model that can encode but has no weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
    return _lm(empty, tokenizer, 1)


def _lm(model: Any, tokenizer: Any, batch_size: int) -> Any:
    from lm_eval.models.huggingface import HFLM

    with _quiet():
        return HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch_size)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the harness's loggers and progress bars; its errors are still raised."""
    from datasets.utils.logging import disable_progress_bar, enable_progress_bar

    loggers = [logging.getLogger(name) for name in ("lm_eval", "lm_eval.api.task", "lm_eval.models.huggingface")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    disable_progress_bar()
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # one of its bars has no other switch
            yield
    finally:
        enable_progress_bar()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
