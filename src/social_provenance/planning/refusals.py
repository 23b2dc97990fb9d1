"""What a run would be refused for, found before it starts: checks, each of which refuses in one line."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

from social_provenance.capabilities.split import items_for
from social_provenance.device_memory import GIGABYTE, empty_model
from social_provenance.errors import ArtifactError, ProvenanceError
from social_provenance.forgetting.runs import memory
from social_provenance.forgetting.runs.trainable import check_targets
from social_provenance.gradients.methods.registry import foresee
from social_provenance.gradients.queries.build import refuse_long_items
from social_provenance.gradients.walk.bergson_trial import refuse_large
from social_provenance.gradients.walk.coverage import inspect, refuse_flat, refuse_too_wide
from social_provenance.language_model import max_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pandas as pd

    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study


def list_refusals(checks: Iterable[Callable[[], object]]) -> list[str]:
    """Return the errors of checks, a line each.

    Args:
        checks: Functions, each of which raises a ProvenanceError for what would be refused.
    """
    found = []
    for check in checks:
        try:
            check()
        except ProvenanceError as error:
            found.append(str(error))
    return found


def refuse_full_disk(folder: Path, needed: int, what: str, setting: str) -> None:
    """Refuse a folder whose disk has no room for what a study writes there.

    Args:
        folder: Folder, which need not exist.
        needed: Bytes.
        what: What is written there.
        setting: What the user may give instead, for the error.

    Raises:
        ArtifactError: With the folder, the bytes needed and free, and the setting.
    """
    free = shutil.disk_usage(next(path for path in (folder, *folder.absolute().parents) if path.exists())).free
    if needed > free:
        raise ArtifactError(
            f"{folder} needs {needed / GIGABYTE:.1f} GB for {what} and its disk has {free / GIGABYTE:.1f} GB free: "
            f"make room, or name another place with {setting}"
        )


def checks_of_model(model: LanguageModel, study: Study, room: int | None) -> list[Callable[[], object]]:
    """Return the checks that need the shape of a model, and no document.

    Args:
        model: The model.
        study: Parameters.
        room: Bytes of the GPU; None: there is none, and nothing is refused for its memory.
    """
    config = model.config()
    settings, gradients = study.unlearning, study.gradients
    tokens = min(gradients.max_tokens, max_tokens(config))
    coverage = inspect(config, gradients.moe_experts)
    checks: list[Callable[[], object]] = [
        partial(refuse_flat, model, coverage),
        partial(refuse_too_wide, coverage, gradients.projection_dim),
        partial(foresee, study.scoring, coverage.dimensions(gradients.projection_dim), 0),
        partial(memory.refuse_large, config, settings, tokens, room),
    ]
    if not study.distributed.fsdp:
        checks.append(partial(refuse_large, model, gradients, room))
    if settings.lora is not None:
        checks.append(partial(check_targets, empty_model(config), settings.lora))
    return checks


def checks_of_items(requests: pd.DataFrame, study: Study) -> list[Callable[[], object]]:
    """Return the checks of the items that are attributed."""
    asked = items_for(requests, "attribution")
    budget, query = study.gradients.max_tokens, study.queries["query"]
    return [partial(refuse_long_items, asked, budget, study.nulls, query=query)]
