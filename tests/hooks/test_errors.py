"""An error that the user can put right is one line; the others keep their traceback."""

from __future__ import annotations

import logging
import sys
import tempfile
import traceback
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from kedro.io import DatasetError
from kedro.validation.exceptions import CheckFailure, DataValidationError, ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator

from social_provenance.errors import ProvenanceError
from social_provenance.hooks.errors import DEBUG, LOUD, ErrorHooks, install, one_line, show_error
from social_provenance.pipeline_registry import register_pipelines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS = [ProvenanceError, *ProvenanceError.__subclasses__()]


@pytest.fixture(scope="module")
def refuse() -> Callable[[dict[str, Any]], ParameterValidationError]:
    """Return a function from parameters to the error that Kedro raises on them before a run."""
    validator = ParameterValidator(register_pipelines())

    def raised(parameters: dict[str, Any]) -> ParameterValidationError:
        with pytest.raises(ParameterValidationError) as caught:
            validator.validate_raw_params(parameters)
        return caught.value

    return raised


def chained(*errors: BaseException) -> BaseException:
    """Return the first error, caused by the second, caused by the third, ..."""
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_error_of_ours_is_its_message(kind: type[ProvenanceError]) -> None:
    assert one_line(kind("shard a.jsonl.zst, line 3: not JSON")) == "shard a.jsonl.zst, line 3: not JSON"


def test_there_are_errors_to_test() -> None:
    assert len(KINDS) > 8


def test_an_error_of_ours_is_found_below_those_of_others() -> None:
    error = chained(DatasetError("Failed while saving"), RuntimeError("job"), ProvenanceError("the cause"))
    assert one_line(error) == "the cause"


def test_an_error_while_another_is_handled_leads_to_it() -> None:
    error = DatasetError("Failed while loading")
    error.__context__ = ProvenanceError("the cause")
    assert one_line(error) == "the cause"


def test_the_outermost_error_of_ours_speaks() -> None:
    assert one_line(chained(ProvenanceError("outer"), ProvenanceError("inner"))) == "outer"


@pytest.mark.parametrize("kind", [ProvenanceError, KeyError])
def test_errors_that_caused_each_other_are_looked_at_once(kind: type[Exception]) -> None:
    """As when what a library wrapped is raised again while that is handled."""
    inner, outer = kind("the cause"), DatasetError("Failed")
    outer.__cause__, inner.__context__ = inner, outer
    assert one_line(outer) == ("the cause" if kind is ProvenanceError else "Failed")


def test_an_error_of_others_has_no_line() -> None:
    assert one_line(chained(KeyError("topic"), ValueError("x"))) is None


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        (
            {"working_set": {"per_bin": -1}},
            "params:working_set.per_bin: input should be greater than 0, see docs/reference/parameters.md (got -1)",
        ),
        (
            {"documents": {"min_charz": 3}},
            "params:documents.min_charz: unknown parameter, see conf/base for what there is (got 3)",
        ),
        (
            {"pretraining": {"optimiser": {"learning_rate": 0}}},
            "params:pretraining.optimiser.learning_rate: input should be greater than 0, "
            "see docs/reference/parameters.md (got 0)",
        ),
        (
            {"documents": {"min_chars": 60, "max_chars": 50}},
            "params:documents: min_chars (60) exceeds max_chars (50): lower it",
        ),
        ({"documents": None}, "params:documents: is null: give it a value, or leave it out"),
        (
            {"documents": {"min_chars": None}},
            "params:documents.min_chars: input should be a valid integer, and is null: give it a value, "
            "or leave it out",
        ),
        (
            {"working_set": {"per_bin": "many"}},
            "params:working_set.per_bin: input should be a valid integer, "
            "see docs/reference/parameters.md (got 'many')",
        ),
    ],
    ids=["negative", "unknown", "nested", "contradiction", "null", "null field", "text"],
)
def test_refused_parameters_are_one_line(
    refuse: Callable[[dict[str, Any]], ParameterValidationError], parameters: dict[str, Any], line: str
) -> None:
    assert one_line(refuse(parameters)) == line


def test_each_problem_is_named_with_its_own_block(
    refuse: Callable[[dict[str, Any]], ParameterValidationError],
) -> None:
    found = one_line(refuse({"documents": {"min_chars": 0}, "labelling": {"batch": 0, "light": {"seed": "x"}}}))
    assert found is not None
    assert "\n" not in found
    places = [problem.split(":")[1] for problem in found.split("; ")]
    assert places == ["documents.min_chars", "labelling.light.seed", "labelling.batch"]


def test_a_missing_field_is_named(refuse: Callable[[dict[str, Any]], ParameterValidationError]) -> None:
    found = one_line(refuse({"evaluation": {"benchmarks": [{"name": "quiz", "domain": "stem", "level": "knowledge"}]}}))
    assert found == "params:evaluation.benchmarks.0.task: is missing: give it a value"


def test_a_report_of_another_form_is_kept_in_full() -> None:
    assert one_line(ParameterValidationError("something\n  new")) == "something new"


def test_a_table_that_breaks_its_schema_is_one_line() -> None:
    failure = CheckFailure("failed", check="unique", column="doc_id", failure_count=2)
    error = DataValidationError("", dataset_name="document_scores", mode="save", failures=[failure])
    found = one_line(error)
    assert found is not None
    assert "\n" not in found
    assert "'document_scores' on save" in found
    assert "doc_id: unique" in found


def test_the_line_is_all_that_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    error = ProvenanceError("bad label 'scince'")
    show_error(type(error), error, None)
    assert capsys.readouterr().err == "error: bad label 'scince'\n"


def fail() -> KeyError:
    try:
        raise KeyError("topic")
    except KeyError as error:
        return error


def test_a_bug_is_one_line_too_and_its_traceback_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv(DEBUG, raising=False)
    error = fail()
    show_error(KeyError, error, error.__traceback__)
    (file,) = tmp_path.iterdir()
    said = capsys.readouterr().err
    assert said == f"error: KeyError: 'topic' (unexpected: report it with the traceback in {file})\n"
    assert 'raise KeyError("topic")' in file.read_text()


@pytest.mark.parametrize("kind", [KeyError, ProvenanceError])
def test_the_traceback_is_printed_for_who_asks_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    monkeypatch.setenv(DEBUG, "1")
    monkeypatch.setattr(sys, "__excepthook__", traceback.print_exception)
    error = kind("topic") if kind is ProvenanceError else fail()
    show_error(kind, error, error.__traceback__)
    said = capsys.readouterr().err
    assert said.count("error: ") == 1
    assert said.splitlines()[-1].startswith("error: ")
    assert ("Traceback" in said) == (kind is KeyError)


def test_a_key_that_was_pressed_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert "error: " not in capsys.readouterr().err


def test_an_error_of_ours_is_one_line_though_it_quotes_several() -> None:
    assert one_line(ProvenanceError("bad\nname")) == "bad name"


@pytest.mark.parametrize("name", LOUD)
def test_neither_advice_nor_the_error_itself_is_logged_beside_an_error(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    install()
    logging.getLogger(name).warning("There are 2 nodes that have not run.\n  --from-nodes x")
    logging.getLogger(name).error("Node %s failed with error: \n%s", "walk", "no model")
    logging.getLogger(name).warning("Completed 1 out of 2 tasks")
    assert caplog.messages == ["Completed 1 out of 2 tasks"]


def test_the_display_is_installed_for_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    ErrorHooks().after_context_created()
    assert sys.excepthook is show_error
