"""Folders of doctests, and the workers of the whole suite."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Images of containers often set it, and each process that a test starts would compile every library anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(autouse=True)
def _doctest_folder(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    """Give each doctest a fresh ``tmp_path``."""
    if isinstance(request.node, pytest.DoctestItem):
        folder: Path = request.getfixturevalue("tmp_path")
        doctest_namespace["tmp_path"] = folder


def pytest_collectstart() -> None:
    """Collect no garbage until the tests are collected: almost nothing of what is imported for them is."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave out of garbage collection what was imported to collect the tests: it is garbage to none of them."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # tensors and tables are few and free themselves; syntax trees are many
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite on two workers; what is named on the command line runs in this process."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    is_worker = "PYTEST_XDIST_WORKER" in os.environ or hasattr(config, "workerinput")  # it must not start its own
    if whole and not is_worker and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses, config.option.dist = 2, "worksteal"
