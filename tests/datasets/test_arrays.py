"""What was saved comes back the same; what is damaged, foreign or half is refused and never half read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from social_provenance.datasets import ArraysFile
from social_provenance.errors import ArtifactError
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.estimation.maps.aggregate import aggregate_scored
from social_provenance.estimation.maps.scored import Scored
from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from pathlib import Path

    from social_provenance.estimation.maps.influence import Influence

SCORED, INFLUENCE = (
    "social_provenance.estimation.maps.scored.Scored",
    "social_provenance.estimation.maps.influence.Influence",
)


@pytest.fixture
def scored() -> Scored:
    ids = np.array(["", "a", "été", "\U0001f600 long"], dtype=object)
    scores = np.array([[0.1, 1.0], [-2.0, 3.0], [1 / 3, 0.0], [5.0, 6.0]])
    columns = [("quiz", "bm25"), ("quiz", "influence")]
    hashes = np.array([0, 1, 2**64 - 1, 3], dtype=np.uint64)
    return Scored(ids, columns, scores, np.array([0, 1, 1, 575]), hashes, np.arange(4.0), np.full(4, 0.5))


@pytest.fixture
def influence(scored: Scored) -> Influence:
    share = pd.DataFrame(BINS, columns=["topic", "format"]).assign(share=1 / len(BINS))
    return aggregate_scored(scored, share, Bootstrap(replicates=99))


def same(one: Any, other: Any) -> None:
    """Compare arrays to the last bit, with their types, and everything else."""
    (arrays, rest), (others, other_rest) = one.pack(), other.pack()
    assert set(arrays) == set(others) != set()
    for name, array in arrays.items():
        assert array.dtype == others[name].dtype, name
        np.testing.assert_array_equal(array, others[name], err_msg=name)
    assert rest == other_rest


def test_documents_come_back_the_same(tmp_path: Path, scored: Scored) -> None:
    file = ArraysFile(filepath=str(tmp_path / "deep" / "s.safetensors"), holds=SCORED)
    assert not file.exists()
    file.save(scored)
    assert file.exists()
    same(file.load(), scored)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["s.safetensors"]


def test_influence_comes_back_the_same(tmp_path: Path, influence: Influence) -> None:
    file = ArraysFile(filepath=str(tmp_path / "i.safetensors"), holds=INFLUENCE)
    file.save(influence)
    loaded = file.load()
    same(loaded, influence)
    pd.testing.assert_frame_equal(loaded.bins(), influence.bins())
    pd.testing.assert_frame_equal(loaded.marginal("format"), influence.marginal("format"))


def test_no_documents_come_back_as_none(tmp_path: Path, scored: Scored) -> None:
    none = Scored(**{name: value[:0] if name != "columns" else value for name, value in vars(scored).items()})
    file = ArraysFile(filepath=str(tmp_path / "s.safetensors"), holds=SCORED)
    file.save(none)
    same(file.load(), none)


def test_a_save_that_fails_leaves_what_was_there(tmp_path: Path, scored: Scored) -> None:
    file = ArraysFile(filepath=str(tmp_path / "s.safetensors"), holds=SCORED)
    file.save(scored)
    wrong = Scored(**{**vars(scored), "ids": np.array([1, 2], dtype=object)})
    with pytest.raises(Exception, match="encode"):
        file.save(wrong)
    same(file.load(), scored)


def test_a_damaged_file_is_refused(tmp_path: Path, scored: Scored, refused: Any) -> None:
    path = tmp_path / "s.safetensors"
    file = ArraysFile(filepath=str(path), holds=SCORED)
    file.save(scored)
    path.write_bytes(path.read_bytes()[:-5])
    with refused(
        ArtifactError, str(path), "not a complete social_provenance.estimation.maps.scored.Scored", "run the node"
    ):
        file.load()


def test_a_file_of_another_class_or_version_is_refused(tmp_path: Path, scored: Scored, refused: Any) -> None:
    path = tmp_path / "s.safetensors"
    ArraysFile(filepath=str(path), holds=SCORED).save(scored)
    with refused(ArtifactError, "not a complete social_provenance.estimation.maps.influence.Influence"):
        ArraysFile(filepath=str(path), holds=INFLUENCE).load()
    save_file({"scores": scored.scores}, path, {"record": '{"columns": []}'})
    with refused(ArtifactError, "TypeError", "missing"):
        ArraysFile(filepath=str(path), holds=SCORED).load()
    save_file({"scores": scored.scores}, path)
    with refused(ArtifactError, "not a complete"):
        ArraysFile(filepath=str(path), holds=SCORED).load()
