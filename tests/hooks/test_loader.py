"""Runtime parameters are plain values: nothing is resolved, and no empty place becomes a folder."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from social_provenance.datasets import TableFile
from social_provenance.errors import SettingsError
from social_provenance.hooks.errors import one_line, show_error
from social_provenance.hooks.loader import SPILL, CheckedConfigLoader, spilling
from social_provenance.hooks.typed_paths import FOLDERS


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"root": "${oc.env:HOME}/x"}, "root"),
        ({"root": "a${b"}, "root"),
        ({"documents": {"min_chars": "${oc.env:HOME}"}}, "documents.min_chars"),
        ({"evaluation": {"benchmarks": [{"name": "${x}"}]}}, "evaluation.benchmarks.name"),
        ({"${x}": 1}, "${x}"),
    ],
)
def test_what_would_be_resolved_is_refused_with_its_place(given: dict[str, Any], place: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        CheckedConfigLoader(str(tmp_path), runtime_params=given)
    assert str(caught.value).startswith(f"--params {place}: '")
    assert str(caught.value).endswith("give the value itself")


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_place_is_refused(name: str, value: str | None, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"^--params {name} is empty: give a path, or leave {name} out"):
        CheckedConfigLoader(str(tmp_path), runtime_params={name: value})


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        {"root": "a$b", "corpus": "a{c}"},
        {"query_model": None},
        {"accepted_code": ""},
        {"seed": 0, "on": False},
    ],
)
def test_plain_values_are_taken(given: dict[str, Any] | None, tmp_path: Path) -> None:
    assert CheckedConfigLoader(str(tmp_path), runtime_params=given).runtime_params == (given or {})


def test_places_are_read_before_anything_is_resolved(tmp_path: Path) -> None:
    loader = CheckedConfigLoader(str(tmp_path), runtime_params={"root": 2024, "corpus": "~/x"})
    assert loader.runtime_params == {"root": "2024", "corpus": str(Path.home() / "x")}


@pytest.mark.parametrize(
    ("source", "env", "said"),
    [
        ("conf", "tset", "--env: there is no environment 'tset' in {conf}; did you mean 'test'?"),
        ("conf", "../conf/test", "--env: there is no environment '../conf/test' in {conf}; name one of base, test"),
        ("conf", "globals.yml", "--env: there is no environment 'globals.yml' in {conf}; name one of base, test"),
        ("other", None, "--conf-source: {other} has no folder 'base': give a folder of configurations"),
        ("nowhere", "test", "--conf-source: {nowhere} has no folder 'base': give a folder of configurations"),
    ],
)
def test_a_configuration_that_is_not_there_is_refused(tmp_path: Path, source: str, env: str | None, said: str) -> None:
    for folder in ("conf/base", "conf/test", "other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "conf/globals.yml").touch()
    with pytest.raises(SettingsError) as caught:
        CheckedConfigLoader(str(tmp_path / source), env, base_env="base", default_run_env="base")
    places = {name: tmp_path / name for name in ("conf", "other", "nowhere")}
    assert str(caught.value) == said.format(**places)
    for right in ("test", "base", None):
        assert CheckedConfigLoader(str(tmp_path / "conf"), right, base_env="base", default_run_env="base").env == right


def test_a_store_that_cannot_be_read_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^--conf-source: s3://b/x cannot be read \(.*: give a folder"):
        CheckedConfigLoader("s3://b/x", base_env="base")


@pytest.mark.parametrize(("root", "read"), [("data", "data"), ("~/x", str(Path.home() / "x")), (2024, "2024")])
def test_the_root_of_an_environment_is_a_place_too(tmp_path: Path, root: Any, read: str) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/globals.yml").write_text(f"root: {root}\n")
    (tmp_path / "base/catalog.yml").write_text("a: {type: MemoryDataset, data: '${globals:root}'}\n")
    loader = CheckedConfigLoader(str(tmp_path), base_env="base", default_run_env="base")
    assert loader["catalog"]["a"]["data"] == read


def test_a_root_of_an_environment_that_is_no_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/globals.yml").write_text("root: $HOME/x\n")
    with pytest.raises(SettingsError, match=r"^globals.yml: root '\$HOME/x' has \$HOME, which the shell did not"):
        CheckedConfigLoader(str(tmp_path), base_env="base", default_run_env="base")


@pytest.mark.parametrize("text", ["a: [", "root: ${nope}", "- a", "\t"])
def test_a_configuration_that_cannot_be_read_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/globals.yml").write_text(text)
    with pytest.raises(Exception) as caught:  # noqa: PT011 (of the library)
        CheckedConfigLoader(str(tmp_path), base_env="base", default_run_env="base")
    line = one_line(caught.value)
    assert line is not None
    assert re.match(r"the configuration cannot be read \(.*\): fix it", line)


@pytest.mark.parametrize("given", [{"block": [1]}, {"listed": {"0": {"name": "x"}}}])
def test_a_list_in_place_of_a_block_is_refused(tmp_path: Path, given: dict[str, Any]) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/parameters.yml").write_text("block: {seed: 1}\nlisted: [{name: a}]\n")
    loader = CheckedConfigLoader(
        str(tmp_path), base_env="base", runtime_params=given, merge_strategy={"parameters": "soft"}
    )
    with pytest.raises(
        SettingsError, match=rf"^parameters: a list is given .* the value of {next(iter(given))} in --params$"
    ):
        _ = loader["parameters"]


def test_an_error_of_the_configuration_is_one_line_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    with pytest.raises(SettingsError):
        CheckedConfigLoader(str(tmp_path), runtime_params={"root": ""})
    assert sys.excepthook is show_error


def test_files_are_read_once_and_what_is_set_or_changed_later_stays_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/globals.yml").write_text("root: data")
    (tmp_path / "base/parameters.yml").write_text("block: {size: 1}\nplace: ${globals:root}")
    loader = CheckedConfigLoader(str(tmp_path), base_env="base", default_run_env="base")
    reads: list[str] = []
    read = CheckedConfigLoader._read_raw_config

    def note(self: CheckedConfigLoader, key: str) -> Any:
        reads.append(key)
        return read(self, key)

    monkeypatch.setattr(CheckedConfigLoader, "_read_raw_config", note)
    loader["parameters"]["block"]["size"] = 2
    assert loader["parameters"] == {"block": {"size": 1}, "place": "data"}
    assert reads.count("parameters") == 1
    loader["parameters"] = {"block": {}}
    assert loader["parameters"] == {"block": {}}


def test_what_exceeds_the_memory_of_an_engine_goes_to_the_disk_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    connection = spilling({"backend": "duckdb", "threads": 1, "memory_limit": "60MB"}, str(tmp_path / "root"))
    (tmp_path / "root").mkdir()
    table = TableFile(filepath=str(tmp_path / "table.parquet"), connection=connection)
    numbers = pd.DataFrame({"key": [hashlib.md5(f"{row}".encode()).hexdigest() * 8 for row in range(400_000)]})
    numbers.to_parquet(tmp_path / "numbers.parquet")
    found: list[str] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.001):
            found.extend(path.name for path in (tmp_path / "root").glob(f"{SPILL}/*"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    source = TableFile(filepath=str(tmp_path / "numbers.parquet"), connection=connection)
    table.save(source.load().order_by("key"))
    stop.set()
    watcher.join()
    assert found
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert spilling({"backend": "pyspark"}, "root") == {"backend": "pyspark"}
    own = {"backend": "duckdb", "temp_directory": "/scratch"}
    assert spilling(own, "root") == own
