"""Hook that rejects unknown parameters before a run, and keeps the process offline unless configured."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from click import get_current_context
from kedro.framework.hooks import hook_impl
from pydantic import BaseModel

from social_provenance.errors import SettingsError, among
from social_provenance.hooks.selection import refuse_unknown
from social_provenance.hooks.typed_paths import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
QUIET = {"DO_NOT_TRACK": "true", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


class GuardHooks:
    """Check runtime parameters and set up the process environment."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Set the environment before any library that reads it is imported."""
        refuse_unread(context)
        command = get_current_context(silent=True)  # none in a notebook
        refuse_unknown(command.params if command else {})
        settings = context.config_loader["engines"]
        for name, value in (QUIET | OFFLINE if settings["offline"] else QUIET).items():
            # ``setdefault``: what the user has exported takes precedence.
            os.environ.setdefault(name, value)

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, load_versions: dict[str, str] | None) -> None:
        """Raise on a version of a dataset that has none, which Kedro ignores.

        Raises:
            SettingsError: With the dataset.
        """
        for name in load_versions or {}:
            if getattr(catalog[name], "_version", None) is None:
                raise SettingsError(f"--load-versions: {name} has no versions: leave it out")

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Raise on a parameter that no pipeline reads, typed or in a file, and on a run of missing outputs alone.

        Raises:
            SettingsError: With the parameter and the closest known one, or the option.
        """
        if run_params.get("only_missing_outputs"):
            raise SettingsError(
                "--only-missing-outputs takes what exists for finished, whatever corpus and parameters made it: "
                "leave it out, finished parts are reused all the same"
            )
        given = run_params.get("runtime_params") or {}
        refuse_misspelled(given, "--params")
        refuse_misspelled(catalog.load("parameters"), "conf/*/parameters*.yml")
        refuse_unasked(catalog)


def refuse_misspelled(names: Iterable[str], place: str) -> None:
    """Check that parameters are those of a node; Kedro ignores others, so a misspelled one would run with the default.

    Raises:
        SettingsError: With the parameter and the closest known one.
    """
    known = known_parameters()
    for name in names:
        if name not in known:
            raise SettingsError(f"{place}: unknown parameter {name!r}{among(name, known)}")


def refuse_unread(context: KedroContext) -> None:
    """Check runtime parameters before anything is made, those too that are of other pipelines than the run has.

    Raises:
        SettingsError: If there is no such parameter.
        ParameterValidationError: If its model refuses it.
    """
    given = getattr(context.config_loader, "runtime_params", None) or {}
    refuse_misspelled(given, "--params")
    if set(given) - set(PLACES):
        # Reading them checks those of all pipelines; Kedro itself checks those of the pipelines that are run.
        _ = context.params


def refuse_unasked(catalog: DataCatalog) -> None:
    """Raise where a method that runs the model would ask something else than the other methods do.

    It takes the gradients of the queries by itself: those of the gold choice, by the model of the documents.

    Raises:
        SettingsError: With the method and the setting.
    """
    from social_provenance.gradients.methods.registry import method_names

    scoring, attribution = (_block(catalog, name) for name in ("scoring", "attribution"))
    runs_model = [name for name in scoring.get("methods", ()) if name in method_names("model")]
    query = attribution.get("query", "gold")
    for name in runs_model[:1]:
        if query != "gold":
            raise SettingsError(
                f"method {name} asks by the gold choice alone and attribution.query is {query!r}: leave {name} out of "
                f"scoring.methods, or set attribution.query to 'gold'"
            )
        other = catalog["query_model"].load() if "query_model" in catalog else None
        if other:
            raise SettingsError(
                f"method {name} takes all gradients of one model and query_model is {other.path}: leave {name} out of "
                f"scoring.methods, or give no query_model"
            )


def _block(catalog: DataCatalog, name: str) -> dict[str, Any]:
    """Return a block of parameters; one that is no mapping is refused by its model."""
    block = catalog.load("parameters").get(name)
    # Kedro has put the model of a block in its place, unless no node of the run reads it.
    given = block.model_dump() if isinstance(block, BaseModel) else block
    return given if isinstance(given, dict) else {}


def known_parameters() -> set[str]:
    """Return the allowed first names of runtime parameters."""
    from kedro.framework.project import pipelines

    inputs = {name for pipeline in pipelines.values() for name in pipeline.inputs()}
    blocks = {name.removeprefix("params:").split(".")[0] for name in inputs if name.startswith("params:")}
    return blocks | set(PLACES)
