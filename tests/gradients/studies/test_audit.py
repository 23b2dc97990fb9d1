"""Every rendering is scored by itself: neither the others nor their second moments have a part in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.score_files import NULLS, SCORES
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.query_set import ITEMS
from social_provenance.gradients.studies.audit import plan_audit, require_gradient_method

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from social_provenance.artifacts import Parts
    from social_provenance.gradients.walk.store import GradientStore

    Maker = Callable[..., GradientStore]

SETTINGS = ScoringSettings(methods=("trackstar", "bm25"), damping=0.1, target_component=3, chunk=16)


@pytest.fixture
def corpus(make_store: Maker) -> GradientStore:
    return make_store(30)


@pytest.fixture
def renderings(make_store: Maker) -> dict[str, Path]:
    """Return the gradients of one benchmark in two forms; those of the second have other directions."""
    turned = np.random.default_rng(2).normal(size=(8, 13)) @ np.diag(np.linspace(3, 0.1, 13))
    stores = {"quiz.cloze": make_store(8, 1), "quiz.answer_only": make_store(gradients=turned)}
    return {name: store.shards["shard-0"] for name, store in stores.items()}


@pytest.fixture
def scores_of(tmp_path: Path) -> Callable[[Parts, str], pd.DataFrame]:
    """Return a function that computes parts and reads the scores in one."""

    def read(parts: Parts, name: str, file: str = SCORES) -> pd.DataFrame:
        folder = PartsFolder(path=str(tmp_path / "scores"))
        folder.save(parts)
        return pd.read_parquet(folder.load()[name] / file)

    return read


def test_a_rendering_is_a_benchmark_of_its_own(
    corpus: GradientStore, renderings: dict[str, Path], scores_of: Any
) -> None:
    parts = plan_audit(corpus, renderings, SETTINGS)
    assert list(parts.digests) == ["quiz.cloze", "quiz.answer_only"]
    for name in renderings:
        table = scores_of(parts, name)
        assert set(table["benchmark"]) == {name}
        assert set(table["method"]) == {"trackstar"}
        assert len(table) == 30
        assert set(scores_of(parts, name, NULLS)["variant"]) == {ITEMS}


def test_a_rendering_does_not_depend_on_the_others(
    corpus: GradientStore, renderings: dict[str, Path], scores_of: Any
) -> None:
    both = plan_audit(corpus, renderings, SETTINGS)
    name = "quiz.answer_only"
    alone = plan_audit(corpus, {name: renderings[name]}, SETTINGS)
    assert alone.digests[name] == both.digests[name]
    assert scores_of(both, name).equals(scores_of(alone, name))


def test_its_preconditioner_is_from_its_own_items(
    corpus: GradientStore, renderings: dict[str, Path], scores_of: Any
) -> None:
    name = "quiz.answer_only"
    own = scores_of(plan_audit(corpus, renderings, SETTINGS), name)["score"]
    store = type(corpus)
    stores = {key: store({key: folder}) for key, folder in renderings.items()}
    shared = plan_scores(corpus, {"quiz": {ITEMS: stores["quiz.cloze"], "answer_only": stores[name]}}, SETTINGS)
    as_variant = scores_of(shared, "quiz", NULLS).query("variant == 'answer_only'")["score"]
    np.testing.assert_allclose(own, as_variant, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("methods", [("bm25",), ("length", "loss"), ("ekfac",)])
def test_without_a_method_on_stored_gradients_there_is_nothing_to_compare(methods: Any) -> None:
    settings = ScoringSettings(methods=methods, default_method=methods[0])
    with pytest.raises(AttributionError, match=r"scoring\.methods .* has none that compares stored gradients: add one"):
        require_gradient_method(settings)
    require_gradient_method(settings.model_copy(update={"methods": (*methods, "trak")}))
