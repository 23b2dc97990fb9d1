"""A figure that was not computed says so, with the command."""

from __future__ import annotations

from social_provenance.figures.absent import draw_absent


def test_the_command_stands_in_the_figure_and_nothing_else() -> None:
    figure = draw_absent("unlearning")
    assert [note.text for note in figure.layout.annotations] == ["not run: kedro run --pipelines unlearning,reporting"]
    assert not figure.data
    assert not figure.layout.xaxis.visible
