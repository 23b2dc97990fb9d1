"""Wrong input at the command line: one line that says place, value and fix; a non-zero exit."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


PROJECT = Path(__file__).resolve().parents[2]
LOGGED = re.compile(r"\d\d:\d\d:\d\d (INFO|WARNING) ")


@pytest.fixture
def complaint(kedro: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs pipelines with parameters and returns the one line of error."""

    def run(pipelines: str, **params: object) -> str:
        given = {"root": tmp_path / "data", **{name.replace("__", "."): value for name, value in params.items()}}
        listed = ",".join(f"{name}={value}" for name, value in given.items())
        ended = kedro("run", "--env", "test", "--pipelines", pipelines, "--params", listed)
        assert ended.returncode == 1
        (line,) = [line for line in ended.stderr.splitlines() if not LOGGED.match(line)]
        assert line.startswith("error: ")
        return str(line)

    return run


def test_missing_corpus(complaint: Callable[..., str], tmp_path: Path) -> None:
    line = complaint("corpus", corpus=tmp_path / "nowhere")
    assert f"there is no corpus at {tmp_path / 'nowhere'}" in line
    assert "--params corpus=DIR" in line


def test_truncated_shard_leaves_no_table(
    complaint: Callable[..., str], write_shard: Callable[..., Path], row: Callable[..., Any], tmp_path: Path
) -> None:
    shard = write_shard(tmp_path / "corpus/a.jsonl.zst", [row(str(n), f"text number {n} " * 40) for n in range(400)])
    shard.write_bytes(shard.read_bytes()[:-20])
    line = complaint("corpus", corpus=tmp_path / "corpus")
    assert f"shard {shard} is damaged" in line
    assert not (tmp_path / "data/02_intermediate/documents.parquet").exists()


def test_line_that_is_not_json(complaint: Callable[..., str], write_shard: Callable[..., Path], tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "corpus/a.jsonl", [{"id": "1", "text": "x" * 80}, '{"id": "2", '])
    line = complaint("corpus", corpus=tmp_path / "corpus")
    assert f"{shard}, row 2 is not a JSON object (unexpected end of data, column 13): " in line
    assert '{"id": "2", ' in line
    assert "documents.max_malformed_share" in line


def test_unknown_parameter_in_a_block(complaint: Callable[..., str]) -> None:
    line = complaint("corpus", documents__min_char=5)
    assert "params:documents.min_char: unknown parameter" in line
    assert "got 5" in line


def test_negative_size(complaint: Callable[..., str]) -> None:
    line = complaint("taxonomy", working_set__per_bin=-1)
    assert "params:working_set.per_bin" in line
    assert "greater than 0" in line
    assert "got -1" in line


def test_unknown_block(complaint: Callable[..., str]) -> None:
    line = complaint("corpus", docments__min_chars=5)
    assert "--params: unknown parameter 'docments'" in line
    assert "did you mean 'documents'?" in line


def test_folder_of_the_user_is_never_written(complaint: Callable[..., str], tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "note.txt").write_text("mine")
    line = complaint("miniature", corpus=mine)
    assert f"{mine} is not a folder that the miniature pipeline made" in line
    assert [path.name for path in mine.iterdir()] == ["note.txt"]


