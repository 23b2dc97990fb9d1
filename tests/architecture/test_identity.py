"""No dataset's identity is that of a path: it changes with the files, and with nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guards.identity import identities_of_paths
from guards.project import CONF
from social_provenance.datasets import ReferenceFolder
from social_provenance.fingerprint import digest_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("env", ["base", "olmo3"])
def test_every_dataset_of_the_catalog_is_identified_by_its_content(env: str, tmp_path: Path) -> None:
    assert identities_of_paths(CONF, env, tmp_path / "root") == []


def test_a_digest_of_a_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReferenceFolder, "digest", lambda self: digest_of(self.location()))
    found = identities_of_paths(CONF, "base", tmp_path / "root")
    assert found == [
        "reference_files: its digest stays when its files change",
        "reference_files: its digest changes when its files move",
    ]
