"""Wrong input at the command line: one line that says place, value and fix; a non-zero exit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def complaint(kedro: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs pipelines with parameters and returns the one line of error."""

    def run(pipelines: str, **params: object) -> str:
        given = {"root": tmp_path / "data", **{name.replace("__", "."): value for name, value in params.items()}}
        listed = ",".join(f"{name}={value}" for name, value in given.items())
        ended = kedro("run", "--env", "test", "--pipelines", pipelines, "--params", listed)
        assert ended.returncode != 0
        assert "Traceback" not in ended.stderr
        lines = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1
        return str(lines[0])

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
    assert f"{file.resolve()}, row 3: no column 'choices'; did you mean 'choice'?" in line
