"""Words of the unlearning tables: arms, outcomes, readings, statuses, and the columns that identify a row.

Whoever writes, checks, draws or reports these tables takes the words from here.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Arm = Literal["influence_in_topic", "random_in_topic", "influence_global", "random_global"]
Scope = Literal["topic", "global"]
ARMS: dict[Scope, tuple[Arm, Arm]] = {
    "topic": ("influence_in_topic", "random_in_topic"),
    "global": ("influence_global", "random_global"),
}
"""Scope of a contrast -> its targeted arm and its control."""

CONTRAST = ("benchmark", "topic", "scope", "algorithm")
"""Columns that identify a contrast; ``benchmark`` is the aligned one."""

IDS = ("forget_ids", "retain_ids", "held_out_ids")
"""Columns of the plan with the document ids of each set of a run."""

Variable = Literal["length", "grad_norm", "loss"]
VARIABLES: tuple[Variable, ...] = get_args(Variable)
"""Variables of documents that random sets may be matched on: tokens, gradient norm, nats per token; all known before
training."""

DONE, STOPPED, FAILED = STATUSES = ("done", "stopped", "failed")
"""Status of a run: all steps taken; stopped by the bound on held-out losses; a value was not finite."""

UNTOUCHED = "untouched"
"""``run_id`` of the model before any unlearning, in the table of evaluations."""

OUTCOMES = {
    "choice_logprob": "choice_logprob",
    "gold_logprob": "gold_logprob",
    "margin": "margin",
    "accuracy": "correct",
}
"""Outcome -> column of the answers that it is the mean of."""
PRIMARY = "choice_logprob"
"""The primary outcome, normalised over an item's choices: accuracy saturates, and the raw log-probability moves with
every other change of the model."""

EQUAL_COMPUTE, AREA = "equal_compute", "area"
"""Readings: at the last step that all runs of a contrast reached; the mean change up to that step."""


class Measure(NamedTuple):
    """Columns of an effect of a contrast, in the table of effects.

    Attributes:
        value: The effect, negative where influential documents are the more damaging.
        low: Lower bound of its interval.
        high: Upper bound.
        n_less: Number of random sets that are less damaging.
        p: Randomisation p.
        q: The same, corrected over the primary family.
    """

    value: str
    low: str
    high: str
    n_less: str
    p: str
    q: str


SPECIFIC = Measure("did", "did_low", "did_high", "did_n_random_less_damaging", "did_p", "did_q")
"""The headline: difference in differences, aligned benchmark minus the others, influence minus random. Documents that
damage every benchmark alike have none."""
PLAIN = Measure("influence_minus_random", "ci_low", "ci_high", "n_random_less_damaging", "p", "q")
"""Influence minus random on the aligned benchmark alone, which contains the damage to all benchmarks."""
MEASURES = (SPECIFIC, PLAIN)

AGAINST_RANDOM, AGAINST_UNTOUCHED = "influence_minus_random", "random_minus_untouched"
"""Comparisons of the equivalence tests."""
