"""What a run needs and does not have is said before it starts, with the pipeline that makes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from kedro.framework import project
from kedro.framework.project import configure_project
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from social_provenance.errors import ArtifactError, CorpusError, ModelError
from social_provenance.hooks.errors import one_line
from social_provenance.hooks.inputs import InputHooks, with_makers

if TYPE_CHECKING:
    from pathlib import Path


def nothing(*inputs: Any) -> Any:
    return inputs


MADE_BY = {
    "corpus": Pipeline([Node(nothing, "raw", "table", name="read")]),
    "taxonomy": Pipeline([Node(nothing, "table", "parts", name="label")]),
    "sum": Pipeline([Node(nothing, "raw", "table", name="read"), Node(nothing, "table", "parts", name="label")]),
}


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataCatalog:
    monkeypatch.setattr(project.pipelines, "_content", MADE_BY)
    monkeypatch.setattr(project.pipelines, "_is_data_loaded", True)
    own = "social_provenance.datasets."
    made = DataCatalog.from_config(
        {
            "raw": {"type": f"{own}ShardFolder", "path": f"{tmp_path}/corpus"},
            "table": {"type": f"{own}TableFile", "filepath": f"{tmp_path}/table.parquet"},
            "parts": {"type": f"{own}PartsFolder", "path": f"{tmp_path}/parts"},
            "rows": {"type": f"{own}RecordFolder", "path": f"{tmp_path}/rows"},
            "note": {"type": "json.JSONDataset", "filepath": f"{tmp_path}/note.json"},
            "model": {"type": f"{own}LanguageModelFolder", "path": f"{tmp_path}/model"},
            "items": {"type": f"{own}BenchmarkFolder", "path": f"{tmp_path}/items"},
            "check": {
                "type": f"{own}OptionalDataset",
                "filepath": f"{tmp_path}/check.json",
                "dataset": {"type": "json.JSONDataset"},
            },
        }
    )
    made["params:size"] = 1
    return made


def check(catalog: DataCatalog, *inputs: str) -> None:
    InputHooks().before_pipeline_run(Pipeline([Node(nothing, list(inputs), "out", name="node")]), catalog)


def test_what_is_missing_is_named_with_its_place_and_the_smallest_pipeline_that_makes_it(
    catalog: DataCatalog, tmp_path: Path
) -> None:
    with pytest.raises(ArtifactError) as caught:
        check(catalog, "parts", "table", "params:size")
    assert str(caught.value) == (
        f"there is no parts at {tmp_path / 'parts'} (and 1 more): run --pipelines taxonomy, which makes it"
    )
    with pytest.raises(ArtifactError, match=r"there is no table at .*: run --pipelines corpus, which makes it$"):
        check(catalog, "table")


def test_a_table_of_parts_is_named_with_its_pipeline_too(
    catalog: DataCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MADE_BY, "records", Pipeline([Node(nothing, "raw", "rows", name="read_rows")]))
    with pytest.raises(
        ArtifactError, match=f"^there is no rows at {tmp_path / 'rows'}: run --pipelines records, which"
    ):
        check(catalog, "rows")


def test_what_no_pipeline_makes_has_to_be_put_there(catalog: DataCatalog, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=f"^there is no note at {tmp_path / 'note.json'}: put it there$"):
        check(catalog, "note")


def test_a_dataset_that_says_more_about_it_speaks_itself(catalog: DataCatalog) -> None:
    with pytest.raises(CorpusError, match="give a folder of shards with --params corpus=DIR") as caught:
        check(catalog, "raw")
    assert one_line(caught.value) == str(caught.value)
    with pytest.raises(ModelError, match="give --params model=DIR"):
        check(catalog, "model")


def test_what_may_be_missing_is_no_error(catalog: DataCatalog) -> None:
    check(catalog, "check", "items", "params:size")


def test_what_is_there_is_no_error_and_is_not_loaded(catalog: DataCatalog, tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text("damaged")
    check(catalog, "note")


def test_what_the_run_makes_itself_is_not_asked_for(catalog: DataCatalog) -> None:
    nodes = [Node(nothing, "params:size", "note", name="make"), Node(nothing, "note", "out", name="use")]
    InputHooks().before_pipeline_run(Pipeline(nodes), catalog)


def test_a_run_is_asked_for_again_with_what_makes_its_inputs_in_the_order_of_the_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = {name: Pipeline([Node(nothing, given, made, name=name)]) for name, given, made in STEPS}
    every = {**steps, "all": steps["first"] + steps["second"]}
    monkeypatch.setattr(project.pipelines, "_content", every)
    monkeypatch.setattr(project.pipelines, "_is_data_loaded", True)
    assert with_makers(["third"], ["b"]) == ["first", "third"]
    assert with_makers(["third", "first"], ["c", "b"]) == ["first", "second", "third"]
    assert with_makers(["all"], ["c"]) == ["all"]
    assert with_makers(["third"], ["mine"]) == []


STEPS = (("third", "c", "d"), ("second", "b", "c"), ("first", "a", "b"))


def test_the_tutorial_shows_what_is_printed(request: pytest.FixtureRequest) -> None:
    configure_project("social_provenance")
    page = (request.config.rootpath / "docs/tutorial/first_study.md").read_text()
    (shown,) = re.findall(r"--pipelines (\S+) makes them again", page)
    printed = ",".join(with_makers(["reporting"], ["unlearning_effects", "validation"]))
    assert shown == printed
    # The warning of the run before asks for random weights.
    again = f"--pipelines random_weights,aggregation,{printed} --params scoring.damping=1.0"
    assert page.count(again) == 1
