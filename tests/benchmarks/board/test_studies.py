"""Variants: every method under what it depends on, once. Steps: done once, refused under other settings."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from board.studies import Study, mean_rank, plan_variants, refuse_others, step
from board.worlds import Truth, World
from social_provenance.errors import ProvenanceError
from social_provenance.gradients.methods.registry import method_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_method_is_scored_once_for_each_setting_that_it_depends_on() -> None:
    variants = plan_variants(method_names(), [0.1, 1, 10], [16, 32])
    labels = Counter(variant.label(method) for variant in variants for method in variant.methods)
    assert set(labels.values()) == {1}
    rows = Counter(label.split()[0] for label in labels)
    assert {rows[name] for name in method_names("texts")} == {1}
    assert (rows["trackstar"], rows["influence"]) == (6, 6)
    assert (rows["gradient_cosine"], rows["trak"], rows["ekfac"]) == (2, 3, 3)
    assert set(rows) == set(method_names())


def test_folders_of_variants_differ() -> None:
    variants = plan_variants(["trackstar"], [0.01, 0.1, 1, 10], [16, 32, 64])
    assert len({variant.name for variant in variants}) == 12
    assert plan_variants(["trackstar", "bm25"], [0.1], [16])[0].name not in {variant.name for variant in variants}


def test_further_kinds_of_query_are_scored_by_the_store_under_the_first_settings() -> None:
    variants = plan_variants(["trackstar", "gradient_cosine", "bm25"], [0.1, 10], [16, 32], ["gold", "rival"])
    labels = [variant.label(method) for variant in variants for method in variant.methods]
    assert len(set(labels)) == len(labels)
    assert [label for label in labels if "query=" in label] == [
        "trackstar projection=16 damping=0.1 query=rival",
        "gradient_cosine projection=16 query=rival",
    ]
    assert len({variant.name for variant in variants}) == len(variants)
    assert plan_variants(["bm25"], [0.1], [16], ["gold", "rival"]) == plan_variants(["bm25"], [0.1], [16])


def test_further_normalizers_are_walked_apart_and_scored_under_the_first_settings() -> None:
    variants = plan_variants(["trackstar", "gradient_cosine", "bm25"], [0.1, 10], [16], normalizers=["none", "adam"])
    labels = [variant.label(method) for variant in variants for method in variant.methods]
    assert [label for label in labels if "adam" in label] == [
        "trackstar projection=16 damping=0.1 adam",
        "gradient_cosine projection=16 adam",
    ]
    assert len({variant.name for variant in variants}) == len(variants)
    assert len({variant.walk for variant in variants}) == 2


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ProvenanceError, match="'trackstr' is no method"):
        plan_variants(["trackstr"], [1], [16])


def test_parameters_are_resolved_once_and_what_a_caller_changes_stays_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = []

    @contextmanager
    def session(study: Study, _: Any) -> Iterator[Any]:
        sessions.append(study.seed)
        params = {"pretraining": {"seed": study.seed}}
        yield SimpleNamespace(load_context=lambda: SimpleNamespace(params=params))

    monkeypatch.setattr(Study, "_session", session)
    world = World.__new__(World)
    first, second = (Study(world, seed, tmp_path) for seed in (0, 1))
    first.params()["pretraining"]["seed"] = 7
    assert (first.params(), second.params()) == ({"pretraining": {"seed": 0}}, {"pretraining": {"seed": 1}})
    assert sessions == [0, 1]


def test_a_step_is_done_once(tmp_path: Path) -> None:
    done = []
    for _ in range(3):
        with step(tmp_path / "a", {"steps": 4, "nested": {"rate": (1, 2)}}) as waiting:
            if waiting:
                done.append(1)
    assert done == [1]


def test_a_step_that_failed_is_done_again(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), step(tmp_path / "a", {"steps": 4}):
        raise RuntimeError
    with step(tmp_path / "a", {"steps": 5}) as waiting:
        assert waiting


def test_a_step_of_other_settings_is_refused_with_both_values(tmp_path: Path) -> None:
    with step(tmp_path / "bank", {"pretraining": {"max_steps": 800}, "code": "x"}):
        pass
    said = r"bank was made under other settings: pretraining\.max_steps was 800 and is 900; give another --folder"
    with (
        pytest.raises(ProvenanceError, match=said),
        step(tmp_path / "bank", {"pretraining": {"max_steps": 900}, "code": "y"}),
    ):
        pass


@pytest.mark.parametrize(("made", "asked"), [({"a": 1}, {}), ({}, {"a": 1}), ({"a": {"b": 1}}, {"a": {"b": 2}})])
def test_a_setting_more_or_less_is_another_setting(tmp_path: Path, made: dict, asked: dict) -> None:
    with pytest.raises(ProvenanceError, match="other settings"):
        refuse_others(tmp_path, made, asked)
    refuse_others(tmp_path, made, made)


def test_own_documents_are_found_by_the_position_of_items() -> None:
    truth = Truth({}, authors={"d0": 0, "d1": 0, "d2": 0}, own={"a": ["d2", "d0"]})
    items = pd.DataFrame({"benchmark": "a", "item": ["a/1", "a/0"], "block": [0, 1]})
    scores = {"d0": [3.0, 0.0], "d1": [1.0, 1.0], "d2": [2.0, 0.5]}
    scored = pd.DataFrame({"doc_id": list(scores), "blocks": list(map(np.array, scores.values()))})
    assert mean_rank(scored, items, truth) == (1 + 0.5) / 2
    shuffled = scored.iloc[[2, 0, 1]].reset_index(drop=True)
    assert mean_rank(shuffled, items, truth) == mean_rank(scored, items, truth)
    assert np.isnan(mean_rank(scored, items.assign(block=0), truth))
