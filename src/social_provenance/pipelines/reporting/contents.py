"""Contents of the report: its figures and sections, each with its function and inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.figures.dose_response import draw_dose_response
from social_provenance.figures.influence_map import draw_influence
from social_provenance.figures.labels import draw_labels
from social_provenance.figures.topic_contrasts import draw_contrasts
from social_provenance.figures.unlearning_balance import draw_balance
from social_provenance.figures.unlearning_sets import draw_unlearning
from social_provenance.report import checks, comparisons, discoveries, labels, sections, unlearning, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS, METHOD = "params:evaluation", "params:scoring.default_method"
SUMMARIES = ["corpus_summary", "sampling_contract", "attribution_summary"]
PUBLISHED = [f"reference_{name}" for name in ("topics", "contrasts", "signatures", "similarity", "agreement")]
FORGETTING = ["unlearning_equivalence", "unlearning_algorithms", "unlearning_across_topics"]

FIGURES: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "influence_figure": (draw_influence, ["bin_influence", BENCHMARKS, METHOD]),
    "contrast_figure": (draw_contrasts, ["contrasts", METHOD]),
    "labels_figure": (draw_labels, ["classifier_confusion", "classifier_reliability"]),
    "unlearning_figure": (draw_unlearning, ["unlearning_sets", BENCHMARKS]),
    "dose_response_figure": (draw_dose_response, ["unlearning_dose_response", BENCHMARKS]),
    "balance_figure": (draw_balance, ["unlearning_balance", BENCHMARKS]),
}
"""Dataset -> function that draws it, and its inputs."""

SECTIONS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "inputs_section": (sections.write_inputs, [*SUMMARIES, "unlearning_evaluations", "benchmark_requests", BENCHMARKS]),
    "verdicts_section": (verdicts.write_verdicts, ["verdicts", BENCHMARKS, METHOD]),
    "labels_section": (labels.write_labels, ["labels_figure", "classifier_quality", "classifier_confusion"]),
    "influence_section": (
        sections.write_influence,
        ["influence_figure", "topic_influence", "top_documents", "attribution_summary", BENCHMARKS, METHOD],
    ),
    "discoveries_section": (
        discoveries.write_discoveries,
        ["bin_influence", "null_tests", "null_calibration", "map_parts", BENCHMARKS, METHOD],
    ),
    "contrasts_section": (sections.write_contrasts, ["contrast_figure", "contrasts", "contrast_strength", METHOD]),
    "agreement_section": (comparisons.write_agreement, ["method_agreement", BENCHMARKS, METHOD]),
    "reference_section": (comparisons.write_reference, [*PUBLISHED, METHOD]),
    "planted_section": (sections.write_planted, ["planted_figure", "validation", "planted_nulls", BENCHMARKS]),
    "causes_section": (
        checks.write_causes,
        ["topic_influence", "tail_patch", "counterfactual_agreement", BENCHMARKS, METHOD],
    ),
    "unlearning_section": (
        unlearning.write_unlearning,
        ["unlearning_figure", "unlearning_effects", "unlearning_runs", BENCHMARKS],
    ),
    "doses_section": (unlearning.write_doses, ["dose_response_figure", "balance_figure", "unlearning_balance"]),
    "checks_section": (unlearning.write_checks, [*FORGETTING, BENCHMARKS]),
    "trust_section": (
        checks.write_trust,
        ["world_metrics", "query_audit", "influence_trajectory", "bin_influence", BENCHMARKS, METHOD],
    ),
}
"""Dataset -> function that writes it, and its inputs; in the order of the page."""
