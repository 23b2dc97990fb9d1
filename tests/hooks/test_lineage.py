"""What a node reads is whole, unchanged and of one history; what it writes is on record."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from kedro.framework import project
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import AbstractDataset, DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_datasets.partitions import PartitionedDataset

from social_provenance.artifacts import OneByOne, Parts
from social_provenance.datasets import OptionalDataset, PartsFolder, TableFile
from social_provenance.errors import LineageError
from social_provenance.fingerprint import digest_of_path
from social_provenance.hooks.lineage import LineageHooks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def double(a: int, factor: int) -> int:
    return a * factor


def triple(a: int) -> int:
    return 3 * a


def add(b: int, c: int) -> int:
    return b + c


def show(b: int, extra: int | None) -> str:
    return f"{b} {extra}"


def mention(extra: int | None) -> str:
    return f"{extra}"


def name_choice(a: int, method: str) -> str:
    return f"{a} by {method}"


def show_choice(b: str, extra: str | None, method: str) -> str:
    return f"{b}, {extra}, {method}"


def add_extra(b: int) -> int:
    return b + 100


def join(shown: str, mentioned: str) -> str:
    return f"{shown}, {mentioned}"


def fail(a: int) -> int:
    raise RuntimeError(f"stopped at {a}")


METHOD = "params:scoring.default_method"
NODES = {
    "double": Node(double, ["a", "params:factor"], "b", name="double"),
    "triple": Node(triple, "a", "c", name="triple"),
    "add": Node(add, ["b", "c"], "d", name="add"),
    "extra": Node(triple, "a", "extra", name="extra"),
    "show": Node(show, ["b", "extra"], "shown", name="show"),
    "mention": Node(mention, "extra", "mentioned", name="mention"),
    "extra_of_b": Node(add_extra, "b", "extra", name="extra_of_b"),
    "c_of_b": Node(add_extra, "b", "c", name="c_of_b"),
    "join": Node(join, ["shown", "mentioned"], "page", name="join"),
    "choose": Node(name_choice, ["a", METHOD], "b", name="choose"),
    "choose_extra": Node(name_choice, ["a", METHOD], "extra", name="choose_extra"),
    "show_choice": Node(show_choice, ["b", "extra", METHOD], "shown", name="show_choice"),
}


class Study:
    """A data folder with a few JSON datasets, and runs of nodes in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.method, self.factor = folder, "influence", 2
        self.write("a", 1)

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def write(self, name: str, value: Any) -> None:
        self.path(name).write_text(json.dumps(value))

    def read(self, name: str) -> Any:
        return json.loads(self.path(name).read_text())

    def records(self) -> dict[str, Any]:
        return dict(self.read("lineage"))

    def catalog(self) -> DataCatalog:
        json_entry: dict[str, Any] = {"type": "json.JSONDataset"}
        optional = {"type": "social_provenance.datasets.OptionalDataset", "dataset": json_entry}
        entries = dict.fromkeys(["a", "b", "c", "d", "shown", "mentioned", "page"], json_entry) | dict.fromkeys(
            ["extra", "lineage"], optional
        )
        catalog = DataCatalog.from_config(
            {name: {**entry, "filepath": str(self.path(name))} for name, entry in entries.items()}
        )
        catalog["params:factor"] = self.factor
        catalog[METHOD] = self.method
        return catalog

    def run(
        self,
        *nodes: str | Node,
        catalog: DataCatalog | None = None,
        run_id: str = "2026-01-01",
        pipelines: Sequence[str] = (),
        params: dict[str, Any] | None = None,
    ) -> None:
        pipeline = Pipeline([NODES[node] if isinstance(node, str) else node for node in nodes])
        catalog = catalog or self.catalog()
        hooks, manager = LineageHooks(), _create_hook_manager()
        manager.register(hooks)
        run_params = {"run_id": run_id, "pipeline_names": pipelines, "runtime_params": params}
        hooks.before_pipeline_run(run_params, pipeline, catalog)
        SequentialRunner().run(pipeline, catalog, manager)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def test_what_is_written_is_on_record(study: Study) -> None:
    study.run("double", "triple", "add")
    records = study.records()
    assert set(records) == {"b", "c", "d"}
    assert records["b"]["node"] == "double"
    assert records["b"]["run"] == "2026-01-01"
    assert records["b"]["inputs"] == ["params:factor", "a"]
    assert set(records["b"]["ancestors"]) == {"a"}
    assert set(records["d"]["ancestors"]) == {"a", "b", "c"}
    assert records["d"]["ancestors"]["b"] == records["b"]["digest"]


def test_the_same_run_makes_the_same_record(study: Study) -> None:
    study.run("double", "triple", "add")
    first = study.records()
    study.run("double", "triple", "add")
    assert study.records() == first


