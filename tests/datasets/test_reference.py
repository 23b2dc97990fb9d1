"""A folder of published tables: cells as they stand, None without a folder, files that are no tables refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kedro.io import DatasetError

from social_provenance.datasets.reference import ReferenceFolder
from social_provenance.errors import ReferenceFileError

if TYPE_CHECKING:
    from pathlib import Path


def test_cells_are_read_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("topic_label,mean_score\nNA,1e-5\n\n,nan\n")
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbftopic_label,mean_score\r\n"Home, garden",007\r\n')
    (tmp_path / "notes.txt").write_text("not a table")
    found = ReferenceFolder(path=str(tmp_path)).load()
    assert found is not None
    assert [path.name for path in found] == ["a.csv", "b.csv"]
    first, second = found.values()
    assert first.to_dict("list") == {"topic_label": ["Home, garden"], "mean_score": ["007"]}
    assert second.to_dict("list") == {"topic_label": ["NA", ""], "mean_score": ["1e-5", "nan"]}


def test_without_a_path_there_is_no_reference() -> None:
    assert ReferenceFolder(path=None).load() is None
    assert not ReferenceFolder(path=None).exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_tables_is_refused(tmp_path: Path, there: bool) -> None:
    folder = tmp_path if there else tmp_path / "nowhere"
    with pytest.raises(DatasetError, match=r"there is no reference at .*--params reference=DIR") as error:
        ReferenceFolder(path=str(folder)).load()
    assert isinstance(error.value.__cause__, ReferenceFileError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"quiz\.csv is empty"),
        (b"a,b\n1,2\n1,2,3\n", r"quiz\.csv, line 3 has 3 cells and the header has 2 \('1,2,3'\): fix"),
        (b"a,b\n1,2\n1\n", r"quiz\.csv, line 3 has 1 cells and the header has 2"),
        (b"a,a\n1,2\n", r"quiz\.csv: two columns are named 'a'"),
        (b"a,b\n1,\xff\n", r"quiz\.csv cannot be read as CSV .*: fix it"),
        (b'a,b\n1,"2\n', r"quiz\.csv cannot be read as CSV .*: fix it"),
    ],
    ids=["empty", "cell too many", "cell too few", "column twice", "not UTF-8", "open quote"],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "quiz.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        ReferenceFolder(path=str(tmp_path)).load()


def test_nothing_is_written_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        ReferenceFolder(path=str(tmp_path)).save({})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
