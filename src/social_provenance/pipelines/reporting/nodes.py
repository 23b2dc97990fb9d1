"""Nodes of the reporting pipeline: they read tables and compute nothing new."""

from __future__ import annotations

from typing import Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.figures import (
    dose_response,
    influence_map,
    labels,
    topic_contrasts,
    unlearning_balance,
    unlearning_sets,
)
from social_provenance.report import checks, comparisons, discoveries, sections, unlearning
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


def draw_unlearning(sets: Any, evaluation: Evaluation) -> Any:
    """Return the influential sets among their random sets."""
    return unlearning_sets.draw(sets, evaluation)


def draw_dose_response(doses: Any, evaluation: Evaluation) -> Any:
    """Return the changes of the aligned benchmarks along the dose."""
    return dose_response.draw(doses, evaluation)


def draw_balance(balance: Any, evaluation: Evaluation) -> Any:
    """Return how alike sets are before and after matching."""
    return unlearning_balance.draw(balance, evaluation)


def write_inputs(
    corpus: dict[str, Any],
    manifest: dict[str, Any],
    attribution: dict[str, Any],
    evaluations: Any,
    evaluation: Evaluation,
) -> str:
    """Return the sections on how to read and on what went in."""
    return sections.inputs(corpus, manifest, attribution, evaluations, evaluation)


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
    return unlearning.unlearning(figure, effects, runs, evaluation)


def write_doses(curves: Any, figure: Any, balance: Any) -> str:
    """Return the section on dose and balance."""
    return unlearning.doses(curves, figure, balance)


def write_checks(equivalence: Any, algorithms: Any, across_topics: Any, evaluation: Evaluation) -> str:
    """Return the section on equivalence, algorithms and topics."""
    return unlearning.checks(equivalence, algorithms, across_topics, evaluation)


def write_causes(topics: Any, patches: Any, retrained: Any, evaluation: Evaluation, method: str) -> str:
    """Return the section on more training and less, of what has been tried."""
    return checks.causes(topics, patches, retrained, evaluation, method)


def write_trust(worlds: Any, audit: Any, trajectory: Any, bins: Any, evaluation: Evaluation, method: str) -> str:
    """Return the section on other worlds, questions and checkpoints, of what has been tried."""
    return checks.trust(worlds, audit, trajectory, bins, evaluation, method)


def join_corpus(*parts: str) -> str:
    """Return the sections on the corpus as one, in order."""
    return "\n".join(parts)


def join_findings(*parts: str) -> str:
    """Return the sections on the map as one, in order."""
    return "\n".join(parts)


def join_forgetting(*parts: str) -> str:
    """Return the sections on forgetting as one, in order."""
    return "\n".join(parts)


def write_report(records: dict[str, Any] | None, *parts: str) -> str:
    """Return the report: its sections, and the lineage of everything behind it."""
    return sections.page([*parts, sections.lineage(records)])