def test_a_changed_file_is_refused(study: Study) -> None:
    study.run("double", "triple")
    study.write("b", 99)
    with pytest.raises(LineageError) as caught:
        study.run("add")
    message = str(caught.value)
    assert message.startswith("b has changed since node double wrote it (")
    assert f"remove 'b' from {study.path('lineage')}" in message
    assert not study.path("d").exists()


def test_a_change_that_the_user_owns_to_is_taken(study: Study) -> None:
    study.run("double", "triple")
    study.write("b", 99)
    study.write("lineage", {name: row for name, row in study.records().items() if name != "b"})
    study.run("add")
    assert study.read("d") == 102


def test_the_users_own_file_may_change(study: Study) -> None:
    study.run("double")
    study.write("a", 5)
    study.run("double")
    assert study.read("b") == 10


def test_a_file_of_a_run_that_died_is_refused(study: Study) -> None:
    study.run("double", "triple")
    broken = Node(fail, "a", "b", name="double")
    with pytest.raises(RuntimeError, match="stopped at 1"):
        study.run(broken)
    assert study.read("b") == 2  # what was there before looks whole
    with pytest.raises(LineageError) as caught:
        study.run("add")
    assert str(caught.value) == ("b is incomplete: node double was stopped while writing it; rerun node double")
    study.run("double", "add")
    assert study.read("d") == 5


def test_a_file_that_was_cut_off_is_refused_before_it_is_read(study: Study) -> None:
    study.run("double", "triple")
    with pytest.raises(RuntimeError):
        study.run(Node(fail, "a", "b", name="double"))
    study.path("b").write_text("[1, 2")
    with pytest.raises(LineageError, match=r"^b is incomplete: "):
        study.run("add")


def test_a_mixture_of_runs_is_refused(study: Study) -> None:
    study.run("double", "triple")
    study.write("a", 2)
    study.run("double")
    with pytest.raises(LineageError) as caught:
        study.run("add")
    assert str(caught.value) == (
        "add would mix runs: c (c.json, by triple in run 2026-01-01) and b (b.json, by double in run 2026-01-01) were "
        "made from different versions of a; rerun what is between a and add"
    )
    study.run("triple")
    study.run("add")
    assert study.read("d") == 10


def test_what_is_optional_and_of_the_same_run_is_shown(study: Study) -> None:
    study.run("double", "extra", "show")
    assert study.read("shown") == "2 3"


def test_what_is_optional_and_not_there_is_none(study: Study) -> None:
    study.run("double", "show")
    assert study.read("shown") == "2 None"


def test_what_is_optional_and_of_another_run_is_left_out(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    study.run("double", "extra")
    study.write("a", 2)
    study.run("double")
    with caplog.at_level(logging.WARNING):
        study.run("show")
    assert study.read("shown") == "4 None"
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said.startswith("treated as missing, because incomplete or from another run: extra; --pipelines")
    assert set(study.records()["shown"]["ancestors"]) == {"a", "b"}


def test_what_is_optional_is_left_out_of_the_whole_run_or_of_nothing(study: Study) -> None:
    study.run("double", "extra")
    study.write("a", 2)
    study.run("double")
    study.run("mention")
    assert study.read("mentioned") == "3"  # alone it has nothing to disagree with
    study.run("mention", "show")
    assert (study.read("mentioned"), study.read("shown")) == ("None", "4 None")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "social_provenance.hooks.lineage"]


PAGE = ("double", "show", Node(mention, "extra", "mentioned", name="a_mention"), "join")
"""A run in which the second reads what is optional before ``double`` has made what that rests on."""


