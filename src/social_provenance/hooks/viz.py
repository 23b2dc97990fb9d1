"""``kedro viz run`` with its names checked: it hands them to a second process, for which it then waits without end.

``cli.py`` puts this command in the place of kedro-viz's own, whose group loads its commands when they are called.
"""

from __future__ import annotations

from copy import copy
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.project import settings
from kedro.utils import find_kedro_project
from kedro_viz.launchers.cli.run import run as viz_run

from social_provenance.hooks.loader import refuse_environment
from social_provenance.hooks.selection import refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    import click


def _checked(show: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(show)
    def run(**chosen: Any) -> Any:
        project = find_kedro_project(Path.cwd())
        if project is not None and not chosen.get("load_file"):
            refuse_unknown({"pipeline": chosen.get("pipeline")})
            arguments = settings.CONFIG_LOADER_ARGS
            source = str(project / settings.CONF_SOURCE)
            refuse_environment(source, arguments["base_env"], chosen.get("env") or arguments["default_run_env"])
        return show(**chosen)

    return run


run: click.Command = copy(viz_run)
run.callback = _checked(viz_run.callback)
