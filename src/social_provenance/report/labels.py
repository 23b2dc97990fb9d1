"""The section on the origin and reliability of labels."""

from __future__ import annotations

from social_provenance.annotations import Figure, Table
from social_provenance.report.render import figure_html, render, rows_of

MISTAKES = 6


def write_labels(figure: Figure, quality: Table, confusion: Table) -> str:
    """Write the classifier's accuracy, calibration and most frequent errors.

    Args:
        figure: Reliability and confusion.
        quality: Table ``classifier_quality``.
        confusion: Table ``classifier_confusion``.
    """
    wrong = confusion[confusion["given"] != confusion["said"]]
    mistakes = {
        axis: rows_of(wrong[wrong["axis"] == axis].nlargest(MISTAKES, "n_documents")) for axis in ("topic", "format")
    }
    return render("labels", figure=figure_html(figure, "labels-figure"), quality=rows_of(quality), mistakes=mistakes)
