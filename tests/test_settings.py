"""The settings that every run starts from."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance import hooks, settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Return a configuration of two environments."""
    files = {
        "base/parameters.yml": "documents: {min_chars: 50, max_chars: 100}",
        "base/mlflow.yml": "enabled: true",
        "base/engines.yml": "offline: true",
        "small/parameters.yml": "documents: {max_chars: 60}",
        "small/mlflow.yml": "enabled: false",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def load(conf: Path, env: str | None = None, **given: Any) -> Any:
    return settings.CONFIG_LOADER_CLASS(str(conf), env=env, runtime_params=given, **settings.CONFIG_LOADER_ARGS)


def test_without_an_environment_the_base_is_read(conf: Path) -> None:
    assert load(conf)["parameters"] == {"documents": {"min_chars": 50, "max_chars": 100}}


def test_an_environment_changes_only_the_fields_that_it_names(conf: Path) -> None:
    assert load(conf, "small")["parameters"] == {"documents": {"min_chars": 50, "max_chars": 60}}


def test_a_runtime_parameter_changes_only_the_field_that_it_names(conf: Path) -> None:
    found = load(conf, documents={"min_chars": 7})["parameters"]
    assert found == {"documents": {"min_chars": 7, "max_chars": 100}}


def test_settings_of_the_hooks_are_configuration(conf: Path) -> None:
    assert load(conf, "small")["mlflow"] == {"enabled": False}
    assert load(conf, "small")["engines"] == {"offline": True}


def test_every_hook_of_the_project_is_installed_once() -> None:
    kinds = [type(hook) for hook in settings.HOOKS]
    defined = [kind for name, kind in vars(hooks).items() if name.endswith("Hooks")]
    assert sorted(kind.__name__ for kind in kinds) == sorted(kind.__name__ for kind in defined)


def test_of_several_nodes_the_first_keeps_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    for rank, expected in (("1", hooks.CHECKS), ("0", hooks.CHECKS + hooks.RECORDS)):
        monkeypatch.setenv("SLURM_NODEID", rank)
        found = importlib.reload(settings).HOOKS
        assert found == expected