def test_what_is_optional_is_left_out_where_the_run_makes_what_it_rests_on_from_other_parameters(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    study.run("double", "extra_of_b")
    study.run(*PAGE)
    assert study.read("page") == "2 102, 102"
    study.factor = 3
    study.run(*PAGE)
    assert study.read("page") == "3 None, None"
    (said,) = warned(caplog)
    assert said.startswith("treated as missing, because this run makes what they rest on from other parameters or data")
    study.factor = 2  # back to what the optional dataset rests on
    study.run(*PAGE)
    assert study.read("page") == "2 102, 102"


def test_what_one_pipeline_made_is_left_out_together(
    study: Study, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both are optional; one is read before what they rest on is made again, the other after it."""
    late = Node(add_extra, "b", "late", name="late_of_b")
    every = {"checks": Pipeline([NODES["extra_of_b"], late]), "rest": Pipeline([NODES["double"]])}
    monkeypatch.setattr(project.pipelines, "_content", every)
    monkeypatch.setattr(project.pipelines, "_is_data_loaded", True)
    catalog = study.catalog()
    catalog["late"] = OptionalDataset(filepath=str(study.path("late")), dataset={"type": "json.JSONDataset"})
    study.run("double", "extra_of_b", late, catalog=catalog)
    catalog["params:factor"] = 3
    show_late = Node(show, ["b", "late"], "shown", name="show")
    study.run("double", show_late, *PAGE[2:], catalog=catalog)
    assert study.read("page") == "3 None, None"
    (said,) = warned(caplog)
    assert ": extra, late; --pipelines checks makes them again" in said


def test_what_is_optional_and_rests_on_what_the_run_made_otherwise_is_left_out_when_that_shows(study: Study) -> None:
    study.run("double", "extra_of_b")
    records = study.records()
    study.write("lineage", {name: {**row, "parameters": {}} for name, row in records.items()})  # of an older version
    study.factor = 3
    study.run("double", Node(mention_after, ["extra", "b"], "mentioned", name="mention"))
    assert study.read("mentioned") == "None after 3"
    late = Node(mention_after, ["extra", "params:factor"], "mentioned", name="z_late")
    study.run("double", late)  # it reads nothing that disagrees, and comes after what does
    assert study.read("mentioned") == "None after 3"


def mention_after(extra: int | None, b: int) -> str:
    return f"{extra} after {b}"


def test_what_will_be_refused_is_said_before_the_first_node_and_refused_only_if_it_is_so(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    study.run("double", "c_of_b", "add")
    study.factor = 3
    with pytest.raises(LineageError, match=r"^add would mix runs: c \("):
        study.run("double", "add")
    (said,) = warned(caplog)
    assert said.startswith("c rests on b, which this run makes from other parameters or data: unless that is the same")
    assert "node add will be refused" in said
    caplog.clear()
    study.write("a", 0)
    study.factor = 2
    study.run("double", "c_of_b", "add")
    study.factor = 3  # nought times anything is the same
    study.run("double", "add")
    assert study.read("d") == 100


def test_what_was_made_for_another_choice_is_no_part_of_this_one(study: Study) -> None:
    study.run("choose", "choose_extra", "show_choice")
    assert study.read("shown") == "1 by influence, 1 by influence, influence"
    assert study.records()["shown"]["ancestors"][METHOD] == "influence"
    assert "params:factor" not in study.records()["shown"]["ancestors"]
    study.method = "trackstar"
    with pytest.raises(LineageError, match=r"was made for scoring\.default_method influence and this run has"):
        study.run("show_choice")
    assert study.read("shown") == "1 by influence, 1 by influence, influence"
    study.run("choose", "show_choice")
    assert study.read("shown") == "1 by trackstar, None, trackstar"
    study.run("choose_extra", "show_choice")
    assert study.read("shown") == "1 by trackstar, 1 by trackstar, trackstar"


def test_a_mixture_names_the_pipelines_that_mend_it(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    every = {name: Pipeline([NODES[name]]) for name in ("add", "triple", "double")}
    monkeypatch.setattr(project.pipelines, "_content", {**every, "all": sum(every.values(), Pipeline([]))})
    monkeypatch.setattr(project.pipelines, "_is_data_loaded", True)
    study.run("double", "triple")
    study.write("a", 2)
    study.run("double", run_id="2026-01-02")
    with pytest.raises(LineageError, match=r"rerun --pipelines triple,add$"):
        study.run("add")
    with pytest.raises(LineageError, match=r"rerun --pipelines triple,add with the --params of this run$"):
        study.run("add", pipelines=["add"], params={"factor": 2})
    study.write("b", 5)
    with pytest.raises(LineageError, match=r"b has changed .*: rerun --pipelines double,add, or, if you made"):
        study.run("add", pipelines=["add"])
    study.write("b", 4)
    study.run("triple", "add")
    assert study.read("d") == 10


def test_what_is_left_out_is_named_with_all_pipelines_that_make_it_again(
    study: Study, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    behind = Node(add_extra, "c", "extra", name="extra_of_c")
    every = {name: Pipeline([node]) for name, node in (("extra_of_c", behind), ("triple", NODES["triple"]))}
    every["show"] = Pipeline([NODES["show"]])
    monkeypatch.setattr(project.pipelines, "_content", every)
    monkeypatch.setattr(project.pipelines, "_is_data_loaded", True)
    study.run("double", "triple", behind, "show")
    study.write("a", 2)
    study.run("double", run_id="2026-01-02")
    for _ in range(2):  # the second time as the first: what is behind is still of another run
        caplog.clear()
        study.run("show", pipelines=["show"], run_id="2026-01-03")
        (said,) = warned(caplog)
        assert said.endswith(": extra; --pipelines triple,extra_of_c,show makes them again")
    study.run("triple", behind, "show", run_id="2026-01-04")
    assert study.read("shown") == "4 106"


def test_what_is_optional_and_not_whole_is_left_out(study: Study) -> None:
    study.run("double", "extra")
    with pytest.raises(RuntimeError):
        study.run(Node(fail, "a", "extra", name="extra"))
    study.run("show")
    assert study.read("shown") == "2 None"


def split(a: int) -> Any:
    import pandas as pd

    return {f"{place}": pd.DataFrame({"value": [a]}) for place in range(3)}


def count(table: Any) -> int:
    return int(table.count().execute())


def test_files_in_parts_are_one_dataset_in_two_views(study: Study) -> None:
    folder = study.folder / "records"
    catalog = study.catalog()
    catalog["records@parts"] = PartitionedDataset(
        path=str(folder), dataset={"type": "pandas.ParquetDataset"}, filename_suffix=".parquet"
    )
    catalog["records@table"] = TableFile(filepath=str(folder / "*.parquet"))
    parts = Node(split, "a", "records@parts", name="split")
    whole = Node(count, "records@table", "c", name="count")
    study.run(parts, whole, catalog=catalog)
    assert study.read("c") == 3
    assert set(study.records()) == {"records", "c"}
    assert set(study.records()["c"]["ancestors"]) == {"a", "records"}
    (folder / "2.parquet").unlink()
    with pytest.raises(LineageError, match="records has changed since node split wrote it"):
        study.run(whole, catalog=catalog)


class Remote(AbstractDataset[Any, Any]):
    """A dataset that is in no file and states its own identity."""

    def __init__(self) -> None:
        self.version = "1"
        self.codes: dict[str, str] = {}

    def location(self) -> str:
        return "store://somewhere"

    def load(self) -> Any:
        return self.version

    def save(self, data: Any) -> None:
        self.version = str(data)

    def digest(self) -> str:
        return self.version

    def accepted(self) -> dict[str, str]:
        return self.codes

    def _describe(self) -> dict[str, Any]:
        return {}


def repeat(a: Any) -> Any:
    return a


def test_a_dataset_that_states_its_own_identity_is_believed(study: Study) -> None:
    catalog = study.catalog()
    catalog["far"] = remote = Remote()
    study.run(Node(repeat, "far", "b", name="repeat"), catalog=catalog)
    assert study.records()["b"]["ancestors"]["far"] == "1"
    remote.version = "2"
    study.run(Node(repeat, "far", "c", name="repeat"), catalog=catalog)
    with pytest.raises(LineageError, match="different versions of far"):
        study.run(Node(max, ["b", "c"], "shown", name="max"), catalog=catalog)


def test_a_record_says_of_all_its_ancestors_what_code_was_accepted(study: Study) -> None:
    catalog = study.catalog()
    catalog["far"], catalog["near"] = far, near = Remote(), Remote()
    far.codes, near.codes = {"c1": "c2"}, {"c3": "c4"}
    nodes = [Node(repeat, "far", "b", name="of_far"), Node(repeat, "b", "near", name="near")]
    nodes += [Node(repeat, "near", "c", name="of_near"), Node(repeat, "a", "d", name="of_neither")]
    study.run(*nodes, catalog=catalog)
    records = study.records()
    assert records["b"]["accepted"] == {"far": {"c1": "c2"}}  # of one that has no record
    assert records["near"]["accepted"] == {"far": {"c1": "c2"}, "near": {"c3": "c4"}}
    assert records["c"]["accepted"] == {"far": {"c1": "c2"}, "near": {"c3": "c4"}}
    assert "accepted" not in records["d"]


def test_a_ledger_of_the_version_before_opens_and_its_folders_are_unchanged(study: Study) -> None:
    """That version took the digest of a folder where the seals of its parts are looked at now."""
    catalog = study.catalog()
    catalog["parts"] = PartsFolder(path=str(study.folder / "parts"))
    write = Node(lambda a: Parts({"x": str(a)}, OneByOne({"x": write_text})), "a", "parts", name="write")
    read = Node(len, "parts", "b", name="read")
    study.run(write, catalog=catalog)
    records = study.records()
    records["parts"]["digest"] = old = digest_of_path(study.folder / "parts")
    assert old != PartsFolder(path=str(study.folder / "parts")).digest()
    study.write("lineage", records)
    study.run(read, catalog=catalog)
    assert study.records()["b"]["ancestors"]["parts"] == old
    (study.folder / "parts" / "x" / "content").write_text("other")
    with pytest.raises(LineageError, match="parts has changed since node write wrote it"):
        study.run(read, catalog=catalog)


def write_text(folder: Path) -> None:
    (folder / "content").write_text("some")


def test_without_a_ledger_nothing_is_kept(study: Study) -> None:
    catalog = study.catalog()
    bare = DataCatalog({name: catalog[name] for name in ("a", "b", "params:factor")})
    study.run("double", catalog=bare)
    assert study.read("b") == 2
    assert not study.path("lineage").exists()
