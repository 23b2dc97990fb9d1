"""A name that nothing has ends ``kedro viz run`` before its second process starts; all else reaches kedro-viz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest
from kedro.framework.project import configure_project
from kedro_viz.launchers.cli.main import viz
from kedro_viz.launchers.cli.run import run as viz_run

from social_provenance import cli
from social_provenance.errors import SettingsError
from social_provenance.hooks.viz import _checked, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _project(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    configure_project("social_provenance")
    monkeypatch.chdir(request.config.rootpath)


def test_kedro_viz_has_this_command_and_its_own_options() -> None:
    assert cli.viz is viz
    assert viz.get_command(click.Context(viz), "run") is run
    assert run is not viz_run
    assert run.params == viz_run.params


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pipeline", "corpuss"], "--pipeline: there is no pipeline 'corpuss'; did you mean 'corpus'?"),
        (["--env", "tset"], "--env: there is no environment 'tset' in "),
        (["-p", "corpus", "-e", "nope"], "--env: there is no environment 'nope' in "),
    ],
)
def test_a_name_that_nothing_has_is_refused_before_anything_starts(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kedro_viz.launchers.utils._find_kedro_project", lambda _: pytest.fail("it started"))
    with pytest.raises(SettingsError) as caught:
        viz.main(["run", *arguments], prog_name="kedro viz", standalone_mode=False)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "chosen",
    [{"pipeline": None, "env": None}, {"pipeline": "corpus", "env": "test"}, {"pipeline": "x", "load_file": "kept"}],
    ids=str,
)
def test_what_is_right_reaches_kedro_viz(chosen: dict[str, Any]) -> None:
    reached: list[dict[str, Any]] = []
    _checked(lambda **given: reached.append(given))(**chosen)
    assert reached == [chosen]


def test_outside_a_project_kedro_viz_says_it_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reached: list[dict[str, Any]] = []
    _checked(lambda **given: reached.append(given))(pipeline="nope")
    assert reached == [{"pipeline": "nope"}]
