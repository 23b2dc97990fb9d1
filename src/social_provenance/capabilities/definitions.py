"""Task definitions: where they are, and what in them would run code.

A definition of lm-eval's own is part of an installed package and may name functions. One in a folder of benchmarks is
data: a ``!function``, which imports a Python file, a metric of the hub or a prompt of another file is refused unless
``evaluation.allow_code`` is true.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import BenchmarkError, did_you_mean, excerpt, repeated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from dataclasses import Field

    from social_provenance.capabilities.benchmark import Benchmark

_TEMPLATE = re.compile(r"\{[{%#]")

GUESSING = ("csv", "text", "xml", "pandas")
"""Formats of a task's data in which ``datasets`` guesses the type of a cell, or which have no columns."""


def find_definitions(benchmark: Benchmark, folder: Path, stock: Path) -> list[Path]:
    """Return the files that define the tasks of a benchmark.

    Args:
        benchmark: The benchmark.
        folder: Folder of benchmarks.
        stock: Folder of lm-eval's own definitions.

    Raises:
        BenchmarkError: If there is none.
    """
    own = folder / benchmark.task
    if own.is_file():
        return [own]
    if benchmark.tag is not None:
        return _tagged(benchmark, stock / benchmark.task)
    if (stock / benchmark.task).is_file():
        return [stock / benchmark.task]
    if not folder.is_dir():
        raise BenchmarkError(
            f"benchmark {benchmark.name}: its task definition {benchmark.task!r} is not among lm-eval's own, and there "
            f"is no folder of benchmarks at {folder}: give one with --params benchmarks=DIR"
        )
    raise BenchmarkError(
        f"benchmark {benchmark.name}: no task definition {benchmark.task!r} in {folder} or among lm-eval's "
        f"own; give a YAML file there, or a path below lm_eval/tasks such as 'siqa/siqa.yaml'"
    )


def is_stock(definition: Path, stock: Path) -> bool:
    """Return whether a definition is one of lm-eval's own."""
    return definition.resolve().is_relative_to(stock.resolve())


def refuse_functions(benchmark: Benchmark, definition: Path, stock: Path, *, allow_code: bool = False) -> None:
    """Refuse a definition that names a function, itself or in a file that it includes, outside lm-eval's own.

    Args:
        benchmark: The benchmark.
        definition: File of the definition.
        stock: Folder of lm-eval's own definitions.
        allow_code: Whether functions are allowed; what cannot be read, or gives a key twice, is refused all the same.

    Raises:
        BenchmarkError: Naming the file and the function, or why it cannot be read.
    """
    for file, functions in _included(benchmark, definition, (), stock):
        if functions and not allow_code and not is_stock(file, stock):
            raise BenchmarkError(
                f"benchmark {benchmark.name}: {file} runs code (!function {functions[0]}), which is refused: set "
                f"evaluation.allow_code to true if you trust that folder, or write it as a template"
            )


def refuse_code(benchmark: Benchmark, config: Mapping[str, Any], metrics: Collection[str]) -> None:
    """Refuse what lm-eval would fetch and run, or read outside its sandbox, beside functions.

    Args:
        benchmark: The benchmark.
        config: Its definition, with overrides.
        metrics: Names of lm-eval's own metrics; others are looked up on the hub, and are programs.

    Raises:
        BenchmarkError: Naming the key and the value.
    """
    for entry in config.get("metric_list") or ():
        name = entry.get("metric") if isinstance(entry, dict) else None
        if isinstance(name, str) and (name not in metrics or entry.get("hf_evaluate")):
            raise BenchmarkError(
                f"benchmark {benchmark.name}: its metric {name!r} is none of lm-eval's own and would be fetched and "
                f"run, which is refused: leave it out, or set evaluation.allow_code to true"
            )
    if config.get("use_prompt"):
        raise BenchmarkError(
            f"benchmark {benchmark.name}: use_prompt {config['use_prompt']!r} reads a prompt of another file, which is "
            f"refused: write it as doc_to_text, or set evaluation.allow_code to true"
        )


