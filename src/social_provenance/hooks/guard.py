"""Hook that rejects unknown parameters before a run, and keeps the process offline unless configured."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from pydantic import BaseModel

from social_provenance.errors import SettingsError, did_you_mean
from social_provenance.hooks.typed_paths import restore_paths

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog

PATHS = ("root", "corpus", "benchmarks", "model", "query_model", "reference")
PLACES = (*PATHS, "accepted_code")
"""Runtime parameters that the catalog reads."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
QUIET = {"DO_NOT_TRACK": "true", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


class GuardHooks:
    """Check runtime parameters and set up the process environment."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Set the environment before any library that reads it is imported."""
        # Before the catalog is made, which reads them.
        restore_paths(getattr(context.config_loader, "runtime_params", None) or {}, PATHS, sys.argv)
        settings = context.config_loader["engines"]
        for name, value in (QUIET | OFFLINE if settings["offline"] else QUIET).items():
            # ``setdefault``: what the user has exported takes precedence.
            os.environ.setdefault(name, value)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Raise on a parameter that no pipeline reads, on the command line or in a file.

        Raises:
            SettingsError: With the parameter and the closest known one.
        """
        given = run_params.get("runtime_params") or {}
        known = known_parameters()
        # Kedro ignores parameters that no node reads, so a misspelled one would run with the default.
        for name in (*given, *catalog.load("parameters")):
            if name not in known:
                place = "--params" if name in given else "conf/*/parameters*.yml"
                hint = did_you_mean(name, known) or f"; name one of {', '.join(sorted(known))}"
                raise SettingsError(f"{place}: unknown parameter {name!r}{hint}")
        refuse_unasked(catalog)


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
