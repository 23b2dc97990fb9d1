"""Methods that run the model, as parts: each score reaches its own document, and only what is missing is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from social_provenance.datasets import PartsFolder
from social_provenance.gradients.methods.bergson_ekfac import score_ekfac
from social_provenance.gradients.methods.model_methods import ModelCorpus, plan_model_scores
from social_provenance.gradients.methods.score_files import BLOCKS, NULLS, SCORES
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import GradientSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from social_provenance.artifacts import Parts
    from social_provenance.gradients.walk.store import GradientStore
    from social_provenance.language_model import LanguageModel

    Plan = Callable[..., Parts]

GRADIENTS = GradientSettings(token_batch=128, max_tokens=128)
SETTINGS = ScoringSettings(methods=["ekfac"], default_method="ekfac", damping=0.1)
ORDER = (4, 2, 6, 0, 5, 1, 3)
"""Documents as the store has them."""
BLOCKS_OF = {"social": [1, 0, 1], "stem": [0, 0]}


def _ask(rows: Dataset, blocks: list[int]) -> Dataset:
    """Return the first documents as queries with loss on their last four tokens."""
    ids = rows["input_ids"][: len(blocks)]
    labels = [[-100] * (len(row) - 4) + row[-4:] for row in ids]
    columns = {"item": [str(place) for place in range(len(blocks))], "block": blocks, "input_ids": ids}
    return Dataset.from_dict({**columns, "labels": labels, "length": [len(row) for row in ids]})


@pytest.fixture
def sets(sequences: Dataset) -> dict[str, Dataset]:
    shifted = sequences.select([3, 4, 5])
    return {"social.items": _ask(sequences, BLOCKS_OF["social"]), "stem.items": _ask(shifted, BLOCKS_OF["stem"])}


@pytest.fixture
def corpus(make_store: Callable[..., GradientStore]) -> GradientStore:
    """Return a store of the documents in another order; EKFAC asks it for no gradient."""
    return make_store(len(ORDER), ids=[f"doc-{number}" for number in ORDER], shards=2)


@pytest.fixture
def plan(sequences: Dataset, corpus: GradientStore, sets: dict[str, Dataset], model: LanguageModel) -> Plan:
    def make(some: Mapping[str, Dataset] = sets, settings: ScoringSettings = SETTINGS, **changes: Any) -> Parts:
        gradients = GRADIENTS.model_copy(update=changes)
        return plan_model_scores(ModelCorpus(sequences, corpus, some, model, gradients, settings.damping), settings)

    return make


def _read(parts: Mapping[str, Path], benchmark: str, name: str = SCORES) -> pd.DataFrame:
    return pd.read_parquet(parts[benchmark] / name).set_index("doc_id")


def test_each_document_gets_its_score_and_its_row_of_the_store(
    plan: Plan, sequences: Dataset, sets: dict[str, Dataset], model: LanguageModel, tmp_path: Path
) -> None:
    folder = PartsFolder(path=str(tmp_path / "ekfac"))
    folder.save(plan())
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "ekfac").iterdir() if path.is_dir()) == [
        "social",
        "stem",
    ]
    asked = {name.removesuffix(".items"): rows for name, rows in sets.items()}
    expected = dict(score_ekfac(sequences, asked, model, GRADIENTS, damping=0.1, folder=tmp_path))
    for benchmark, blocks in expected.items():
        found, means = _read(folder.load(), benchmark), _read(folder.load(), benchmark, BLOCKS)
        assert found.index.tolist() == [f"doc-{number}" for number in ORDER]
        scale = np.abs(blocks).max()
        np.testing.assert_allclose(np.stack(means["blocks"]), blocks[list(ORDER)], atol=1e-5 * scale)
        sizes = np.bincount(BLOCKS_OF[benchmark])
        np.testing.assert_allclose(found["score"], blocks[list(ORDER)] @ (sizes / sizes.sum()), atol=1e-5 * scale)
        assert found["loss"].tolist() == list(range(len(ORDER)))
        assert set(found["method"]) == {"ekfac"}
        assert set(found["benchmark"]) == {benchmark}
        assert _read(folder.load(), benchmark, NULLS).empty


@pytest.mark.slow
def test_a_benchmark_added_later_computes_its_part_and_changes_no_other(
    plan: Plan, sets: dict[str, Dataset], tmp_path: Path
) -> None:
    later, together = (PartsFolder(path=str(tmp_path / name)) for name in ("later", "together"))
    later.save(plan({"social.items": sets["social.items"]}))
    before = {path: path.stat().st_mtime_ns for path in later.load()["social"].iterdir()}
    later.save(plan())
    together.save(plan())
    assert {path: path.stat().st_mtime_ns for path in later.load()["social"].iterdir()} == before
    for benchmark in BLOCKS_OF:
        one, other = (_read(folder.load(), benchmark)["score"] for folder in (later, together))
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


def test_only_the_items_of_a_benchmark_are_asked(plan: Plan, sets: dict[str, Dataset]) -> None:
    assert plan({**sets, "social.shuffled_answers": sets["stem.items"]}).digests == plan().digests


def test_unless_it_is_asked_for_there_are_no_parts(plan: Plan) -> None:
    parts = plan(settings=ScoringSettings())
    assert parts.digests == {}
    assert list(parts.write({})) == []


def test_what_changes_a_score_makes_another_part_and_nothing_else_does(plan: Plan, sets: dict[str, Dataset]) -> None:
    usual = plan().digests
    changed = dict(sets)
    changed["stem.items"] = _ask(sets["stem.items"], [0, 1])
    blocks = plan(changed).digests
    assert blocks["stem"] != usual["stem"]
    assert blocks["social"] == usual["social"]
    assert plan(loss_reduction="mean").digests["stem"] != usual["stem"]
    assert plan(settings=SETTINGS.model_copy(update={"damping": 0.2})).digests["stem"] != usual["stem"]
    others = {"winsorise": 3.0, "target_component": 5, "methods": ["ekfac", "trackstar"]}
    assert plan(settings=SETTINGS.model_copy(update=others)).digests == usual
