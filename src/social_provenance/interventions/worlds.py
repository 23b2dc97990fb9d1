"""Whole small studies of other worlds, each isolated from the present study.

A world is studied by ``kedro run`` in a process of its own, with a copy of the configuration, the
parameters of this run except the world's seed, and a data folder that is deleted afterwards. So it runs
the same nodes as the study, and can neither read nor change the study's data.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.artifacts import OneByOne, Parts
from social_provenance.errors import WorldError
from social_provenance.fingerprint import digest_of
from social_provenance.forgetting.vocabulary import EQUAL_COMPUTE
from social_provenance.processes import run_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

logger = logging.getLogger(__name__)

PIPELINES = ("miniature", "corpus", "taxonomy", "pretraining", "attribution", "aggregation", "validation", "unlearning")
"""Pipelines that recover a world's planted topics and unlearn influential documents."""

BLOCKS = (
    *("miniature", "documents", "labelling", "working_set", "evaluation"),
    *("pretraining", "attribution", "gradients", "scoring", "bootstrap", "unlearning"),
)
"""Parameters that these pipelines read."""

METRICS, RECORD, EFFECTS = "validation_metrics.parquet", "validation.json", "unlearning_effects.parquet"
CONFIGURATION, DATA = "conf", "data"
ENVIRONMENT = "world"
KEY = ["method", "benchmark"]
OF_TOPICS = (
    *("power", "false_positive_rate"),
    *("decoy_auc", "twin_auc", "decoy_call_rate", "planted_z", "decoy_z", "twin_z", "other_z"),
)


def plan_worlds(parameters: Mapping[str, Any], worlds: int) -> Parts:
    """Describe the study of each world as a part, ``world-43``: the seeds after that of this study.

    Args:
        parameters: Of this run.
        worlds: Number of worlds.
    """
    own = {name: parameters[name] for name in BLOCKS if name in parameters}
    first = int(parameters["miniature"]["seed"]) + 1
    changed = {seed: {**own, "miniature": {**own["miniature"], "seed": seed}} for seed in range(first, first + worlds)}
    # A world runs in a process of its own, which no import reaches: its code is that of the pipelines.
    code = [f"{__package__.partition('.')[0]}.pipelines.{name}.pipeline" for name in PIPELINES]
    return Parts(
        {f"world-{seed}": digest_of(settings) for seed, settings in changed.items()},
        OneByOne({f"world-{seed}": partial(_study, seed, own) for seed, own in changed.items()}),
        computed_by={f"world-{seed}": code for seed in changed},
    )


def gather_metrics(folders: Mapping[str, Path]) -> pd.DataFrame:
    """Return how well each method recovers the planted topics and bins of each world.

    Returns:
        ``seed``, ``method``, ``benchmark``, ``accuracy`` (of the world's model), ``topic_auc``,
        ``bin_auc``, and of topics the other measures of ``validation_metrics`` (:data:`OF_TOPICS`).
    """
    import pandas as pd

    tables = []
    for folder in folders.values():
        record = json.loads((folder / RECORD).read_text())
        metrics = pd.read_parquet(folder / METRICS)
        levels = {str(level): own.set_index(KEY) for level, own in metrics.groupby("level")}
        table = levels["topic"][list(OF_TOPICS)].assign(
            topic_auc=levels["topic"]["auc"], bin_auc=levels["bin"]["auc"], seed=record["seed"]
        )
        table = table.reset_index()
        tables.append(table.assign(accuracy=table["benchmark"].map(record["accuracy"])))
    columns = ["seed", *KEY, "accuracy", "topic_auc", "bin_auc", *OF_TOPICS]
    gathered: pd.DataFrame = pd.concat(tables, ignore_index=True)[columns]
    return gathered


def gather_effects(folders: Mapping[str, Path]) -> pd.DataFrame:
    """Return the effects of unlearning in each world, at equal compute.

    Returns:
        ``seed`` and the columns of ``unlearning_effects`` for its reading ``equal_compute``.
    """
    import pandas as pd

    tables = []
    for folder in folders.values():
        effects = pd.read_parquet(folder / EFFECTS)
        own = effects[effects["reading"] == EQUAL_COMPUTE]
        tables.append(own.assign(seed=json.loads((folder / RECORD).read_text())["seed"]))
    joined: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return joined[["seed", *joined.columns.drop("seed")]]


def find_project(start: Path) -> Path:
    """Return the project's folder: the nearest one, from ``start`` upwards, with a ``pyproject.toml`` and a ``conf``.

    Raises:
        WorldError: If there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").exists() and (folder / CONFIGURATION).is_dir():
            return folder
    raise WorldError(f"{start} is not in the project: run kedro from the project's folder")


def _study(seed: int, settings: Mapping[str, Any], folder: Path) -> None:
    import yaml

    conf, data = folder / CONFIGURATION, folder / DATA
    shutil.copytree(find_project(Path.cwd()) / CONFIGURATION, conf)
    written = {
        "parameters": settings,
        "globals": {"root": data.resolve().as_posix()},
        "mlflow": {"enabled": False, "tracking_uri": "", "experiment": ""},
    }
    (conf / ENVIRONMENT).mkdir()
    for name, values in written.items():
        (conf / ENVIRONMENT / f"{name}.yml").write_text(yaml.safe_dump(values, sort_keys=False))
    where = ["--conf-source", str(conf.resolve()), "--env", ENVIRONMENT]
    ended = run_command([sys.executable, "-m", "kedro", "run", *where, "--pipelines", ",".join(PIPELINES)])
    if ended.returncode:
        reason = ([line for line in ended.stderr.splitlines() if line.strip()] or ["no reason given"])[-1]
        raise WorldError(
            f"the world of seed {seed} cannot be studied: {reason.strip()}; finished worlds are kept; "
            f"lower worlds to omit this one, or start from another miniature.seed"
        )
    for name in (METRICS, RECORD, EFFECTS):
        shutil.copy(data / "08_reporting" / name, folder / name)
    shutil.rmtree(conf)
    shutil.rmtree(data)
    logger.info("world of seed %d: studied", seed)
