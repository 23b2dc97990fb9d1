"""An algorithm is found by its module, bears its name, and is described where a reader looks for it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from social_provenance.forgetting.objectives import registry
from social_provenance.forgetting.objectives.grad_diff import GradDiff
from social_provenance.forgetting.objectives.registry import Algorithm, find_algorithms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from social_provenance.forgetting.objectives.base import Objective

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "unlearning.md"
ROW = re.compile(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", re.MULTILINE)


def undescribed(algorithms: dict[str, type[Objective]], page: str) -> list[str]:
    """Find algorithms without a row in the table of the page, and fields that their row lacks."""
    rows = dict(ROW.findall(page[page.index("\n## Algorithms") :].partition("\nThe full objective")[0]))
    missing = [f"{name}: no row" for name in algorithms if name not in rows]
    fields = {name: set(kind.model_fields) - {"name", "learning_rate"} for name, kind in algorithms.items()}
    said = {name: set(re.findall(r"`(\w+)`[^`(]*\(", rows.get(name, ""))) for name in algorithms}
    lacking = [f"{name}: {sorted(fields[name] ^ said[name])}" for name in rows if fields.get(name) != said.get(name)]
    return missing + lacking


@pytest.fixture
def fresh() -> Iterator[None]:
    """Forget what was found before and after a test."""
    find_algorithms.cache_clear()
    yield
    find_algorithms.cache_clear()


def test_every_module_that_defines_an_algorithm_is_found() -> None:
    folder = Path(registry.__file__).parent
    named = {path.stem for path in folder.glob("*.py") if re.search(r'^    name: Literal\["', path.read_text(), re.M)}
    assert set(find_algorithms()) == named
    assert all(name == kind().name for name, kind in find_algorithms().items())


@pytest.mark.usefixtures("fresh")
def test_a_name_that_is_not_that_of_the_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = GradDiff.__module__.replace("grad_diff", "npo")
    stray = ModuleType(name)
    stray.Stray = type("Stray", (GradDiff,), {"__module__": name})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, stray)
    with pytest.raises(TypeError, match="algorithm 'grad_diff' is in the module 'npo': give both the same name"):
        find_algorithms()


@pytest.mark.parametrize("name", find_algorithms())
def test_a_parameter_comes_back_as_it_was_given(name: str) -> None:
    read: Any = TypeAdapter(Algorithm)
    given = find_algorithms()[name](learning_rate=0.5)  # type: ignore[call-arg]
    dumped = read.dump_python(given, mode="json")
    assert set(dumped) == set(type(given).model_fields)
    assert read.validate_python(dumped) == given


def test_every_algorithm_is_described_with_its_hyperparameters() -> None:
    assert undescribed(find_algorithms(), PAGE.read_text(encoding="utf-8")) == []


def test_an_algorithm_that_is_not_described_is_found() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert undescribed({**find_algorithms(), "other": GradDiff}, page) == ["other: no row"]
    without = page.replace("| `gamma` (1), `alpha` (1), `retain` (`nll`) |", "| `gamma` (1), `beta` (2) |", 1)
    assert undescribed(find_algorithms(), without) == ["grad_diff: ['alpha', 'beta', 'retain']"]
