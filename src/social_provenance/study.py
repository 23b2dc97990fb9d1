"""A finished study, read from its data folder: tables, maps, documents, figures, and where a number comes from.

Needs no catalog and no pipeline: the ledger of the folder says where each table is and how it was made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import LineageError, among, excerpt
from social_provenance.fingerprint import digest_of_path
from social_provenance.lineage import PARAMETER, UNKNOWN, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import plotly.graph_objects as go

    from social_provenance.lineage import Record

LEDGER = "lineage.json"
METHOD = f"{PARAMETER}scoring.default_method"
MAPS = {"topic": "topic_influence", "format": "format_influence", "bin": "bin_influence"}
FIGURE, TABLE = "_figure", ".parquet"


@dataclass(frozen=True)
class Origin:
    """Where rows of a table come from.

    Attributes:
        table: Name of the table.
        rows: The rows that were asked for.
        record: Node and run that wrote the table, its digest and its inputs.
        history: The record of every dataset that it rests on, sources first; the user's own data have none.
        own: The user's own data that it rests on -> digest.
    """

    table: str
    rows: pd.DataFrame
    record: Record
    history: Mapping[str, Record]
    own: Mapping[str, str]

    def __str__(self) -> str:
        """Return the origin as lines of text: the rows, how the table was made, and from what."""
        lines = [self.rows.to_string(), "", f"{self.table} (digest {self.record.digest})"]
        lines.append(f"  made by {self.record.node} in run {self.record.run} from {', '.join(self.record.inputs)}")
        lines.append("rests on")
        lines += [f"  {name} (digest {digest}): your own data" for name, digest in self.own.items()]
        lines += [f"  {name} (digest {record.digest}): {record.node}" for name, record in self.history.items()]
        return "\n".join(lines)


class Study:
    """The results of a study.

    Names of benchmarks, methods, topics and formats are those of its tables; an unknown one is an error that names the
    nearest.
    """

    def __init__(self, folder: str | Path = "data") -> None:
        """Read the ledger of a data folder.

        Args:
            folder: The folder, ``root`` of the run.

        Raises:
            LineageError: If it has no ledger, or one that cannot be read.
        """
        self.folder = Path(folder).resolve()
        file = self.folder / LEDGER
        if not file.is_file():
            raise LineageError(
                f"{self.folder} has no {LEDGER}, so it is not the data folder of a study: give that of a run (its root)"
            )
        self._records = Ledger.open(file).records

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r})"

    @property
    def tables(self) -> list[str]:
        """Names of the tables, in alphabetical order."""
        return sorted(name for name, record in self._records.items() if record.place.endswith(TABLE))

    @property
    def figures(self) -> list[str]:
        """Names of the figures, in alphabetical order."""
        return sorted(name.removesuffix(FIGURE) for name in self._records if name.endswith(FIGURE))

    @cached_property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks."""
        return sorted(self.table("topic_influence", columns=["benchmark"])["benchmark"].unique())

    @cached_property
    def methods(self) -> list[str]:
        """Names of the attribution methods that have a map."""
        return sorted(self.table("topic_influence", columns=["method"])["method"].unique())

    @property
    def method(self) -> str:
        """The default method: the one that the checks are about."""
        for record in self._records.values():
            if METHOD in record.ancestors:
                return record.ancestors[METHOD]
        raise LineageError(
            f"no table in {self.folder} rests on a default method yet: give method, or run the pipelines that check it"
        )

    @property
    def report(self) -> Path:
        """The report, an HTML file."""
        return self._whole("report")

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Return a table; ``docs/reference/tables.md`` has its columns and units.

        Args:
            name: One of :attr:`tables`.
            columns: Columns to read; None: all.

        Raises:
            LineageError: If there is none of that name, it is incomplete or elsewhere, or was changed since.
        """
        import pandas as pd

        if name not in self.tables:
            raise LineageError(f"{name!r} is no table of {self.folder}{among(name, self.tables)}")
        return pd.read_parquet(self._whole(name), columns=columns)

    def topics(self, benchmark: str | None = None, method: str | None = None) -> pd.DataFrame:
        """Return the rows of ``topic_influence``, the most influential topic first.

        Args:
            benchmark: A benchmark; None: all.
            method: An attribution method; None: the default one.
        """
        return self._map("topic", benchmark, method)

    def formats(self, benchmark: str | None = None, method: str | None = None) -> pd.DataFrame:
        """Return the rows of ``format_influence``, as :meth:`topics` does."""
        return self._map("format", benchmark, method)

    def bins(self, benchmark: str | None = None, method: str | None = None) -> pd.DataFrame:
        """Return the rows of ``bin_influence``, as :meth:`topics` does; bins without documents last."""
        return self._map("bin", benchmark, method)

    def contrasts(self, kind: str | None = None, axis: str = "topic", method: str | None = None) -> pd.DataFrame:
        """Return the rows of ``contrasts``, social first, STEM last.

        Args:
            kind: ``reasoning`` or ``knowledge``; None: both.
            axis: ``topic``, ``format`` or ``bin``.
            method: An attribution method; None: the default one.
        """
        rows = self._chosen(self.table("contrasts"), kind=kind, axis=axis, method=method or self.method)
        return rows.sort_values("difference", ascending=False, ignore_index=True)

    def verdicts(self, benchmark: str | None = None) -> pd.DataFrame:
        """Return the rows of ``verdicts``: what each check says of the map of the default method."""
        return self._chosen(self.table("verdicts"), benchmark=benchmark)

    def top_documents(
        self,
        benchmark: str,
        *,
        topic: str | None = None,
        format: str | None = None,
        method: str | None = None,
        count: int = 10,
        opponents: bool = False,
    ) -> pd.DataFrame:
        """Return the documents with the highest scores for a benchmark; neither scores nor texts are held in memory.

        Args:
            benchmark: A benchmark.
            topic: Only documents of this topic.
            format: Only documents of this format.
            method: An attribution method; None: the default one.
            count: Number of documents.
            opponents: The lowest scores in place of the highest.

        Returns:
            ``doc_id``, ``score``, ``topic``, ``format``, ``url``, ``text``; by score, then by ``doc_id``.
        """
        import ibis

        method = method or self.method
        known = self.table("topic_influence", columns=["benchmark", "method", "topic"])
        self._chosen(known, benchmark=benchmark, method=method, topic=topic)
        self._chosen(self.table("format_influence", columns=["format"]), format=format)
        scores, documents = (ibis.read_parquet(self._place(name)) for name in ("document_scores", "working_set"))
        scores = scores.filter(scores.benchmark == benchmark, scores.method == method)
        joined = scores.join(documents, "doc_id")
        for column, value in (("topic", topic), ("format", format)):
            joined = joined if value is None else joined.filter(joined[column] == value)
        order = joined.score if opponents else joined.score.desc()
        shown = joined.order_by(order, joined.doc_id).limit(count)
        rows: pd.DataFrame = shown.select("doc_id", "score", "topic", "format", "url", "text").execute()
        return rows

    def figure(self, name: str) -> go.Figure:
        """Return a figure of the report, such as ``influence``, for a notebook to show.

        Raises:
            LineageError: If there is none of that name.
        """
        import plotly.io

        if name not in self.figures:
            raise LineageError(f"{name!r} is no figure of {self.folder}{among(name, self.figures)}")
        return plotly.io.from_json(self._whole(f"{name}{FIGURE}").read_text(encoding="utf-8"))

    def validation(self) -> dict[str, Any] | None:
        """Return how well each method found the planted topics; None without a known answer."""
        if "validation" not in self._records:
            return None
        content: dict[str, Any] | None = json.loads(self._whole("validation").read_text(encoding="utf-8"))
        return content

    def why(self, table: str, **key: str) -> Origin:
        """Return where rows of a table come from: the node and run that wrote it, and everything that it rests on.

        Args:
            table: One of :attr:`tables`.
            **key: Column -> value that the rows have.

        Raises:
            LineageError: If there is no such table, column or row.
        """
        rows = self._chosen(self.table(table), **key)
        if rows.empty:
            asked = ", ".join(f"{name}={value!r}" for name, value in key.items())
            raise LineageError(f"{table} has no row with {asked} together: leave one of them out")
        record = self._records[table]
        ancestors = {name: digest for name, digest in record.ancestors.items() if not name.startswith(PARAMETER)}
        history = {name: self._records[name] for name in ancestors if name in self._records}
        own = {name: digest for name, digest in ancestors.items() if name not in self._records}
        return Origin(table, rows, record, history, own)

    def _map(self, axis: str, benchmark: str | None, method: str | None) -> pd.DataFrame:
        rows = self._chosen(self.table(MAPS[axis]), benchmark=benchmark, method=method or self.method)
        return rows.sort_values(["benchmark", "z"], ascending=[True, False], ignore_index=True)

    def _chosen(self, rows: pd.DataFrame, **key: str | None) -> pd.DataFrame:
        """Return the rows with the values of a key; None: any value."""
        for column, value in key.items():
            if value is None:
                continue
            if column not in rows.columns:
                raise LineageError(f"there is no column {column!r}{among(column, map(str, rows.columns))}")
            known = rows[column].astype(str)
            if str(value) not in set(known):
                raise LineageError(f"there is no {column} {excerpt(value)}{among(str(value), set(known))}")
            rows = rows[known == str(value)]
        return rows.reset_index(drop=True)

    def _whole(self, name: str) -> Path:
        """Return where a dataset is; its content is compared with the record.

        Raises:
            LineageError: As for :meth:`_place`, and if it was changed since.
        """
        path, record = self._place(name), self._records[name]
        if record.digest != UNKNOWN and (now := digest_of_path(path)) != record.digest:
            raise LineageError(
                f"{path} has changed since node {record.node} wrote it ({record.digest} then, {now} now): restore "
                f"it, or run the pipeline that makes {name} again"
            )
        return path

    def _place(self, name: str) -> Path:
        """Return where a dataset is.

        Raises:
            LineageError: If it was not made, was left half-written, or is elsewhere.
        """
        record = self._records.get(name)
        if record is None:
            raise LineageError(f"{name} was not made in {self.folder}: run the pipeline that makes it")
        if record.digest is None:
            raise LineageError(f"{name} is incomplete: node {record.node} was stopped while writing it; run it again")
        path = self.folder / record.place
        if not path.exists():
            raise LineageError(
                f"{name} is not at {path}, where node {record.node} wrote it: restore it, or run it again"
            )
        return path


def open_study(folder: str | Path = "data") -> Study:
    """Return the finished study of a data folder, ``root`` of the run; raises as :class:`Study` does."""
    return Study(folder)
