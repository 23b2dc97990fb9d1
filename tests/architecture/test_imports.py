"""Imports run one way, and each foreign engine has one adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guards.imports import broken_contracts, contract_names
from guards.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLANTED = {
    "Imports run one way": (
        "regions/grid.py",
        "from social_provenance.labelling import linear",
    ),
    "Estimates are resampled, mapped, compared, then tested": (
        "estimation/maps/aggregate.py",
        "from social_provenance.estimation.significance import nulls",
    ),
    "Gradients are walked, compared, then studied": (
        "gradients/walk/collect.py",
        "from social_provenance.gradients.methods import outliers",
    ),
    "Forgetting is designed, run, then measured": (
        "forgetting/design/plan.py",
        "from social_provenance.forgetting.runs import run",
    ),
    "Pipelines do not import each other": (
        "pipelines/corpus/nodes.py",
        "from social_provenance.pipelines.taxonomy import params",
    ),
    "Pipelines leave files to the catalog": (
        "pipelines/unlearning/nodes.py",
        "from social_provenance.datasets import tables",
    ),
    "Domain packages do not know Kedro": ("estimation/bootstrap/resample.py", "from kedro.io import DataCatalog"),
    "Only the adapters of Bergson import it": (
        "gradients/walk/store.py",
        "from bergson.data import load_gradients",
    ),
    "Only capabilities.harness imports lm-eval": ("capabilities/items.py", "from lm_eval.api import task"),
    "Only hooks.mlflow_store imports MLflow": ("hooks/guard.py", "import mlflow"),
    "Only the pipelines that make and check the miniature world know it": (
        "pipelines/attribution/nodes.py",
        "from social_provenance.miniature import world",
    ),
}
"""Contract -> (module, the line in it that breaks the contract)."""


def test_the_contracts_are_kept() -> None:
    assert broken_contracts(ROOT) == []


def test_every_contract_finds_its_violation(copy: Path, append: Callable[[Path, str], None]) -> None:
    for module, line in PLANTED.values():
        append(copy / "src" / "social_provenance" / module, f"\n{line}\n")
    assert broken_contracts(copy) == list(PLANTED)


def test_every_contract_has_a_violation_to_find() -> None:
    assert contract_names(ROOT) == list(PLANTED)


def test_a_package_without_a_place_is_found(copy: Path) -> None:
    package = copy / "src" / "social_provenance" / "helpers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    assert "Imports run one way" in broken_contracts(copy)
