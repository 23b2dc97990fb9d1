"""How well does the pipeline plan predict what a study takes? Prints one JSON object.

Usage: python benchmarks/plan.py [--env ENV] [--pipelines NAME,...] [--params name=value,...] [--folder DIR]

First ``plan`` is run, then the study for real, each in a process of its own and in the same fresh data folder. A hook
measures every node, and seconds of nodes are summed to the stages of the plan. ``measured_s`` are of the wall,
``alone_s`` what it would show without other work on the machine: a node's processor time, divided by its processes,
where that is less. ``ratio`` and ``alone`` are predicted to measured seconds of stages above 5 s, and ``worst`` those
farthest from 1 on a logarithmic scale. Memory is what all processes of the study held at once, disk what the data
folder holds at the end. With ``--folder`` both are
kept, and what was measured there before is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scale import PROJECT, Watch

LEAST = 5.0
"""Seconds that a stage must take to be judged."""
KINDS = ("ratio", "alone")


def main() -> None:
    """Plan, run and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="base")
    parser.add_argument("--pipelines", default="__default__")
    parser.add_argument("--params", default="")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        run(given.child, given.env, given.pipelines.split(","), given.params)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        root = folder / "data"
        named = [*given.pipelines.split(",")]
        before = ["miniature"] if {"miniature", "__default__"} & set(named) else []
        params = ",".join(part for part in (f"root={root}", given.params) if part)
        planning = measure(folder / "plan.json", given.env, [*before, "plan"], params)
        study = measure(folder / "study.json", given.env, named, params)
        plan = json.loads((root / "08_reporting/study_plan.json").read_text())
        settings = json.loads((root / "02_intermediate/model_settings.json").read_text())
        shared = {"unlearn": settings["unlearning"]["processes"], "read": settings["plan"]["processes"]}
        print(json.dumps(compare(plan, study, shared) | {"plan_s": planning["wall_s"], "cores": os.cpu_count()}))


def measure(kept: Path, env: str, pipelines: list[str], params: str) -> dict[str, Any]:
    """Run pipelines in a process of its own, unless it was done, and return what they took."""
    if not kept.exists():
        command = [sys.executable, __file__, "--child", str(kept), "--env", env, "--params", params]
        subprocess.run([*command, "--pipelines", ",".join(pipelines)], check=True, stdout=sys.stderr)
    measured: dict[str, Any] = json.loads(kept.read_text())
    return measured


def run(kept: Path, env: str, pipelines: list[str], text: str) -> None:
    """Run pipelines and write what each node took, the peak of memory and the bytes of the data folder."""
    from kedro.framework.project import configure_project
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from social_provenance.hooks.typed_params import read_items

    start = time.perf_counter()
    bootstrap_project(PROJECT)
    configure_project("social_provenance")
    params = read_items(text)
    with KedroSession.create(PROJECT, env=env, runtime_params=params) as session:
        watch = Watch(every=0.25)
        session._hook_manager.register(watch)
        session.run(pipeline_names=pipelines)
    files = [path for path in Path(params["root"]).rglob("*") if path.is_file() and not path.is_symlink()]
    measured = {
        "nodes": watch.taken,
        "host_bytes": watch.highest,
        "disk_bytes": sum(path.stat().st_size for path in files),
        "wall_s": round(time.perf_counter() - start, 1),
    }
    kept.write_text(json.dumps(measured))


def compare(plan: dict[str, Any], study: dict[str, Any], processes: dict[str, int]) -> dict[str, Any]:
    """Return predicted and measured seconds of each stage, the ratios of those above ``LEAST``, and the worst ones.

    Args:
        plan: The dataset ``study_plan``.
        study: What :func:`run` has written.
        processes: Stage -> processes that share its work, if there is more than one.

    Raises:
        SystemExit: If a node belongs to no stage of the plan.
    """
    from social_provenance.pipeline_registry import CHECKS, SMALL_WORLD, STUDY, register_pipelines
    from social_provenance.planning.stages import stage_of

    known = register_pipelines()
    homes = {
        node.name: name for name in (*STUDY, *SMALL_WORLD, *CHECKS, "random_weights") for node in known[name].nodes
    }
    wall: dict[str, float] = {}
    alone: dict[str, float] = {}
    for node, one in study["nodes"].items():
        name = stage_of(node, homes[node])
        if name is None:
            sys.exit(f"node {node} is in no stage of the plan")
        wall[name] = wall.get(name, 0.0) + one["wall_s"]
        alone[name] = alone.get(name, 0.0) + min(one["wall_s"], one["cpu_s"] / processes.get(name, 1))
    rows = {row["stage"]: row for row in plan["stages"]}
    stages = {}
    for name, measured in wall.items():
        hours = rows[name]["hours"] if name in rows else None
        one = {"measured_s": round(measured, 1), "alone_s": round(alone[name], 1)}
        if hours is not None:
            one["predicted_s"] = round(hours * 3600, 1)
            if measured >= LEAST:
                one |= {"ratio": round(hours * 3600 / measured, 2), "alone": round(hours * 3600 / alone[name], 2)}
        stages[name] = one
    total = sum(row["hours"] or 0 for row in plan["stages"]) * 3600
    host = max(row["host_gigabytes"] for row in plan["stages"])
    disk = sum(row["disk_gigabytes"] for row in plan["stages"])
    return {
        "stages": stages,
        "worst": {kind: worst({name: one[kind] for name, one in stages.items() if kind in one}) for kind in KINDS},
        "total": {
            "predicted_s": round(total, 1),
            "measured_s": round(sum(wall.values()), 1),
            "alone_s": round(sum(alone.values()), 1),
        },
        "host_gigabytes": {"predicted": round(host, 2), "measured": round(study["host_bytes"] / 1e9, 2)},
        "disk_gigabytes": {"predicted": round(disk, 3), "measured": round(study["disk_bytes"] / 1e9, 3)},
        "unmeasured": [name for name in rows if name not in wall],
    }


def worst(ratios: dict[str, float]) -> list[Any]:
    """Return the stage whose ratio is farthest from 1 on a logarithmic scale, and the ratio; nothing without any."""
    name = max(ratios, key=lambda each: abs(math.log(max(ratios[each], 1e-9))), default=None)
    return [] if name is None else [name, ratios[name]]


if __name__ == "__main__":
    main()
