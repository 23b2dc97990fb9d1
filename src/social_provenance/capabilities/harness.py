"""The adapter of lm-eval: tasks from local files, and their requests.

Requests are built and tokenised once and then score any number of checkpoints. Items of local files are read by
:mod:`~social_provenance.capabilities.items`, not by ``datasets``, which would guess types, and all templates are
rendered in Jinja's sandbox (:mod:`~social_provenance.capabilities.templates`).
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib.util
import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.definitions import (
    find_definitions,
    is_stock,
    refuse_code,
    refuse_functions,
    refuse_guessed_types,
    refuse_other_keys,
    refuse_unrendered,
)
from social_provenance.capabilities.items import columns_of, evenly_spaced, read_items, typed_items
from social_provenance.capabilities.normalisation import normalise_choices
from social_provenance.capabilities.requests import ItemReader, check_answers, check_rendered
from social_provenance.capabilities.templates import sandbox, with_templates
from social_provenance.encoding import Encoder
from social_provenance.errors import BenchmarkError, excerpt
from social_provenance.language_model import max_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from social_provenance.capabilities.benchmark import Benchmark, Evaluation

logger = logging.getLogger(__name__)

SPLITS = ("training_split", "validation_split", "test_split", "fewshot_split")


def load_tasks(benchmark: Benchmark, folder: Path, *, allow_code: bool = False) -> list[Any]:
    """Return the lm-eval task objects of a benchmark, zero-shot, on local data where it has a file.

    Args:
        benchmark: The definition to load.
        folder: Folder of benchmark files and of your own task definitions.
        allow_code: Whether a definition may name functions and metrics that are not part of lm-eval.

    Raises:
        BenchmarkError: If the definition does not exist or would run code, or its file cannot be used.
    """
    tasks = []
    for definition in find_definitions(benchmark, folder, _stock_folder()):
        refuse_functions(benchmark, definition, _stock_folder(), allow_code=allow_code)
        config = _configure(benchmark, definition)
        refuse_other_keys(benchmark, definition, config, _keys())
        refuse_unrendered(benchmark, definition, config)
        if not allow_code:
            refuse_code(benchmark, config, _metrics())
        task = _open_task(benchmark, _with_items(benchmark, config, definition, folder))
        # Few-shot examples would be in the prompt of every query, and in its gradient.
        if config.get("num_fewshot"):
            logger.warning(
                "benchmark %s: its items are asked without the %s examples of its definition (num_fewshot), so its "
                "accuracy is not that of other reports: tasks are zero-shot",
                *(benchmark.name, config["num_fewshot"]),
            )
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
            tokens, a choice without bytes where these are the unit, tokens that do not decode to its text, or more
            tokens than the model's context.
    """
    import pandas as pd

    encoder = Encoder(tokenizer)
    rows: list[dict[str, Any]] = []
    for benchmark in evaluation.benchmarks:
        for task in load_tasks(benchmark, folder, allow_code=evaluation.allow_code):
            check_answers(benchmark, task)
            # Indices are chosen here, not through lm-eval's ``limit``, which takes the first items.
            places = evenly_spaced(len(task.eval_docs), evaluation.limit)
            with _quiet():
                task.build_all_requests(samples=places, rank=0, world_size=1)
            reader = ItemReader(benchmark, task, encoder.pair, max_tokens(config))
            rows += reader.read(places, evaluation.max_unusable_share)
    return normalise_choices(pd.DataFrame(rows), evaluation.normalise)


def _stock_folder() -> Path:
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or spec.origin is None:
        raise BenchmarkError("lm-eval is not installed: run `uv sync`")
    return Path(spec.origin).parent / "tasks"


def _keys() -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of lm-eval's definition of a task."""
    from lm_eval.config.task import TaskConfig

    return dataclasses.fields(TaskConfig)


def _metrics() -> set[str]:
    """Return the names of lm-eval's own metrics."""
    import lm_eval.api.metrics  # noqa: F401
    from lm_eval.api.registry import metric_registry

    return set(metric_registry)


def _configure(benchmark: Benchmark, definition: Path) -> dict[str, Any]:
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
    return config | benchmark.overrides


def _with_items(benchmark: Benchmark, config: dict[str, Any], definition: Path, folder: Path) -> dict[str, Any]:
    """Return a definition that reads the items of local files as they are, by our templates."""
    ready = with_templates(config)
    files = _local_files(benchmark, config, folder)
    if not files:
        if not is_stock(definition, _stock_folder()):
            refuse_guessed_types(benchmark, config)
        return ready
    columns = columns_of(config) | ({benchmark.cluster} if benchmark.cluster else set())
    items: dict[str, Any] = {split: read_items(file, columns) for split, file in files.items()}
    if config.get("process_docs") is None:
        for own in items.values():
            check_rendered(own, ready)
    else:  # a function of lm-eval's own, of a data set
        items = {split: typed_items(own) for split, own in items.items()}
    for name in SPLITS:
        ready[name] = config.get(name) if config.get(name) in items else None
    return ready | {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": None,
        "custom_dataset": lambda **_: items,
    }


def _local_files(benchmark: Benchmark, config: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Return the split and the file of items of a benchmark, of its own or of its definition."""
    split = config.get("test_split") or config.get("validation_split")
    if benchmark.file is not None:
        return {str(split): (folder / benchmark.file).resolve()}
    if config.get("dataset_path") != "json":
        return {}
    files = (config.get("dataset_kwargs") or {}).get("data_files")
    own = files.get(split) if isinstance(files, dict) else files
    if isinstance(own, list) and len(own) == 1:
        own = own[0]
    if not isinstance(own, str) or "://" in own:
        raise BenchmarkError(
            f"benchmark {benchmark.name}: data_files {excerpt(files)} give no single file of split {split!r}: give its "
            f"items as JSON lines (file)"
        )
    return {str(split): Path(own)}


def _open_task(benchmark: Benchmark, config: dict[str, Any]) -> Any:
    """Return the task object; lm-eval loads the data and renders the first item in its constructor."""
    import lm_eval.utils
    from lm_eval.api.task import ConfigurableTask

    # Descriptions and prefixes are rendered by lm-eval itself.
    lm_eval.utils.env = sandbox()
    try:
        with _quiet():
            return ConfigurableTask(config=config)
    except Exception as error:
        reason = (
            str(error) if isinstance(error, BenchmarkError) else f"{type(error).__name__}: {excerpt(str(error), 160)}"
        )
        if config.get("custom_dataset") is None:
            raise BenchmarkError(
                f"benchmark {benchmark.name}: the data of task {benchmark.task!r} cannot be loaded ({reason}); "
                f"give its items as a file in the folder of benchmarks"
            ) from error
        raise BenchmarkError(
            f"benchmark {benchmark.name}: task {benchmark.task!r} cannot render its items ({reason}): fix the task, or "
            f"the first item"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the harness's loggers and progress bars; its errors are still raised."""
    from datasets.utils.logging import disable_progress_bar, enable_progress_bar

    loggers = [logging.getLogger(name) for name in ("lm_eval", "lm_eval.api.task")]
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
