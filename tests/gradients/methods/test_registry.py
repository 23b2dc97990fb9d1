"""Every method is found, under its own name, without loading a heavy library."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import ClassVar, get_args

import pytest

from social_provenance.errors import AttributionError
from social_provenance.gradients.methods import registry
from social_provenance.gradients.methods.base import Needs
from social_provenance.gradients.methods.length import Length
from social_provenance.gradients.methods.registry import (
    choose,
    find_methods,
    foresee,
    is_baseline,
    known_method,
    method_names,
)
from social_provenance.gradients.methods.settings import ScoringSettings

KNOWN = {
    "store": {"trackstar", "influence", "gradient_cosine", "trak"},
    "model": {"ekfac"},
    "texts": {"bm25", "embedding", "length", "loss"},
}


def test_every_method_has_one_need() -> None:
    assert set(KNOWN) == set(get_args(Needs))
    for needs, names in KNOWN.items():
        assert names <= set(method_names(needs))
    assert sorted(name for needs in get_args(Needs) for name in method_names(needs)) == sorted(method_names())


@pytest.mark.parametrize("name", method_names())
def test_a_method_is_in_the_module_of_its_name_and_states_its_formula(name: str) -> None:
    method = find_methods()[name]
    assert method.__module__ == f"social_provenance.gradients.methods.{name}"
    assert method.__doc__ is not None
    assert import_module(method.__module__).__doc__


def test_methods_are_chosen_by_need_in_the_order_asked_for_and_once() -> None:
    names = ["trak", "bm25", "trackstar", "trak", "loss"]
    assert [method.name for method in choose(names, "store")] == ["trak", "trackstar"]
    assert [method.name for method in choose(names, "texts")] == ["bm25", "loss"]
    assert choose(names, "model") == []


def test_a_baseline_needs_no_gradient() -> None:
    assert [name for name in method_names() if is_baseline(name)] == list(method_names("texts"))
    assert not is_baseline("no method")


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    assert known_method("trak") == "trak"
    with pytest.raises(ValueError, match=r"there is no attribution method 'dot': choose among .*trackstar.*bm25"):
        known_method("dot")


def test_a_method_in_a_module_of_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Misplaced(Length):
        """As long as it is."""

        name: ClassVar[str] = "misplaced"

    module = import_module(Length.__module__)
    monkeypatch.setattr(Misplaced, "__module__", Length.__module__)
    monkeypatch.setattr(module, "Misplaced", Misplaced, raising=False)
    with pytest.raises(TypeError, match="method 'misplaced' is in the module 'length': give both the same name"):
        registry.find_methods.__wrapped__()


def test_finding_methods_loads_no_heavy_library() -> None:
    script = (
        "import json, sys; from social_provenance.gradients.methods.settings import ScoringSettings; ScoringSettings();"
        "print(json.dumps([name for name in ('torch', 'transformers', 'bergson', 'pandas') if name in sys.modules]))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path("/"))
    assert json.loads(ran.stdout) == []


def test_every_method_is_asked_before_the_walk() -> None:
    names = method_names()
    settings = ScoringSettings(methods=names, default_method=names[0], max_joint=100)
    foresee(settings, 100, 50)
    with pytest.raises(AttributionError, match=r"trak needs a joint kernel of 101 x 101 .*max_joint allows 100"):
        foresee(settings, 101, 50)
    foresee(ScoringSettings(max_joint=100), 101, 50)
