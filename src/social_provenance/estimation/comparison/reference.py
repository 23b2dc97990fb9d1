"""Published bin tables as a reference: read line by line, an error where they are incomplete.

A reference is a table for each benchmark, all 576 bins with their mean score, as the authors of
arXiv 2606.19625 published theirs for OLMo3-7B on Dolma 3. Its ``z`` is computed here from the mean
scores, as that of a study (ddof 1), and has to equal that of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, PositiveInt

from social_provenance.annotations import Table
from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.errors import LabelError, ReferenceFileError, did_you_mean, excerpt
from social_provenance.parameters import Parameters
from social_provenance.regions.aliases import canonical_format, canonical_topic
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    import pandas as pd

FILE_COLUMNS = ("topic_label", "format_label", "mean_score", "zscore", "doc_count")
BIN = ["topic", "format"]
COLUMNS = ["benchmark", *BIN, "n_documents", "potency", "z"]

TOLERANCE = 1e-3
"""Largest difference from the file's ``zscore``: three decimals are enough to publish, and with
another ddof, or over other bins, the extreme bins of a map of 576 differ by more."""


class Published(Parameters):
    """Parameters of the published reference."""

    benchmarks: Mapping[str, str] = Field(default_factory=dict)
    """Name of a file, without its extension -> benchmark of this study. A name that is missing here, or is
    mapped to a benchmark that this study does not have, counts as the name of a benchmark."""
    signature_bins: PositiveInt = 5
    """Number of bins of the signature of a benchmark."""


def read_reference(files: Mapping[Path, Table] | None, published: Published, evaluation: Evaluation) -> Table:
    """Return the published map.

    Args:
        files: Path -> cells of the file, all text; None where there is no reference.
        published: Benchmark of each file.
        evaluation: The benchmarks of this study.

    Returns:
        ``benchmark``, ``topic``, ``format``, ``n_documents``, ``potency`` (the mean score), ``z``
        (``potency`` standardised over the bins, ddof 1): 576 rows for each file in the order of the
        grid, benchmarks in that of the study; no rows where there is no reference.

    Raises:
        ReferenceFileError: If a file belongs to no benchmark of this study or to one that another file
            belongs to, lacks a column or a bin, has a bin twice or an invalid value, or if its ``zscore``
            is not its standardised ``mean_score``.
        LabelError: If a label of a file matches no spelling of any topic or format.
    """
    import pandas as pd

    sources: dict[str, Path] = {}
    for path in files or {}:
        benchmark = _benchmark_of(path, published.benchmarks, evaluation)
        if benchmark in sources:
            raise ReferenceFileError(
                f"{sources[benchmark]} and {path.name} are both of benchmark {benchmark!r}: take one out of the "
                f"folder, or give it another benchmark in published.benchmarks"
            )
        sources[benchmark] = path
    names = [one.name for one in evaluation.benchmarks if one.name in sources]
    tables = [_read(sources[name], (files or {})[sources[name]]).assign(benchmark=name) for name in names]
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def standardise(potency: pd.Series[float]) -> pd.Series[float]:
    """Return values less their mean, over their standard deviation (ddof 1); constant ones give zeros."""
    spread = float(potency.std(ddof=1))
    return (potency - potency.mean()) / (spread if spread > 0 else 1.0)


def _benchmark_of(path: Path, names: Mapping[str, str], evaluation: Evaluation) -> str:
    known = [benchmark.name for benchmark in evaluation.benchmarks]
    for name in (names.get(path.stem), path.stem):
        if name in known:
            return name
    hint = f", nor is {names[path.stem]!r}, which published.benchmarks gives it" if path.stem in names else ""
    raise ReferenceFileError(
        f"{path}: {path.stem!r} is no benchmark of this study{hint}; they are {', '.join(known)}: say which one it is "
        f"with --params published.benchmarks.{path.stem}=BENCHMARK, or take the file out of the folder"
    )


def _read(path: Path, cells: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    for column in FILE_COLUMNS:
        if column not in cells.columns:
            hint = did_you_mean(column, cells.columns)
            raise ReferenceFileError(
                f"{path}: no column {column!r} (it has {', '.join(cells.columns)}){hint}; name its columns "
                f"{', '.join(FILE_COLUMNS)}"
            )
    table = pd.DataFrame(
        {
            "topic": _column(path, cells["topic_label"], canonical_topic),
            "format": _column(path, cells["format_label"], canonical_format),
            "potency": _column(path, cells["mean_score"], _number),
            "zscore": _column(path, cells["zscore"], _number),
            "n_documents": _column(path, cells["doc_count"], _count),
        }
    )
    _refuse_other_bins(path, table)
    table = table.set_index(BIN).loc[list(BINS)].reset_index()
    table["z"] = standardise(table["potency"])
    _refuse_other_z(path, table)
    return table


def _column(path: Path, cells: pd.Series[str], read: Callable[[str], Any]) -> list[Any]:
    """Read the cells of a column; an error names the line of the file, of which the header is line 1."""
    values = []
    for line, cell in enumerate(cells, start=2):
        try:
            values.append(read(cell))
        except LabelError as error:
            raise LabelError(f"{path}, line {line}: {error}") from error
        except ValueError as error:
            raise ReferenceFileError(
                f"{path}, line {line}: {cells.name} {excerpt(cell)} is not {error}: fix that line, or fetch the file "
                f"again"
            ) from error
    return values


def _number(cell: str) -> float:
    from math import inf, isfinite

    try:
        value = float(cell)
    except ValueError:
        value = inf
    if not isfinite(value):
        raise ValueError("a finite number")
    return value


def _count(cell: str) -> int:
    try:
        value = _number(cell)
    except ValueError:
        value = 0.0
    if value < 1 or value != int(value):
        raise ValueError("a whole number of documents, 1 or more")
    return int(value)


def _refuse_other_bins(path: Path, table: pd.DataFrame) -> None:
    pairs = list(table[BIN].itertuples(index=False, name=None))
    seen: dict[tuple[str, str], int] = {}
    for line, pair in enumerate(pairs, start=2):
        if pair in seen:
            raise ReferenceFileError(
                f"{path}: bin {'/'.join(pair)!r} is in line {seen[pair]} and again in line {line}: leave one out"
            )
        seen[pair] = line
    missing = [pair for pair in BINS if pair not in seen]
    if missing:
        raise ReferenceFileError(
            f"{path}: bin {'/'.join(missing[0])!r} is missing ({len(missing)} of {len(BINS)} are): add its "
            f"line, or fetch the file again; z is over all bins, so none can be left out"
        )


def _refuse_other_z(path: Path, table: pd.DataFrame) -> None:
    off = (table["z"] - table["zscore"]).abs()
    if off.max() > TOLERANCE:
        worst = table.to_dict("records")[int(off.argmax())]
        raise ReferenceFileError(
            f"{path}: zscore {worst['zscore']:.6g} of bin '{worst['topic']}/{worst['format']}' is not its mean_score "
            f"standardised over the {len(BINS)} bins (ddof 1), which is {worst['z']:.6g}: put that there, or fetch the "
            f"file again"
        )
