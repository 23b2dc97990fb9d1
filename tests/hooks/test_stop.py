"""A run that is asked to end says so in one line, and nothing else keeps its handlers."""

from __future__ import annotations

import contextlib
import io
import signal
from typing import TYPE_CHECKING

import pytest

from social_provenance.hooks.stop import StopHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def hooks() -> Iterator[StopHooks]:
    """Return hooks in a process with Python's own handlers, whatever this one was started with."""
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    made = StopHooks()
    yield made
    made.after_pipeline_run()
    for number, handler in before:
        signal.signal(number, handler)


def test_what_is_ignored_stays_ignored(hooks: StopHooks) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hooks.before_pipeline_run()
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_ends_in_one_line_with_the_code_of_its_signal(
    hooks: StopHooks, number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    hooks.before_pipeline_run()
    with (
        pytest.raises(SystemExit) as ended,
        contextlib.redirect_stderr(io.StringIO()),
    ):  # as for a library
        signal.raise_signal(number)
    assert ended.value.code == 128 + number
    said = capfd.readouterr().err
    assert said == f"stopped by {number.name}: finished parts are kept, the same command goes on\n"


@pytest.mark.parametrize("ended", ["after_pipeline_run", "on_pipeline_error"])
def test_after_a_run_signals_do_what_they_did(hooks: StopHooks, ended: str) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    hooks.before_pipeline_run()
    hooks.before_pipeline_run()
    assert [signal.getsignal(number) for number in SIGNALS] != before
    getattr(hooks, ended)()
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_second_signal_has_its_usual_effect(hooks: StopHooks) -> None:
    hooks.before_pipeline_run()
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_notebook_keeps_its_ctrl_c(hooks: StopHooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.get_ipython", lambda: None, raising=False)
    before = signal.getsignal(signal.SIGINT)
    hooks.before_pipeline_run()
    assert signal.getsignal(signal.SIGINT) == before
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
