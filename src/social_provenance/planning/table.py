"""The plan as a table: a row for each stage, in the units that a user pays in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.device_memory import GIGABYTE
from social_provenance.planning.costs import ON_DEVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from social_provenance.planning.found import Cost
    from social_provenance.planning.study import Study

COLUMNS = (
    *("stage", "documents", "tokens", "hours", "gpu_hours", "gpu_gigabytes", "host_gigabytes"),
    *("disk_gigabytes", "spill_gigabytes", "by"),
)


def tabulate(
    costs: Mapping[str, Cost], study: Study, base: int, peaks: Mapping[str, int], *, gpu: bool
) -> list[dict[str, Any]]:
    """Return one row per stage, of the fields of :data:`COLUMNS`; what is unknown is null.

    Args:
        costs: Stage -> its cost.
        study: Parameters.
        base: Bytes of host memory of the program itself.
        peaks: Part of a stage -> peak of a device's memory, bytes.
        gpu: Whether models run on a GPU.
    """
    divided, processes = study.distributed.processes, study.unlearning.processes
    gpus = {"walk": divided, "random_weights": divided, "unlearn": processes}
    walk, runs = peaks.get("walk"), [peak for part, peak in peaks.items() if part.startswith("unlearn")]
    device = {"queries": walk, "walk": walk, "random_weights": walk, "unlearn": max(runs, default=None)}
    rows = []
    for stage, cost in costs.items():
        on_gpu = gpu and stage in ON_DEVICE
        hours = None if cost.seconds is None else cost.seconds / 3600
        peak = device.get(stage)
        rows.append(
            {
                "stage": stage,
                "documents": cost.documents,
                "tokens": cost.tokens,
                "hours": None if hours is None else round(hours, 6),
                "gpu_hours": 0.0 if not on_gpu else None if hours is None else round(hours * gpus.get(stage, 1), 6),
                "gpu_gigabytes": 0.0 if not on_gpu else None if peak is None else round(peak / GIGABYTE, 2),
                "host_gigabytes": round((base + cost.host) / GIGABYTE, 3),
                "disk_gigabytes": round(cost.disk / GIGABYTE, 6),
                "spill_gigabytes": round(cost.spill / GIGABYTE, 3),
                "by": cost.by,
            }
        )
    return rows


def describe(row: Mapping[str, Any]) -> str:
    """Format a row as one line."""
    pieces = [f"{row['documents']:,} documents"] if row["documents"] is not None else []
    pieces += [f"{row['tokens']:,} tokens"] if row["tokens"] is not None else []
    pieces += ["time not known" if row["hours"] is None else _duration(row["hours"])]
    pieces += [f"{row['gpu_hours']:.1f} GPU hours"] if row["gpu_hours"] else []
    pieces += [f"{row['gpu_gigabytes']:.1f} GB of GPU memory"] if row["gpu_gigabytes"] else []
    pieces += [f"{row['host_gigabytes']:.1f} GB of memory", f"{row['disk_gigabytes']:.2f} GB on disk"]
    pieces += [f"{row['spill_gigabytes']:.1f} GB of spill"] if row["spill_gigabytes"] else []
    return f"{row['stage']}: {', '.join(pieces)} (by {row['by']})"


def _duration(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"
