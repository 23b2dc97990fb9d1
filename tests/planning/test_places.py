"""Room on disk: of one disk together, of two apart."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from social_provenance.errors import SettingsError
from social_provenance.planning.places import bytes_of_limit, places_to_check
from social_provenance.planning.refusals import list_refusals


@pytest.mark.parametrize(("limit", "size"), [("2GB", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("64mb", 64 * 10**6)])
def test_a_limit_is_a_size(limit: str, size: int) -> None:
    assert bytes_of_limit({"memory_limit": limit}) == size


def test_without_a_limit_there_is_none() -> None:
    assert bytes_of_limit({"backend": "pyspark"}) is None


def test_a_limit_that_is_no_size_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"connection\.memory_limit is 'much': give a size such as 2GB"):
        bytes_of_limit({"memory_limit": "much"})


def _rows(root: Path, disk: float, spill: float) -> list[dict[str, Any]]:
    free = shutil.disk_usage(root).free / 1e9
    return [{"disk_gigabytes": disk * free, "spill_gigabytes": spill * free}] * 2


def test_stages_add_up_on_disk_and_spill_is_that_of_the_largest(tmp_path: Path) -> None:
    places = {"root": str(tmp_path / "data"), "connection": {}}
    assert list_refusals(places_to_check(_rows(tmp_path, 0.3, 0.2), places)) == []
    (line,) = list_refusals(places_to_check(_rows(tmp_path, 0.3, 0.6), places))
    assert line.startswith(f"{tmp_path / 'data'} needs ")


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second disk")
def test_a_spill_folder_on_another_disk_is_named_with_its_setting(tmp_path: Path) -> None:
    if Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second disk: /dev/shm is on that of the temporary files")
    places = {"root": str(tmp_path), "connection": {"temp_directory": "/dev/shm/spill"}}
    rows = [{"disk_gigabytes": 0.0, "spill_gigabytes": 10.0**6}]
    (line,) = list_refusals(places_to_check(rows, places))
    assert line.startswith("/dev/shm/spill needs 1000000.0 GB for the engine's spill")
    assert line.endswith("connection.temp_directory")
