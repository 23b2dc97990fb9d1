"""Nodes of the reporting pipeline: they read tables and compute nothing new."""

from __future__ import annotations

from typing import Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import influence_map, labels, topic_contrasts, unlearning_changes
from social_provenance.report import comparisons, discoveries, sections
from social_provenance.report.labels import labels as labels_section


def draw_influence(bins: Any, evaluation: Evaluation, method: str) -> Any:
    """Return the map of bins."""
    return influence_map.draw(bins, evaluation, method)


def draw_contrasts(contrasts: Any, method: str) -> Any:
    """Return the topic contrasts."""
    return topic_contrasts.draw(contrasts, method)


def draw_labels(confusion: Any, reliability: Any) -> Any:
    """Return what the classifier of labels gets wrong."""
    return labels.draw(confusion, reliability)


def draw_unlearning(runs: Any, evaluations: Any, evaluation: Evaluation) -> Any:
    """Return the changes of the benchmarks."""
    return unlearning_changes.draw(runs, evaluations, evaluation)


def write_inputs(
    corpus: dict[str, Any],
    quality: Any,
    manifest: dict[str, Any],
    attribution: dict[str, Any],
    evaluations: Any,
    evaluation: Evaluation,
) -> str:
    """Return the sections on how to read and on what went in."""
    return sections.inputs(corpus, quality, manifest, attribution, evaluations, evaluation)


def write_labels(figure: Any, quality: Any, confusion: Any) -> str:
    """Return the section on labels."""
    return labels_section(figure, quality, confusion)


def write_influence(figure: Any, topics: Any, documents: Any, evaluation: Evaluation, method: str) -> str:
    """Return the section on where influence is."""
    return sections.influence(figure, topics, documents, evaluation, method)


def write_contrasts(figure: Any, contrasts: Any, strength: Any, method: str) -> str:
    """Return the section on social against STEM."""
    return sections.contrasts(figure, contrasts, strength, method)


def write_discoveries(tests: Any, nulls: Any, calibration: Any, parts: Any, evaluation: Evaluation, method: str) -> str:
    """Return the section on what of the map is more than chance."""
    return discoveries.discoveries(tests, nulls, calibration, parts, evaluation, method)


def write_agreement(agreement: Any, evaluation: Evaluation, method: str) -> str:
    """Return the section on methods against each other."""
    return comparisons.agreement(agreement, evaluation, method)


def write_reference(topics: Any, contrasts: Any, signatures: Any, similarity: Any, agreement: Any, method: str) -> str:
    """Return the section on the published map."""
    return comparisons.reference(topics, contrasts, signatures, similarity, agreement, method)


def write_planted(figure: Any, validation: dict[str, Any] | None, evaluation: Evaluation) -> str:
    """Return the section on planted against found."""
    return sections.planted(figure, validation, evaluation)


def write_unlearning(figure: Any, effects: Any, runs: Any, evaluation: Evaluation) -> str:
    """Return the section on forgetting."""
    return sections.unlearning(figure, effects, runs, evaluation)


def join_findings(*parts: str) -> str:
    """Return the sections on the map as one, in order."""
    return "\n".join(parts)


def write_report(records: dict[str, Any] | None, *parts: str) -> str:
    """Return the report: its sections, and the lineage of everything behind it."""
    return sections.page([*parts, sections.lineage(records)])