def test_model_folder_without_tokenizer(
    complaint: Callable[..., str], test_study: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((tiny_model_folder / name).read_bytes())
    line = complaint("attribution", root=test_study, model=folder)
    assert f"{folder} has no tokenizer" in line


def test_benchmark_file_with_a_missing_column(
    complaint: Callable[..., str], kedro: Callable[..., Any], tmp_path: Path
) -> None:
    root = tmp_path / "data"
    assert kedro("run", "--env", "test", "--pipelines", "miniature,corpus", "--params", f"root={root}").returncode == 0
    file = root / "01_raw/benchmarks/stem_knowledge.jsonl"
    items = [json.loads(line) for line in file.read_text().splitlines()]
    items[2]["choice"] = items[2].pop("choices")
    file.write_text("".join(json.dumps(item) + "\n" for item in items))
    ledger = root / "lineage.json"
    ledger.write_text(json.dumps({k: v for k, v in json.loads(ledger.read_text()).items() if k != "benchmark_items"}))
    line = complaint("pretraining")
    assert f"{file.resolve()}, line 3: no column 'choices'; did you mean 'choice'?" in line


def test_settings_that_leave_no_document_leave_no_table(
    complaint: Callable[..., str], write_shard: Callable[..., Path], row: Callable[..., Any], tmp_path: Path
) -> None:
    write_shard(tmp_path / "corpus/a.jsonl", [row(str(n), f"text number {n} " * 40) for n in range(9)])
    line = complaint("corpus", corpus=tmp_path / "corpus", documents__min_chars=100_000)
    assert "no document remains of 9 records ({'too_short': 9}): check the documents parameters" in line
    assert not list((tmp_path / "data/02_intermediate").glob("*.parquet"))


def test_a_root_that_is_a_file(complaint: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    assert f"{tmp_path / 'data'} is a file and a folder is needed there" in complaint("corpus")
    assert (tmp_path / "data").read_text() == "mine"


def test_a_folder_in_the_place_of_a_table(
    complaint: Callable[..., str], write_shard: Callable[..., Path], row: Callable[..., Any], tmp_path: Path
) -> None:
    write_shard(tmp_path / "corpus/a.jsonl", [row(str(n), f"text number {n} " * 40) for n in range(9)])
    place = tmp_path / "data/02_intermediate/documents.parquet"
    place.mkdir(parents=True)
    line = complaint("corpus", corpus=tmp_path / "corpus")
    assert f"documents at {place} is a folder and a file is needed there" in line


def test_a_damaged_ledger(complaint: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/lineage.json").write_text("{x")
    assert f"{tmp_path / 'data/lineage.json'} is not a readable ledger" in complaint("corpus")


def test_an_empty_root(complaint: Callable[..., str], tmp_path: Path) -> None:
    line = complaint("taxonomy")
    place = tmp_path / "data/02_intermediate/documents.parquet"
    assert line == f"error: there is no documents at {place}: run --pipelines corpus, which makes it"


@pytest.mark.parametrize(
    ("typed", "piece"),
    [
        ("run --params root", "--params: 'root' has no '=': write NAME=VALUE"),
        (
            "run --params root={root} --params corpus=x",
            "--params is given 2 times, and the last alone counts: give it once",
        ),
        ("run --params 'root={root} corpus=x'", "contains 'corpus', which is a parameter itself: write a comma"),
        ("run --params root={root},pretraining.seed=true", "params:pretraining.seed: input should be a valid integer"),
        ("run --params root={root},documents.min_char=5", "params:documents.min_char: unknown parameter"),
        ("run --params root={root} --runner Nope", "--runner: there is no runner 'Nope'; name one of"),
        (
            "run --params root={root} --env tset",
            "--env: there is no environment 'tset' in {project}/conf; did you mean",
        ),
        (
            "run --params root={root} --load-versions raw_documents:x",
            "--load-versions: raw_documents has no versions: leave it",
        ),
        ("run --parms root={root}", "kedro run: there is no option '--parms'; did you mean '--params'?"),
        ("rnu", "kedro: there is no command 'rnu'; did you mean 'run'?"),
        ("registry describe corpuss", "kedro: there is no pipeline 'corpuss'; did you mean 'corpus'?"),
        ("catalog describe-datasets --pipeline corpuss", "--pipeline: there is no pipeline 'corpuss'; did you mean"),
    ],
)
def test_a_mistyped_command_is_one_line_and_makes_nothing(
    kedro: Callable[..., Any], tmp_path: Path, typed: str, piece: str
) -> None:
    before, root = set(PROJECT.iterdir()), tmp_path / "data"
    arguments = shlex.split(typed.format(root=root))
    rest = {"--env": "test", "--pipelines": "miniature"} if arguments[0] == "run" else {}
    ended = kedro(*arguments, *(word for pair in rest.items() if pair[0] not in arguments for word in pair))
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if not LOGGED.match(line)]
    assert line.startswith("error: ")
    assert piece.format(root=root, project=PROJECT) in line
    assert set(PROJECT.iterdir()) == before
    assert not root.exists()


def test_a_place_in_the_home_folder_is_there(kedro: Callable[..., Any], tmp_path: Path) -> None:
    home = os.path.relpath(tmp_path, Path.home())
    before = set(PROJECT.iterdir())
    typed = ("--env", "test", "--pipelines", "miniature", "--params", f"root=~/{home}/data #1/")
    assert kedro("run", *typed).returncode == 0
    assert (tmp_path / "data #1/lineage.json").exists()
    assert set(PROJECT.iterdir()) == before


@pytest.mark.parametrize(
    ("pipelines", "params", "piece"),
    [
        ("corpuss", {}, "there is no pipeline 'corpuss'; did you mean 'corpus'?"),
        ("corpus", {"root": ""}, "--params root is empty"),
        ("corpus", {"root": "${oc.env:HOME}"}, "--params root: '${oc.env:HOME}' refers to another value"),
        ("corpus", {"documents__min_chars": "${oc.env:HOME}"}, "--params documents.min_chars: '${oc.env:HOME}'"),
    ],
    ids=["pipeline", "empty root", "resolver", "resolver in a block"],
)
def test_nothing_is_made_for_a_name_or_a_place_that_is_none(
    complaint: Callable[..., str], tmp_path: Path, pipelines: str, params: dict[str, str], piece: str
) -> None:
    before = set(PROJECT.iterdir())
    assert piece in complaint(pipelines, **params)
    assert set(PROJECT.iterdir()) == before
    assert not (tmp_path / "data").exists()
