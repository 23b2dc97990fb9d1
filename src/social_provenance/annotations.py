"""Types of heavy libraries for the signatures of functions that Kedro nodes call.

Kedro reads the annotations of a node's function to find the Pydantic model of a parameter. If it cannot resolve one of
them at run time, it checks no parameter of that node. ``pd.DataFrame`` below ``if TYPE_CHECKING`` cannot be resolved,
and importing pandas for it would slow down every command. These names are the real types for the type checker and
``Any`` at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibis import Table as LazyTable
    from pandas import DataFrame as Table
    from plotly.graph_objects import Figure
else:
    Table = LazyTable = Figure = Any

PartFolders = Mapping[str, Path]

__all__ = ["Figure", "LazyTable", "PartFolders", "Table"]
"""
- ``Table``: a table in memory.
- ``LazyTable``: a table on an Ibis backend, of which only what is asked for is read.
- ``PartFolders``: an artifact that is whole, part -> its folder.
- ``Figure``: a figure of Plotly.
"""
