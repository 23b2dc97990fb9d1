"""A name on the command line that nothing has is refused with its option and the closest one."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.framework import project
from kedro.pipeline import Node, Pipeline

from social_provenance.errors import SettingsError
from social_provenance.hooks.selection import SELECTORS, refuse_unknown


def same(value: Any) -> Any:
    return value


SMALL = Pipeline([Node(same, "shards", "documents@pandas", name="clean", tags="fast", namespace="text.own")])
LARGE = Pipeline([Node(same, "documents@spark", "labels", name="label"), Node(same, "labels", "bins", name="count")])


@pytest.fixture(autouse=True)
def _pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "pipelines", {"small": SMALL, "large": LARGE, "__default__": SMALL + LARGE})


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"pipelines": [], "tags": [], "load_versions": {}, "pipeline": None},
        {"pipelines": ["small", "large"], "node_names": ["text.own.clean", "count"]},
        {"pipeline": "small", "from_nodes": ["text.own.clean"], "tags": ["fast"]},
        {"to_outputs": ["bins"], "from_inputs": ["shards"]},
        {"pipelines": ["large"], "from_inputs": ["documents", "documents@spark"]},
        {"namespaces": ["text", "text.own"]},
        {"env": "test", "params": {"a": 1}},
    ],
)
def test_what_is_there_is_taken(chosen: dict[str, Any]) -> None:
    refuse_unknown(chosen)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"pipelines": ["smal"]}, "--pipelines: there is no pipeline 'smal'; did you mean 'small'?"),
        ({"pipelines": ["zzz"]}, "--pipelines: there is no pipeline 'zzz'; name one of __default__, large, small"),
        ({"pipeline": "zzz"}, "--pipeline: there is no pipeline 'zzz'; name one of __default__, large, small"),
        ({"node_names": ["conut"]}, "--nodes: there is no node 'conut' in pipeline __default__; did you mean 'count'?"),
        (
            {"pipelines": ["small"], "to_nodes": ["count"]},
            "--to-nodes: there is no node 'count' in pipeline small: run --pipelines large, which has it",
        ),
        (
            {"pipelines": ["small"], "to_outputs": ["bins"]},
            "--to-outputs: there is no dataset 'bins' in pipeline small: run --pipelines large, which has it",
        ),
        (
            {"pipelines": ["large"], "namespaces": ["zzz"]},
            "--namespaces: there is no namespace 'zzz' in pipeline large; leave the option out",
        ),
        ({"tags": ["fast", "slow"]}, "--tags: there is no tag 'slow' in pipeline __default__; see"),
    ],
)
def test_what_is_not_there_is_refused_with_the_fix(chosen: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        refuse_unknown(chosen)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("key", SELECTORS)
def test_every_option_is_checked(key: str) -> None:
    option, what, _ = SELECTORS[key]
    with pytest.raises(SettingsError) as caught:
        refuse_unknown({"pipelines": ["large"], key: ["zzz"]})
    assert str(caught.value).startswith(f"{option}: there is no {what} 'zzz' in pipeline large; ")
