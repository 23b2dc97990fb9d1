"""The arms of a study differ in which documents of the topic are forgotten, and in nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.plan import plan_runs
from social_provenance.forgetting.settings import Unlearning

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = Unlearning(forget_documents=6, retain_per_topic=3, neighbours=4, steps=5, seeds=(0, 1, 2))
TOPICS = ("games", "health", "religion", "software")
PER_TOPIC = 30


def study() -> dict[str, Any]:
    """Return the tables of a small study: for ``social`` the topic is games, for ``stem`` it is health."""
    import pandas as pd

    rng = np.random.default_rng(0)
    ids = [f"{topic}-{number:02d}" for topic in TOPICS for number in range(PER_TOPIC)]
    documents = pd.DataFrame(
        {
            "doc_id": ids,
            "topic": [doc_id.split("-")[0] for doc_id in ids],
            "length": rng.integers(20, 60, len(ids)),
        }
    )
    frames = [
        pd.DataFrame({"doc_id": ids, "benchmark": benchmark, "method": method, "score": rng.normal(size=len(ids))})
        for benchmark in ("social", "stem")
        for method in ("trackstar", "influence")
    ]
    best = {"social": "games", "stem": "health"}
    topics = [
        {"benchmark": benchmark, "method": method, "topic": topic, "z": 2.0 if topic == best[benchmark] else -1.0}
        for benchmark in best
        for method in ("trackstar", "influence")
        for topic in TOPICS
    ]
    return {"scores": pd.concat(frames), "topics": pd.DataFrame(topics), "documents": documents}


@pytest.fixture
def tables() -> dict[str, Any]:
    return study()


@pytest.fixture
def plan(tables: dict[str, Any]) -> pd.DataFrame:
    return plan_runs(**tables, method="trackstar", settings=SETTINGS)


def test_every_benchmark_has_both_arms_under_every_seed(plan: pd.DataFrame) -> None:
    assert len(plan) == 2 * 2 * 3
    assert plan["run_id"].is_unique
    assert plan.groupby(["benchmark", "arm"])["seed"].agg(list).map(lambda seeds: seeds == [0, 1, 2]).all()
    assert dict(zip(plan["benchmark"], plan["topic"], strict=True)) == {"social": "games", "stem": "health"}


def test_the_arms_of_a_seed_are_matched(plan: pd.DataFrame) -> None:
    for _, arms in plan.groupby(["benchmark", "seed"]):
        one, other = arms.to_dict("records")
        assert {one["arm"], other["arm"]} == {"influence_in_topic", "random_in_topic"}
        assert len(one["forget_ids"]) == len(other["forget_ids"]) == 6
        for same in ("retain_ids", "steps", "algorithm", "seed", "topic"):
            assert one[same] == other[same]


def test_the_influence_arm_forgets_the_topics_highest_scores(plan: pd.DataFrame, tables: dict[str, Any]) -> None:
    scores = tables["scores"]
    own = scores[(scores["benchmark"] == "stem") & (scores["method"] == "trackstar")].set_index("doc_id")["score"]
    highest = own[own.index.str.startswith("health")].nlargest(6).index.tolist()
    arm = plan[(plan["benchmark"] == "stem") & (plan["arm"] == "influence_in_topic")]
    assert all(ids == highest for ids in arm["forget_ids"])


def test_equal_scores_are_ranked_by_id(tables: dict[str, Any]) -> None:
    level = plan_runs(
        tables["scores"].assign(score=0.0), tables["topics"], tables["documents"], "trackstar", SETTINGS
    ).iloc[0]
    assert level["forget_ids"] == [f"games-{number:02d}" for number in range(6)]


def test_a_random_set_is_of_the_topic_without_repeats_and_new_for_each_seed(plan: pd.DataFrame) -> None:
    arm = plan[plan["arm"] == "random_in_topic"]
    for row in arm.to_dict("records"):
        assert len(set(row["forget_ids"])) == 6
        assert all(doc_id.startswith(row["topic"]) for doc_id in row["forget_ids"])
    for _, seeds in arm.groupby("benchmark"):
        assert len({tuple(sorted(ids)) for ids in seeds["forget_ids"]}) == 3


def test_an_influential_document_may_be_in_a_random_set(plan: pd.DataFrame) -> None:
    social = plan[plan["benchmark"] == "social"].set_index(["arm", "seed"])["forget_ids"]
    drawn = {doc_id for ids in social["random_in_topic"] for doc_id in ids}
    influential = set(social["influence_in_topic", 0])
    assert drawn & influential
    assert drawn - influential


def test_with_one_neighbour_a_random_set_has_the_influential_sets_lengths(tables: dict[str, Any]) -> None:
    documents = tables["documents"].assign(length=np.repeat(np.arange(60), 2))  # lengths come in pairs
    near = plan_runs(
        tables["scores"], tables["topics"], documents, "trackstar", SETTINGS.model_copy(update={"neighbours": 1})
    )
    for _, arms in near.groupby(["benchmark", "seed"]):
        assert arms["forget_tokens"].nunique() == 1


def test_forget_tokens_are_those_of_the_documents(plan: pd.DataFrame, tables: dict[str, Any]) -> None:
    length = tables["documents"].set_index("doc_id")["length"]
    assert [length.loc[ids].sum() for ids in plan["forget_ids"]] == plan["forget_tokens"].tolist()


def test_retained_documents_are_as_many_of_each_other_topic_and_none_of_this_one(plan: pd.DataFrame) -> None:
    for row in plan.to_dict("records"):
        assert not set(row["forget_ids"]) & set(row["retain_ids"])
        counts = {topic: sum(doc_id.startswith(topic) for doc_id in row["retain_ids"]) for topic in TOPICS}
        assert counts == {topic: 0 if topic == row["topic"] else 3 for topic in TOPICS}
        assert len(set(row["retain_ids"])) == len(row["retain_ids"])


def test_a_small_other_topic_is_retained_whole(tables: dict[str, Any]) -> None:
    documents = tables["documents"]
    fewer = documents[(documents["topic"] != "religion") | documents["doc_id"].isin(["religion-03", "religion-07"])]
    first = plan_runs(tables["scores"], tables["topics"], fewer, "trackstar", SETTINGS).iloc[0]
    assert {"religion-03", "religion-07"} <= set(first["retain_ids"])
    assert len(first["retain_ids"]) == 3 + 2 + 3


def test_another_method_chooses_by_its_own_scores(plan: pd.DataFrame, tables: dict[str, Any]) -> None:
    other = plan_runs(**tables, method="influence", settings=SETTINGS)
    assert other["forget_ids"].iloc[0] != plan["forget_ids"].iloc[0]


def test_the_order_of_the_tables_does_not_matter(plan: pd.DataFrame, tables: dict[str, Any]) -> None:
    again = plan_runs(
        tables["scores"].sample(frac=1, random_state=0),
        tables["topics"],
        tables["documents"].sample(frac=1, random_state=1),
        "trackstar",
        SETTINGS,
    )
    assert again.equals(plan)


def test_the_plan_is_the_same_in_every_process(plan: pd.DataFrame) -> None:
    code = (
        "import importlib.util, json, sys\n"
        f"spec = importlib.util.spec_from_file_location('study', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "plan = module.plan_runs(**module.study(), method='trackstar', settings=module.SETTINGS)\n"
        "print(json.dumps(plan['forget_ids'].tolist()))\n"
    )
    # Python orders a set of strings anew in each process, by a seed that is set here.
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == plan["forget_ids"].tolist()


@pytest.mark.parametrize("asked", [PER_TOPIC, PER_TOPIC + 5])
def test_a_topic_too_small_to_tell_its_arms_apart_is_refused(tables: dict[str, Any], asked: int) -> None:
    settings = SETTINGS.model_copy(update={"forget_documents": asked})
    said = rf"topic games has 30 documents and unlearning\.forget_documents is {asked}: lower it"
    with pytest.raises(UnlearningError, match=said):
        plan_runs(**tables, method="trackstar", settings=settings)


def test_a_corpus_of_one_topic_is_refused(tables: dict[str, Any]) -> None:
    documents = tables["documents"][tables["documents"]["topic"] == "games"]
    with pytest.raises(UnlearningError, match="no document outside topic games is there to be retained"):
        plan_runs(tables["scores"], tables["topics"], documents, "trackstar", SETTINGS)
