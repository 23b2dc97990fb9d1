"""An error of a library is one line that names the place and the cure, whatever the library said."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from typing import TYPE_CHECKING, Any

import click
import pytest
from kedro.framework import project
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from social_provenance.artifacts import OneByOne, Parts
from social_provenance.hooks.errors import one_line, show_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def error_of(act: Callable[[], Any]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (of any library)
        act()
    return caught.value


def line_of(act: Callable[[], Any]) -> str:
    line = one_line(error_of(act))
    assert line is not None
    assert "\n" not in line
    return line


def raised(number: int, *places: str) -> OSError:
    return OSError(number, os.strerror(number), *places)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (click.UsageError("Some thing.\n\nMore"), "kedro: some thing; see `kedro --help`"),
        (
            click.BadOptionUsage("x", "Option '--x' requires an argument."),
            "--x has no value: give it one, or leave it out",
        ),
        (
            click.NoSuchOption("--prams", possibilities=["--params"]),
            "kedro: there is no option '--prams'; did you mean '--params'?",
        ),
        (click.NoSuchOption("--zzz"), "kedro: there is no option '--zzz'; see `kedro --help`"),
        (
            click.UsageError("Got unexpected extra argument (a=b)"),
            "kedro: 'a=b' belongs to no option: see `kedro --help`",
        ),
        (
            click.UsageError("Got unexpected extra arguments (a b)"),
            "kedro: 'a' belongs to no option: see `kedro --help`",
        ),
    ],
)
def test_what_the_command_line_does_not_take_is_one_line(error: click.ClickException, line: str) -> None:
    assert one_line(error) == line


def test_a_command_is_named_below_the_outermost() -> None:
    outer = click.Context(click.Group("kedro"), info_name="/usr/bin/python -m kedro")
    inner = click.Context(
        click.Group("catalog", commands={"list": click.Command("list")}), parent=outer, info_name="catalog"
    )
    assert (
        one_line(click.NoSuchCommand("lst", ctx=inner))
        == "kedro catalog: there is no command 'lst'; did you mean 'list'?"
    )


@pytest.mark.parametrize(
    ("number", "piece"),
    [
        (errno.ENOSPC, "the disk of /a/b is full: free space"),
        (errno.EDQUOT, "the disk of /a/b is full: free space"),
        (errno.EROFS, "/a/b cannot be written, its file system is read-only"),
        (errno.EACCES, "/a/b cannot be used, permission denied"),
        (errno.EPERM, "/a/b cannot be used, permission denied"),
        (errno.EEXIST, "/a/b is a file and a folder is needed there"),
        (errno.ENOTDIR, "/a/b is below a file where a folder is needed"),
        (errno.EISDIR, "/a/b is a folder and a file is needed there"),
        (errno.ENOENT, "/a/b cannot be used (No such file or directory): check that place"),
        (errno.EIO, "/a/b cannot be used (Input/output error): check that place"),
        (errno.ENAMETOOLONG, "/a/b cannot be used, its name is too long"),
    ],
)
def test_what_the_system_refuses_has_its_path_and_a_cure(number: int, piece: str) -> None:
    line = one_line(raised(number, "/a/b"))
    assert line is not None
    assert line.startswith(piece)
    assert any(cure in line for cure in ("--params root=DIR", "run again", "shorter path"))


@pytest.mark.parametrize("target", ["loop", "nowhere/data"])
def test_a_link_that_leads_nowhere_is_not_called_a_file(tmp_path: Path, target: str) -> None:
    (tmp_path / "loop").symlink_to(target)
    line = line_of(lambda: (tmp_path / "loop").mkdir(parents=True, exist_ok=True))
    assert line.startswith(
        f"{tmp_path / 'loop'} is a link that leads nowhere and a folder is needed there: move it away"
    )


def test_an_error_of_the_system_without_a_path_is_not_guessed_at() -> None:
    assert one_line(raised(errno.EIO)) is None


@pytest.mark.parametrize("said", ["write: No space left on device (os error 28)", "IO Error: Disk quota exceeded"])
def test_a_full_disk_is_recognised_in_the_words_of_any_library(said: str) -> None:
    line = one_line(RuntimeError(said))
    assert line is not None
    assert line.startswith(f"the disk ({said}) is full: free space, or")


@pytest.mark.parametrize(
    ("spill", "expected"),
    [
        (
            "1MB",
            r"the engine has no room on disk for what exceeds its memory \(.*KiB/.*KiB\): free space at connection",
        ),
        (None, r"the engine has too little memory \(.*MiB/.*MiB\): raise connection\.memory_limit in globals\.yml"),
    ],
)
def test_an_engine_that_has_neither_memory_nor_disk_says_what_to_raise(
    spill: str | None, expected: str, tmp_path: Path
) -> None:
    import duckdb

    place = f"SET temp_directory='{tmp_path if spill else ''}'"
    own = duckdb.connect()
    for setting in (
        "SET memory_limit='30MB'",
        "SET threads=1",
        place,
        f"SET max_temp_directory_size='{spill or '0KB'}'",
    ):
        own.execute(setting)
    error = error_of(lambda: own.execute("CREATE TABLE t AS SELECT range r, md5(range::VARCHAR) m FROM range(3000000)"))
    line = one_line(error)
    assert line is not None
    assert re.match(expected, line), line


@pytest.mark.parametrize("said", ["[Errno 27] Error writing bytes to file. Detail: [errno 27] File too large"])
def test_a_file_that_may_not_grow_is_recognised_in_the_words_of_any_library(said: str) -> None:
    line = one_line(RuntimeError(said))
    assert line == (
        f"a file ({said}) is larger than a file may be there: raise the limit (ulimit -f), or give another folder with "
        f"--params root=DIR, and run again: finished parts are kept"
    )


KINDS = {
    "table": {"type": "social_provenance.datasets.TableFile"},
    "frame": {"type": "pandas.ParquetDataset"},
    "json": {"type": "json.JSONDataset"},
    "text": {"type": "text.TextDataset"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\x80", b"PAR1"], ids=["empty", "bytes", "cut off"])
def test_a_dataset_that_cannot_be_read_is_named_with_its_place(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a file.x"
    path.write_bytes(content)
    catalog = DataCatalog.from_config({"mine": {**KINDS[kind], "filepath": str(path)}})
    if kind == "text" and content in (b"", b"PAR1"):
        assert catalog.load("mine") == content.decode()
        return
    line = line_of(lambda: catalog.load("mine"))
    assert line.startswith(f"mine at {path} cannot be read (")
    assert line.endswith("): restore it")  # it is the user's own


def test_a_dataset_that_cannot_be_read_is_named_with_the_pipeline_that_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Pipeline([Node(repr, "a", "mine", name="make")])
    monkeypatch.setattr(project.pipelines, "_content", {"small": made, "all": made + made})
    monkeypatch.setattr(project.pipelines, "_is_data_loaded", True)
    (tmp_path / "mine.json").write_bytes(b"{")
    catalog = DataCatalog.from_config({"mine": {"type": "json.JSONDataset", "filepath": str(tmp_path / "mine.json")}})
    assert line_of(lambda: catalog.load("mine")).endswith("): restore it, or run --pipelines small again")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "frame"])  # pandas reads folders; a schema checks
def test_a_folder_in_the_place_of_a_file_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    catalog = DataCatalog.from_config({"mine": {**KINDS[kind], "filepath": str(path)}})
    line = line_of(lambda: catalog.load("mine"))
    assert str(path) in line


PARTS = {"type": "social_provenance.datasets.PartsFolder"}


def fail(error: Exception) -> Any:
    def write(_: Path) -> None:
        raise error

    return Parts({"x": "1"}, OneByOne({"x": write}))


def test_a_bug_in_the_work_that_saving_starts_is_not_put_down_to_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    catalog = DataCatalog.from_config({"mine": {**PARTS, "path": f"{tmp_path}/p"}})
    error = error_of(lambda: catalog.save("mine", fail(KeyError("topic"))))
    assert one_line(error) is None
    show_error(type(error), error, error.__traceback__)
    said = capsys.readouterr().err
    assert said.startswith("error: KeyError: 'topic' (unexpected: report it with the traceback in ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_during_that_work_is_named(tmp_path: Path, number: int) -> None:
    catalog = DataCatalog.from_config({"mine": {**PARTS, "path": f"{tmp_path}/p"}})
    for error in (raised(number, "/a/b"), raised(number)):
        line = line_of(lambda: catalog.save("mine", fail(error)))  # noqa: B023 (called at once)
        assert ("/a/b" if error.filename else f"{tmp_path}/p") in line


def nothing(a: Any) -> Any:
    return a


PIPELINE = Pipeline([Node(nothing, "documents", "labels", name="label_documents", tags="labels")])


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project.pipelines, "_content", {"corpus": PIPELINE})
    monkeypatch.setattr(project.pipelines, "_is_data_loaded", True)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("chosen", "piece"),
    [
        ({"node_names": ["label_document"]}, "has no node 'label_document'; did you mean 'label_documents'?"),
        ({"from_nodes": ["label_document"]}, "has no node 'label_document'; did you mean 'label_documents'?"),
        ({"to_nodes": ["x"]}, "has no node 'x'; see `kedro registry describe PIPELINE`"),
        ({"to_outputs": ["label"]}, "has no dataset 'label'; did you mean 'labels'?"),
        ({"from_inputs": ["document"]}, "has no dataset 'document'; did you mean 'documents'?"),
        ({"tags": ["label"]}, "no node is left to run: --tags, "),
        ({"node_namespaces": ["label"]}, "label"),
    ],
    ids=str,
)
def test_a_name_of_the_command_line_that_nothing_has_is_named(chosen: dict[str, Any], piece: str) -> None:
    line = line_of(lambda: PIPELINE.filter(**chosen))
    assert line.startswith("--") or line.startswith("no node is left")
    assert piece in line


@pytest.mark.usefixtures("known")
def test_a_pipeline_that_nothing_has_is_named_with_the_nearest() -> None:
    error = ValueError("Failed to find the pipeline named 'corpuss'. It needs to be generated\nand so on")
    assert one_line(error) == "--pipelines: there is no pipeline 'corpuss'; did you mean 'corpus'?"
