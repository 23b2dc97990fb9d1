"""Types for the signatures of functions that Kedro nodes call, each under one name.

Kedro reads the annotations of a node's function to find the Pydantic model of a parameter. If it cannot resolve one of
them at run time, it checks no parameter of that node. ``pd.DataFrame`` below ``if TYPE_CHECKING`` cannot be resolved,
and importing pandas for it would slow down every command. So types of heavy libraries are the real types for the type
checker and ``Any`` at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets import Dataset as Tokens
    from ibis import Table as LazyTable
    from pandas import DataFrame as Table
    from plotly.graph_objects import Figure
else:
    Table = LazyTable = Tokens = Figure = Any

PartFolders = Mapping[str, Path]
Record = Mapping[str, Any]

__all__ = ["Figure", "LazyTable", "PartFolders", "Record", "Table", "Tokens"]
"""
- ``Table``: a pandas table in memory.
- ``LazyTable``: an Ibis table; its engine reads only the rows and columns that a query needs.
- ``Tokens``: the tokenised documents, a memory-mapped Arrow dataset.
- ``PartFolders``: part of a complete artifact -> its folder.
- ``Record``: the content of a JSON dataset.
- ``Figure``: a Plotly figure.
"""
