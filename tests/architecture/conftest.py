"""The project as it is, and copies to plant violations in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guards.project import CONF, ROOT, Project, read_project

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def project() -> Project:
    """Return the project in its base environment."""
    return read_project()


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Return a copy of the configuration."""
    return Path(shutil.copytree(CONF, tmp_path / "conf"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the project's source and settings."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def append() -> Callable[[Path, str], None]:
    """Return a function that writes more text at the end of a file."""

    def write(path: Path, text: str) -> None:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)

    return write
