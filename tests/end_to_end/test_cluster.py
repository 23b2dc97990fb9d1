"""The recipes for several nodes, as the page has them, on two nodes that are processes of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs/how_to/large_study.md"

SRUN = """#!/usr/bin/env bash
# Runs a command on all nodes of the job, or on one, and fails where one of them fails.
nodes=$SLURM_NNODES
while [[ $1 == --* ]]; do
  [[ $1 == --nodes=* ]] && nodes=${1#--nodes=}
  shift
done
pids=()
for ((node = 0; node < nodes; node++)); do
  SLURM_NODEID=$node "$@" &
  pids+=($!)
done
code=0
for pid in "${pids[@]}"; do wait "$pid" || code=1; done
exit $code
"""
SCONTROL = "#!/usr/bin/env bash\necho 127.0.0.1\n"


def recipe(heading: str, changes: dict[str, str]) -> str:
    """Return the first script below a heading of the page, with some of its values replaced."""
    script = PAGE.read_text().partition(f"### {heading}\n")[2].split("```")[1]
    for old, new in changes.items():
        assert old in script, old
        script = script.replace(old, new)
    return script


def free_port() -> int:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port: int = own.getsockname()[1]
    return port


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a job on two nodes."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    job = {"SLURM_NNODES": "2", "SLURM_CPUS_PER_TASK": "1", "SLURM_JOB_NODELIST": "node[0-1]", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **job, "PATH": f"{commands}:{os.environ['PATH']}"}


def bash(script: str, environment: dict[str, str]) -> None:
    ended = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a store that a walk writes."""
    kinds = ("gradients.bin", "embeddings.npy", "rows.parquet", "moments.safetensors", "current.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.name in kinds}


@pytest.mark.campaign
def test_two_nodes_make_the_store_that_one_process_makes(tmp_path: Path, environment: dict[str, str]) -> None:
    root, kedro = tmp_path / "data", f"{sys.executable} -m kedro"
    common = {"--env olmo3": "--env test", "KEDRO=.venv/bin/kedro": f'KEDRO="{kedro}"'}
    common |= {
        "corpus=/shared/dolma,gradients.ranks_per_shard=100": f"root={root}",
        "nproc_per_node=8": "nproc_per_node=1",
    }
    slurm = {
        "cd /shared/social-provenance": f"cd {PROJECT}",
        "MASTER_PORT=29500": f"MASTER_PORT={free_port()}",
        "--pipelines corpus,taxonomy": "--pipelines miniature,corpus,taxonomy,pretraining",
    }
    bash(recipe("SLURM", common | slurm), environment)
    assert (root / "08_reporting/report.html").exists()
    store = root / "04_feature/corpus_gradients"
    by_slurm = files(store)
    assert len(by_slurm) == 2 * 4 + 1

    shutil.rmtree(store)
    elastic, own = free_port(), free_port()
    ports = {
        "--master-addr node0": "--master-addr 127.0.0.1",
        "29400": str(elastic),
        "MASTER_PORT=29500": f"MASTER_PORT={own}",
    }
    torchrun = recipe(
        "torchrun", common | ports | {".venv/bin/torchrun": str(Path(sys.executable).parent / "torchrun")}
    )
    second = torchrun.replace("--node-rank 0", "--node-rank 1")
    assert second != torchrun
    bash(f"({second}) & other=$!; ({torchrun}); code=$?; wait $other && exit $code", environment)
    assert files(store) == by_slurm

    shutil.rmtree(store)
    bash(f"{kedro} run --env test --nodes collect_corpus_gradients --params root={root}", environment)
    assert files(store) == by_slurm