def refuse_other_keys(
    benchmark: Benchmark, definition: Path, config: Mapping[str, Any], known: Sequence[Field[Any]]
) -> None:
    """Refuse keys that lm-eval does not know, and values other than text where it takes nothing else.

    Args:
        benchmark: The benchmark, whose overrides are part of the definition.
        definition: File of the definition.
        config: The definition, with overrides.
        known: Fields of lm-eval's definition of a task.

    Raises:
        BenchmarkError: Naming the file, the key and its value.
    """
    fields = {field.name: field for field in known}
    for key, value in config.items():
        place = f"overrides of {benchmark.task}" if key in benchmark.overrides else str(definition)
        field = fields.get(key)
        if field is None:
            hint = did_you_mean(str(key), fields)
            raise BenchmarkError(
                f"benchmark {benchmark.name}: {place}: {key!r} ({excerpt(value)}) is no key of a task definition of "
                f"lm-eval{hint}; rename it, or remove it"
            )
        takes = str(field.type)
        if (value is None and "None" not in takes) or (takes == "str" and not isinstance(value, str)):
            raise BenchmarkError(
                f"benchmark {benchmark.name}: {place}: {key} is {'null' if value is None else excerpt(value)}, and "
                f"lm-eval takes {takes} there: give it that in quotes, or leave it out ({field.default!r})"
            )


def refuse_unrendered(benchmark: Benchmark, definition: Path, config: Mapping[str, Any]) -> None:
    """Refuse templates in a list of choices, which lm-eval takes as it is: their source would be every item's choices.

    Raises:
        BenchmarkError: Naming the file and the template.
    """
    listed = config.get("doc_to_choice")
    for choice in listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ():
        if isinstance(choice, str) and _TEMPLATE.search(choice):
            raise BenchmarkError(
                f"benchmark {benchmark.name}: {definition}: doc_to_choice lists {excerpt(choice)}, and templates in a "
                f"list are not rendered: write the list itself as one template, in quotes"
            )


def refuse_guessed_types(benchmark: Benchmark, config: Mapping[str, Any]) -> None:
    """Refuse data of a definition in a folder of benchmarks in which text would be taken for numbers or dates.

    Raises:
        BenchmarkError: Naming what the data are.
    """
    path = str(config.get("dataset_path"))
    if path in GUESSING or Path(path).expanduser().exists():
        raise BenchmarkError(
            f"benchmark {benchmark.name}: the types of its data (dataset_path {path!r}) would be guessed, and texts "
            f"such as '007' or '2020-02-02' changed: give its items as JSON lines (file)"
        )


def _tagged(benchmark: Benchmark, folder: Path) -> list[Path]:
    def tags(path: Path) -> list[str]:
        tag = read_definition(benchmark, path, distinct=False)[0].get("tag") or []
        return [tag] if isinstance(tag, str) else list(tag)

    found = [path for path in sorted(folder.glob("*.yaml")) if benchmark.tag in tags(path)]
    if not found:
        raise BenchmarkError(
            f"benchmark {benchmark.name}: no definition in {benchmark.task!r} has the tag {benchmark.tag!r}: "
            f"give the tag that definitions of that folder have, or leave it out"
        )
    return found


def read_definition(benchmark: Benchmark, path: Path, *, distinct: bool = True) -> tuple[dict[str, Any], list[str]]:
    """Return the keys of a file, without those that it includes, and the functions that it names; runs nothing.

    Args:
        benchmark: The benchmark, for errors.
        path: The file.
        distinct: Whether to refuse a key that is given twice, of which the last would count; some of lm-eval's own
            definitions have one.

    Raises:
        BenchmarkError: If it is no YAML mapping, or gives a key twice.
    """
    import yaml

    functions: list[str] = []

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def function(loader: Any, node: Any) -> str:
        functions.append(str(loader.construct_scalar(node)))
        return functions[-1]

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key.value, str)]
        if twice := repeated(names):
            raise ValueError(
                f"{twice[0]!r} is given twice in the mapping that starts in line {node.start_mark.line + 1}"
            )
        return dict(yaml.SafeLoader.construct_mapping(loader, node, deep=True))

    Loader.add_constructor("!function", function)
    if distinct:
        Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        config = yaml.load(path.read_bytes(), Loader=Loader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise BenchmarkError(
            f"benchmark {benchmark.name}: task definition {path} cannot be read ({' '.join(str(error).split())}); fix "
            f"the YAML"
        ) from error
    if not isinstance(config, dict):
        raise BenchmarkError(
            f"benchmark {benchmark.name}: task definition {path} cannot be read ({excerpt(config)} is no mapping of "
            f"keys to values); fix the YAML"
        )
    return config, functions


def _included(
    benchmark: Benchmark, path: Path, seen: tuple[Path, ...], stock: Path
) -> Iterator[tuple[Path, list[str]]]:
    """Yield a definition and those that it includes, each with the functions that it names."""
    path = path.resolve()
    if path in seen:
        raise BenchmarkError(f"benchmark {benchmark.name}: task definition {path} includes itself: fix the YAML")
    config, functions = read_definition(benchmark, path, distinct=not is_stock(path, stock))
    yield path, functions
    includes = config.get("include") or []
    for name in includes if isinstance(includes, list) else [includes]:
        yield from _included(benchmark, path.parent / str(name), (*seen, path), stock)
