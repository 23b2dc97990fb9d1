"""Execution of tasks: in this process, in several, or in the Python workers of Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from social_provenance.documents.records import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Result = TypeVar("Result")
    Tasks = Mapping[str, Callable[[], Result]]

SMALL = 1 << 26
"""Bytes of input below which starting processes costs more than it saves."""


def spread_over(connection: Mapping[str, Any], sizes: Mapping[str, int]) -> Callable[[Tasks[Any]], Iterator[Any]]:
    """Return a function that runs tasks on an engine and yields (name, result) as they finish.

    Args:
        connection: The engine: ``backend``, and ``threads`` of DuckDB.
        sizes: Task -> bytes that it reads; 0 if unknown.
    """
    workers = int(connection.get("threads") or 1)

    def spread(tasks: Tasks[Any]) -> Iterator[tuple[str, Any]]:
        if connection["backend"] == "pyspark":
            return on_spark(tasks)
        known = [sizes[name] for name in tasks]
        small = all(known) and sum(known) < SMALL
        return in_turn(tasks) if workers == 1 or len(tasks) < 2 or small else in_processes(tasks, workers)

    return spread


def in_processes(tasks: Tasks[Any], workers: int) -> Iterator[tuple[str, Any]]:
    """Run tasks in fresh processes, ``workers`` at a time.

    Raises:
        Exception: The error of a task; tasks that have not started are cancelled.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    pool = Parallel(n_jobs=min(workers, len(tasks)), backend="loky", return_as="generator_unordered")
    try:
        yield from pool(delayed(_run)(pair) for pair in tasks.items())
    finally:
        get_reusable_executor().shutdown(wait=True)  # else they linger for minutes, and their memory with them


def on_spark(tasks: Tasks[Any]) -> Iterator[tuple[str, Any]]:
    """Run tasks in Spark's Python workers, which need the same file system."""
    from pyspark.sql import SparkSession

    context = SparkSession.builder.getOrCreate().sparkContext
    pairs = context.parallelize(list(tasks.items()), len(tasks)) if tasks else context.emptyRDD()
    yield from pairs.map(_run).toLocalIterator(prefetchPartitions=True)


def _run(pair: tuple[str, Callable[[], Any]]) -> tuple[str, Any]:
    name, task = pair
    return name, task()
