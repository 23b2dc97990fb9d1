"""Laws for the stages that are not tried: seconds from counts, in units of this machine's speed.

The constants were measured by ``benchmarks/scale.py`` and ``benchmarks/plan.py`` (docs/explanation/scale.md) on a
machine whose speed was measured as that of the machine at hand is, so that no law is of one machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.planning.clock import Clock, clocked
from social_provenance.training.loop import cpu_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCE_SECONDS = 0.15
"""Seconds of :func:`work_of_tables` on the machine of the constants."""
SIDE = 1024
"""Side of the matrices whose product is timed."""
PRODUCTS = 5
SHARE = 0.5
"""Share of the rate of matrix products that a model's passes are taken to reach."""


@dataclass(frozen=True)
class Machine:
    """Speed of a machine.

    Attributes:
        tables: Seconds of :func:`work_of_tables`.
        flops: Rate of matrix products of the device that models run on, per second; None: unknown.
    """

    tables: float
    flops: float | None

    @property
    def slowness(self) -> float:
        """Seconds here per second on the machine of the constants."""
        return self.tables / REFERENCE_SECONDS

    def passes(self, operations: float) -> float | None:
        """Return the seconds of passes of a model, from their floating-point operations; None if unknown."""
        return None if self.flops is None else operations / (SHARE * self.flops)


@dataclass(frozen=True)
class Law:
    """Seconds of a stage on the machine of the constants.

    Attributes:
        fixed: Seconds of a study of any size: imports, first calls, figures.
        per: Count -> seconds per unit of it.
    """

    fixed: float
    per: Mapping[str, float]

    def at(self, counts: Mapping[str, float], machine: Machine) -> float:
        """Return the seconds on a machine."""
        return machine.slowness * (self.fixed + sum(each * counts[name] for name, each in self.per.items()))


LAWS = {
    "make_world": Law(1.0, {}),
    "read": Law(1.5, {}),
    "clean": Law(0.3, {"documents": 3e-6}),
    "label": Law(1.0, {"documents": 8e-6}),
    "draw": Law(1.0, {"documents": 2e-5}),
    "queries": Law(1.5, {"queries": 1e-3}),
    "compare": Law(1.0, {"cells": 4e-6}),
    "random_weights": Law(1.0, {"cells": 2e-6}),
    "aggregate": Law(3.0, {"cells": 7e-6, "replicated": 3.9e-4}),
    "unlearn": Law(2.0, {"runs": 0.01}),
    "effects": Law(6.5, {"changes": 3e-5}),
    "validate": Law(1.0, {}),
    "report": Law(4.0, {}),
}
"""Stage -> law of what is not tried of it. Counts: ``cells`` are documents x benchmarks x methods, ``replicated`` are
replicates x benchmarks x methods, ``changes`` are unlearning runs x replicates."""


def work_of_tables() -> float:
    """Return the seconds of a fixed piece of work on tables: sorting, grouping, a loop."""
    import numpy as np
    import pandas as pd

    values = np.random.default_rng(0).random(400_000)
    clock = Clock()
    for _ in range(3):
        order = values.argsort()
        table = pd.DataFrame({"group": order % 601, "value": values})
        table.groupby("group")["value"].agg(["mean", "var"])
        sum(number * 3 % 7 for number in range(200_000))
    return clock.seconds()


def rate_of_matrices(precision: str, device: Any) -> float:
    """Return the floating-point operations per second of a matrix product on a device."""
    import torch

    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    matrix = torch.ones(SIDE, SIDE, dtype=kind, device=device)

    def multiply() -> None:
        for _ in range(PRODUCTS):
            product = matrix @ matrix
        float(product[0, 0])  # a GPU is waited for

    multiply()
    return 2 * SIDE**3 * PRODUCTS / clocked(multiply)


def measure_machine(precision: str, teraflops: float | None, *, has_device: bool) -> Machine:
    """Measure this machine.

    Args:
        precision: Precision of the model's passes.
        teraflops: Rate of matrix products of the GPU that is planned for, 10^12 per second; None: of this machine.
        has_device: Whether the device that is planned for is that of this machine.
    """
    import torch

    work_of_tables()
    tables = work_of_tables()
    if teraflops is not None:
        return Machine(tables, teraflops * 1e12)
    if not has_device:
        return Machine(tables, None)
    with cpu_threads(1):
        return Machine(tables, rate_of_matrices(precision, "cuda" if torch.cuda.is_available() else "cpu"))
