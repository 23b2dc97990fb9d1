"""What is typed on the command line is read completely, or is one line of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import configure_project

from social_provenance.cli import NAMES, NODES, cli, run
from social_provenance.errors import SettingsError
from social_provenance.hooks.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)  # half a second: it looks at the file of every module
def _project() -> None:
    configure_project("social_provenance")


def parse(*arguments: str) -> dict[str, object]:
    return run.make_context("run", list(arguments)).params


def refusal(*arguments: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(*arguments)
    return str(caught.value)


def test_kedros_run_is_kept() -> None:
    assert run.callback is kedro_run.callback
    assert [one.name for one in run.params] == [one.name for one in kedro_run.params]
    assert cli.commands == {"run": run}
    names = {one.name for one in run.params}
    assert names >= NAMES > NODES


def test_what_is_right_is_read() -> None:
    read = parse(
        "--env", "test", "--pipelines", "corpus, taxonomy", "--params", "root=1e3,working_set.per_bin=5", "--async"
    )
    assert read["env"] == "test"
    assert read["pipelines"] == ["corpus", "taxonomy"]
    assert read["params"] == {"root": "1e3", "working_set": {"per_bin": 5}}
    assert read["is_async"] is True
    assert parse()["params"] == {}


@pytest.mark.parametrize("option", [max(one.opts, key=len) for one in run.params if not getattr(one, "is_flag", False)])
def test_an_option_is_given_once_and_has_a_value(option: str) -> None:
    assert refusal(option, "a=1", option, "b=2").startswith(
        f"{option} is given 2 times, and the last alone counts: give"
    )
    for value in ("", " "):
        assert refusal(option, value) == f"{option} is empty: give it a value, or leave it out"
    assert refusal(option, "--env").startswith(f"{option} has no value before '--env': give it one")


@pytest.mark.parametrize("option", [max(one.opts, key=len) for one in run.params if one.name in NAMES])
@pytest.mark.parametrize("value", [",", "a,", ",a", "a,,b", "a, ,b"])
def test_no_name_of_several_is_empty(option: str, value: str) -> None:
    assert refusal(option, value) == f"{option}: {value!r} has nothing beside a comma: leave the comma out"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--params", "root"], "--params: 'root' has no '=': write NAME=VALUE"),
        (["--params=root:x"], "--params: 'root:x' has no '='; did you mean 'root=x'?"),
        (["--runner-params", "x"], "--runner-params: 'x' has no '=': write NAME=VALUE"),
        (["--load-versions", "documents"], "--load-versions: 'documents' has no version: write DATASET:VERSION"),
        (["--runner", "Nope"], "--runner: there is no runner 'Nope'; name one of SequentialRunner, ThreadRunner"),
        (["--runner", "TreadRunner"], "--runner: there is no runner 'TreadRunner'; did you mean 'ThreadRunner'?"),
        (
            ["--runner", "ParallelRunner"],
            "--runner: ParallelRunner loses hooks, so the ledger would lack datasets: use",
        ),
        (["--runner", "AbstractRunner"], "--runner: there is no runner 'AbstractRunner'"),
        (["--runner", "no.such.Runner"], "--runner: there is no runner 'no.such.Runner'"),
        (["--runner", "os.path"], "--runner: there is no runner 'os.path'"),
        (["--runner-params", "max_workers=2"], "SequentialRunner has no parameter 'max_workers'; name one of is_async"),
        (["--runner=ThreadRunner", "--runner-params=max_workers=0"], "max_workers 0 is not a number from 1: give one"),
        (["--runner=ThreadRunner", "--runner-params=max_workers=x"], "max_workers 'x' is not a number from 1"),
        (["--runner=ThreadRunner", "--runner-params=max_workers=true"], "max_workers True is not a number from 1"),
        (["--runner-params=is_async=1"], "--runner-params: is_async 1 is neither true nor false: give one"),
        (["--async", "--runner-params=is_async=false"], "--async contradicts --runner-params is_async=false: leave"),
        (["--pipeline", "corpus", "--pipelines", "corpus"], "--pipeline and --pipelines are both given: name all in"),
        (["--pipelines", "corpuss"], "--pipelines: there is no pipeline 'corpuss'; did you mean 'corpus'?"),
        (["--nodes", "a[b"], "--nodes: 'a[b' has a bracket, as no node has: give its name"),
        (["--to-nodes", "nope"], "--to-nodes: there is no node 'nope' in pipeline __default__; see"),
        (
            ["--from-inputs", "documnts"],
            "--from-inputs: there is no dataset 'documnts' in pipeline __default__; did you",
        ),
        (["--namespaces", "nope"], "--namespaces: there is no namespace 'nope' in pipeline __default__; "),
        (["--tags", "nope"], "--tags: there is no tag 'nope' in pipeline __default__; "),
    ],
)
def test_what_is_mistyped_is_refused_with_the_fix(arguments: Sequence[str], said: str) -> None:
    assert said in refusal(*arguments)


@pytest.mark.parametrize("text", ["a: [", "a: 1", "run: 3", "- a", "\x00"])
def test_a_file_of_options_that_cannot_be_read_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "run.yml"
    file.write_text(text)
    with pytest.raises((SettingsError, click.ClickException)) as caught:
        parse("--config", str(file))
    line = one_line(caught.value)
    assert line is not None
    assert str(file) in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "params: {pretraining.seed: 3}",
            "params: 'pretraining.seed' has a dot, which is read on the command line only",
        ),
        (
            "params: {worlds: {a.b.c: 3}}",
            "params: 'a.b.c' has a dot, which is read on the command line only: write 'b.c' ",
        ),
        ("runner_params: {a.b: 1}", "runner_params: 'a.b' has a dot"),
        ("pipelines: [corpus, taxonomy]", "is a list: write its parts with commas, pipelines: corpus,taxonomy"),
        ("load_versions: {a: b}", "load_versions {'a': 'b'} is a mapping: write text"),
        ("nodes: train_model", "nodes is no option of `kedro run`: write 'node_names'"),
        ("pipelin: corpus", "pipelin is no option of `kedro run`; did you mean 'pipeline'?"),
        ("tags: null", "tags is null: give it a value, or leave it out"),
        ("is_async: 3", "is_async 3 is neither true nor false: give one"),
    ],
)
def test_an_option_of_a_file_is_the_text_that_would_be_typed(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "run.yml"
    file.write_text(f"run: {{{text}}}")
    line = refusal("--config", str(file))
    assert line.startswith(f"--config: in {file}, ")
    assert said in line


@pytest.mark.parametrize("option", [one.name for one in run.params if one.name in NAMES - {"params", "runner_params"}])
@pytest.mark.parametrize("value", ["", "a,,b"])
def test_no_name_of_several_is_empty_in_a_file(tmp_path: Path, option: str, value: str) -> None:
    file = tmp_path / "run.yml"
    file.write_text(f"run: {{{option}: '{value}'}}")
    assert " is empty: give" in (line := refusal("--config", str(file))) or "has nothing beside a comma" in line


def test_parameters_of_a_file_are_a_mapping(tmp_path: Path) -> None:
    file = tmp_path / "run.yml"
    file.write_text("run: {params: [1]}")
    assert refusal("--config", str(file)) == "--config: params [1] is not a mapping: write NAME: VALUE below it"


def test_a_file_of_options_is_read(tmp_path: Path) -> None:
    file = tmp_path / "run.yml"
    file.write_text("run: {pipelines: corpus, params: {root: x, evaluation: {limit: 3}}}")
    read = parse("--config", str(file))
    assert read["pipelines"] == ["corpus"]
    assert read["params"] == {"root": "x", "evaluation": {"limit": 3}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--param", "x"], "error: run: there is no option '--param'; did you mean '--params'?"),
        (["--params"], "error: --params has no value: give it one, or leave it out"),
        (["root=x"], "error: kedro: 'root=x' belongs to no option: write --params root=x"),
        (["corpus"], "error: kedro: 'corpus' belongs to no option: write --pipelines corpus"),
        (
            ["--conf-source", "nowhere"],
            "error: kedro: invalid value for '--conf-source': Path 'nowhere' does not exist",
        ),
    ],
)
def test_what_click_refuses_is_one_line_and_exit_code_1(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main(arguments, prog_name="kedro")
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said.replace("error: run:", "error: kedro:"))


def test_errors_of_kedros_commands_are_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    KedroCliError("'corpuss' pipeline not found. Existing pipelines: [a]").show()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: kedro: there is no pipeline 'corpuss'; did you mean 'corpus'?\n"
