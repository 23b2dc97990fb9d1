"""What names of columns mean in every table, as far as no schema can say it of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.forgetting.vocabulary import ARMS
from social_provenance.gradients.methods.registry import method_names
from social_provenance.regions.grid import FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

RANGES: dict[str, tuple[float | None, float | None]] = {
    "n_repeats": (2, None),
    "ess|numbers|units|n_arms|n_forget|n_retain": (1, None),
    "n|n_.*|called|contrasts|(aligned|did)_hurt_more|(did_)?beyond_every_random_set|stopped|failed": (0, None),
    "set|block|choice|repeat|order|bin_rank|last_step|step": (0, None),
    "rank|dose|steps|evaluate_every|runs|forget_tokens|condition": (1, None),
    "(.*_)?loss|grad_norm|se|.*_se|standard_error|effective_rank|(did_)?n_random_less_damaging": (0, None),
    "(reasoning|knowledge)(_low|_high)?": (0, None),
    "(.*_)?share|shared_.*|(.*_)?accuracy|(.*_)?auc|(.*_)?confidence|macro_f1|calibration_error": (0, 1),
    "power|false_positive_rate|decoy_call_rate|precision_at_k|noise_ceiling|reliability": (0, 1),
    "p|q|.*_p|.*_q|p_.*": (0, 1),
    "(.*_)?correlation|.*_reliability_.*": (-1, 1),
    "(gold_|choice_)?logprob|full|without": (None, 0),
}
"""Name of a column, as a whole -> its least and its largest value in any table that has it."""
WORDS: dict[str, Sequence[str]] = {
    "topic|extreme_topic": TOPICS,
    "format|extreme_format": FORMATS,
    "method": method_names(),
    "scope": tuple(ARMS),
    "topic_source|format_source": ("given", "linear", "official"),
}
"""Name of a column, as a whole -> what may stand in it."""
FREE = (
    "seed|row|n_chars|(.*_)?z(_.*)?|(.*_)?(low|high|median|min|max|mean|change|effect|difference|contribution|potency|extreme)"
    "|score|shrunk|value|extreme_value|distinctiveness|margin|influence|random|others|did|selectivity"
    "|coefficient|influence_minus_random|targeted|control|unmatched|.*_rise|.*_objective|.*_grad_norm|documents|queries"
)
"""Names of numbers that may be anything, or are looked at where they are made and carried along from there."""
OTHERWISE = {
    ("CounterfactualAgreement", "method"),  # checks that are no attribution methods, too
    ("UnlearningSteps", "forget_loss"),  # what an algorithm measures is its own
    ("UnlearningSteps", "retain_loss"),
    ("UnlearningSteps", "grad_norm"),
    ("Documents", "given_topic_confidence"),  # what came with a document is looked at where labels are made of it
    ("Documents", "given_format_confidence"),
    ("Records", "given_topic_confidence"),
    ("Records", "given_format_confidence"),
}
"""Columns that mean something else than their name does elsewhere."""
ABOVE = {("ContrastStrength", "p")}
"""Columns whose least value is left out: the exchange that was made counts, so no p is 0."""
KEYLESS = {"Records", "RejectedDocuments", "UnlearningAnswers", "Contrasts"}
"""Tables whose rows nothing has to tell apart."""
SOUND: dict[str, dict[str, Any]] = {
    "Documents": {"text": "x", "n_chars": 1},
    "QueryAudit": {"other": "answer_only"},
    "MethodAgreement": {"other": "length"},
    "UnlearningRuns": {"status": "done"},
    "Verdicts": {"verdict": "yes"},
}
"""What a sound table has besides, where its columns are bound to each other."""
NEVER_NULL = {
    "PlantedTopics": ("z", "ci_low", "ci_high"),
    "QueryAudit": ("shared_top_bins",),
    "ReferenceBins": ("potency", "z"),
    "ReferenceSignatures": ("z", "z_others", "distinctiveness"),
    "UnlearningAnswers": ("choice_logprob", "gold_logprob", "margin"),
    "UnlearningBalance": ("standardised_difference", "unmatched_difference"),
    "UnlearningEvaluations": ("accuracy", "gold_logprob", "choice_logprob"),
    "UnlearningHeldOut": ("loss",),
    "UnlearningSets": ("change",),
    "UnlearningTrajectory": ("forget_loss", "retain_loss"),
}
"""Measures that always exist, where others of their table or kind may be null."""
UNWRITTEN = ("reason", "mixed_reason", "url")
"""Texts that a sound table need not have."""
