"""The runs of a contrast differ in which documents are forgotten, and in nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import UnlearningError
from social_provenance.forgetting.design import plan as planning
from social_provenance.forgetting.design.plan import balance_sets, choose_contrasts, list_runs, refuse_small_topics
from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.forgetting.objectives.simnpo import SimNPO
from social_provenance.forgetting.runs.forecast import count_runs
from social_provenance.forgetting.settings import HeldOut, Unlearning
from social_provenance.forgetting.vocabulary import ARMS

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Unlearning(
    forget_documents=8,
    random_sets=3,
    global_sets=2,
    retain_per_topic=4,
    held_out=HeldOut(per_bin=2),
    order_seeds=(0, 1),
)
TOPICS = ("games", "health", "religion", "software")
FORMATS = ("faq", "listicle", "tutorial")
PER_BIN = 20


def study() -> dict[str, pd.DataFrame]:
    """Return the tables of a small study: for ``social`` the first topic is games, for ``stem`` it is health."""
    rng = np.random.default_rng(0)
    rows = [
        {"doc_id": f"{topic}-{form}-{number:02d}", "topic": topic, "format": form}
        for topic in TOPICS
        for form in FORMATS
        for number in range(PER_BIN)
    ]
    documents = pd.DataFrame(rows)
    documents["length"] = rng.integers(20, 200, len(rows))
    known = pd.DataFrame(
        {
            "doc_id": documents["doc_id"],
            "loss": rng.normal(4, 0.5, len(rows)),
            "grad_norm": rng.lognormal(0, 0.3, len(rows)) / np.sqrt(documents["length"]),
        }
    )
    scores = [known.assign(benchmark=name, score=rng.normal(size=len(rows))) for name in ("social", "stem")]
    order = {"social": ["games", "health", "religion", "software"], "stem": ["health", "software", "games", "religion"]}
    topics = [
        {"benchmark": benchmark, "topic": topic, "z": 2.0 - place}
        for benchmark, ranked in order.items()
        for place, topic in enumerate(ranked)
    ]
    return {"scores": pd.concat(scores), "topics": pd.DataFrame(topics), "documents": documents}


def plan_of(tables: dict[str, pd.DataFrame], **changed: Any) -> pd.DataFrame:
    settings = SETTINGS.model_copy(update=changed)
    lengths = tables["documents"].set_index("doc_id")["length"]
    return list_runs(choose_contrasts(**tables, settings=settings), lengths, settings)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return study()


@pytest.fixture(scope="module")
def plan(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return plan_of(tables)


def contrasts(plan: pd.DataFrame) -> list[pd.DataFrame]:
    return [own for _, own in plan.groupby(["benchmark", "topic", "scope"], dropna=False)]


@pytest.mark.parametrize(
    "changed",
    [{}, {"topics": 2}, {"global_sets": 0}, {"algorithms": (NGDiff(), SimNPO()), "order_seeds": (3,)}],
    ids=str,
)
def test_the_forecast_counts_as_many_runs_as_are_planned(
    tables: dict[str, pd.DataFrame], changed: dict[str, Any]
) -> None:
    assert count_runs(SETTINGS.model_copy(update=changed), benchmarks=2) == len(plan_of(tables, **changed))


def test_every_arm_set_and_seed_is_there_once(plan: pd.DataFrame) -> None:
    assert plan["run_id"].is_unique
    counts = plan.groupby(["benchmark", "scope", "arm"]).size().unstack(["scope", "arm"])
    assert (counts["topic"] == {"influence_in_topic": 2, "random_in_topic": 3}).all(axis=None)
    assert (counts["global"] == {"influence_global": 2, "random_global": 2}).all(axis=None)
    for own in contrasts(plan):
        targeted, control = ARMS[own["scope"].iloc[0]]
        arms = {arm: list(zip(rows["set"], rows["seed"], strict=True)) for arm, rows in own.groupby("arm")}
        assert arms[targeted] == [(0, 0), (0, 1)]
        assert arms[control] == [(number, number % 2) for number in range(len(arms[control]))]


def test_a_contrast_is_of_the_foremost_topic_or_of_the_whole_corpus(plan: pd.DataFrame) -> None:
    found = plan[["benchmark", "scope", "topic"]].drop_duplicates().fillna("").itertuples(index=False)
    assert set(map(tuple, found)) == {
        ("social", "topic", "games"),
        ("social", "global", ""),
        ("stem", "topic", "health"),
        ("stem", "global", ""),
    }


def test_runs_of_a_contrast_share_all_but_what_they_forget(plan: pd.DataFrame) -> None:
    for own in contrasts(plan):
        for same in ("retain_ids", "held_out_ids", "steps", "algorithm"):
            assert own[same].map(str).nunique() == 1
        assert set(own["forget_ids"].map(len)) == {8}


def test_a_targeted_set_is_the_highest_scores_and_one_for_all_seeds(
    plan: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> None:
    for own in contrasts(plan):
        scores = tables["scores"][tables["scores"]["benchmark"] == own["benchmark"].iloc[0]].set_index("doc_id")
        if own["scope"].iloc[0] == "topic":
            scores = scores[scores.index.str.startswith(own["topic"].iloc[0])]
        highest = scores["score"].nlargest(8).index.tolist()
        assert own.loc[own["arm"].str.startswith("influence"), "forget_ids"].tolist() == [highest, highest]


def test_equal_scores_are_ranked_by_id(tables: dict[str, pd.DataFrame]) -> None:
    level = plan_of({**tables, "scores": tables["scores"].assign(score=0.0)})
    assert level["forget_ids"][0] == [f"games-faq-{number:02d}" for number in range(8)]


def test_random_sets_differ_and_have_no_document_twice(plan: pd.DataFrame) -> None:
    for own in contrasts(plan):
        random = own[own["arm"].str.startswith("random")]
        sets = [set(ids) for ids in random["forget_ids"]]
        assert all(len(one) == 8 for one in sets)
        assert all(one != other for one, other in combinations(sets, 2))


def test_random_sets_of_a_topic_are_from_it_and_others_from_everywhere(plan: pd.DataFrame) -> None:
    for row in plan[plan["arm"] == "random_in_topic"].to_dict("records"):
        assert all(doc_id.startswith(row["topic"]) for doc_id in row["forget_ids"])
    for row in plan[plan["arm"] == "random_global"].to_dict("records"):
        assert len({doc_id.split("-")[0] for doc_id in row["forget_ids"]}) > 1


def test_sets_of_a_contrast_have_the_same_tokens_within_two_percent(
    plan: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> None:
    length = tables["documents"].set_index("doc_id")["length"]
    assert [length.loc[ids].sum() for ids in plan["forget_ids"]] == plan["forget_tokens"].tolist()
    for own in contrasts(plan):
        targeted = own.loc[own["arm"].str.startswith("influence"), "forget_tokens"].iloc[0]
        assert (abs(own["forget_tokens"] / targeted - 1) <= 0.02).all()


def test_the_balance_has_a_row_for_each_variable_of_each_random_set(tables: dict[str, pd.DataFrame]) -> None:
    table = balance_sets(choose_contrasts(**tables, settings=SETTINGS))
    assert len(table) == 2 * (3 + 2) * 3
    matched = table["variable"].isin(SETTINGS.matching.variables)
    assert (table.loc[matched, "standardised_difference"].abs() < 0.1).all()
    assert (table.loc[~matched, "standardised_difference"].abs() > 0.1).any()
    assert (table["unmatched_difference"].abs() > 0.1).any()


def test_what_is_retained_or_held_out_is_in_no_set_of_the_contrast(plan: pd.DataFrame) -> None:
    for own in contrasts(plan):
        forgotten = {doc_id for ids in own["forget_ids"] for doc_id in ids}
        retain, held = own["retain_ids"].iloc[0], own["held_out_ids"].iloc[0]
        assert len({*forgotten, *retain, *held}) == len(forgotten) + len(retain) + len(held)


def test_retained_documents_are_spread_over_the_other_topics_and_their_formats(plan: pd.DataFrame) -> None:
    for own in contrasts(plan):
        regions = [doc_id.split("-")[:2] for doc_id in own["retain_ids"].iloc[0]]
        per_topic = pd.Series([topic for topic, _ in regions]).value_counts().to_dict()
        assert per_topic == {topic: 4 for topic in TOPICS if topic != own["topic"].iloc[0]}
        per_bin = pd.Series(["-".join(region) for region in regions]).value_counts()
        assert set(per_bin) == {1, 2}  # four documents over three formats
        assert len(per_bin) == 3 * len(per_topic)


def test_a_small_topic_is_retained_whole(tables: dict[str, pd.DataFrame]) -> None:
    documents = tables["documents"]
    few = ["religion-faq-03", "religion-tutorial-07"]
    fewer = documents[(documents["topic"] != "religion") | documents["doc_id"].isin(few)]
    first = plan_of({**tables, "documents": fewer}, global_sets=0)["retain_ids"][0]
    assert set(few) < set(first)
    assert len(first) == 4 + 2 + 4


def test_every_bin_is_held_out_in_part_that_of_the_sets_too(plan: pd.DataFrame) -> None:
    for own in contrasts(plan):
        per_bin = pd.Series([doc_id.rpartition("-")[0] for doc_id in own["held_out_ids"].iloc[0]]).value_counts()
        assert per_bin.to_dict() == {f"{topic}-{form}": 2 for topic in TOPICS for form in FORMATS}


def test_a_bin_that_is_used_up_holds_nothing_out(tables: dict[str, pd.DataFrame]) -> None:
    documents = tables["documents"]
    one = documents[(documents["topic"] != "software") | (documents["doc_id"] == "software-faq-00")]
    first = plan_of({**tables, "documents": one}, global_sets=0).iloc[0]
    assert "software-faq-00" in first["retain_ids"]
    assert not any(doc_id.startswith("software") for doc_id in first["held_out_ids"])


def test_without_global_sets_there_are_no_global_arms(tables: dict[str, pd.DataFrame], plan: pd.DataFrame) -> None:
    without = plan_of(tables, global_sets=0)
    assert set(without["scope"]) == {"topic"}
    own = plan[plan["scope"] == "topic"].reset_index(drop=True)
    assert without.equals(own)  # a contrast does not depend on which others there are


@pytest.mark.parametrize("topics", [2, 4, 9])
def test_further_topics_are_those_of_the_next_largest_z(tables: dict[str, pd.DataFrame], topics: int) -> None:
    plan = plan_of(tables, topics=topics, global_sets=0)
    ranked = plan.drop_duplicates(["benchmark", "topic"]).groupby("benchmark")["topic"].agg(list)
    assert ranked["social"] == ["games", "health", "religion", "software"][:topics]
    assert ranked["stem"] == ["health", "software", "games", "religion"][:topics]


def test_a_topic_without_z_is_never_chosen(tables: dict[str, pd.DataFrame]) -> None:
    nothing = pd.DataFrame({"benchmark": ["social", "stem"], "topic": "travel_and_tourism", "z": float("nan")})
    topics = pd.concat([nothing, tables["topics"]], ignore_index=True)
    assert "travel_and_tourism" not in set(plan_of({**tables, "topics": topics}, topics=9)["topic"])


def test_each_algorithm_has_every_run(tables: dict[str, pd.DataFrame], plan: pd.DataFrame) -> None:
    both = plan_of(tables, algorithms=(NGDiff(), SimNPO()))
    assert both["run_id"].is_unique
    for name in ("ngdiff", "simnpo"):
        own = both[both["algorithm"] == name].reset_index(drop=True)
        assert own["forget_ids"].tolist() == plan["forget_ids"].tolist()


def test_the_order_of_the_tables_does_not_matter(tables: dict[str, pd.DataFrame], plan: pd.DataFrame) -> None:
    again = plan_of({name: table.sample(frac=1, random_state=3) for name, table in tables.items()})
    columns = [name for name in plan if name != "run_id"]
    pd.testing.assert_frame_equal(
        again.set_index("run_id").loc[plan["run_id"], columns], plan.set_index("run_id")[columns]
    )


def test_the_plan_is_the_same_in_every_process(plan: pd.DataFrame) -> None:
    code = (
        "import importlib.util, json\n"
        f"spec = importlib.util.spec_from_file_location('tests', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print(json.dumps(module.plan_of(module.study())['digest'].tolist()))\n"
    )
    # Python orders a set of strings anew in each process, by a seed that is set here.
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == plan["digest"].tolist()


def test_another_seed_draws_other_sets(tables: dict[str, pd.DataFrame], plan: pd.DataFrame) -> None:
    other = plan_of(tables, seed=1)
    targeted = plan["arm"].str.startswith("influence")
    assert other.loc[targeted, "forget_ids"].tolist() == plan.loc[targeted, "forget_ids"].tolist()
    assert (other.loc[~targeted, "forget_ids"].map(str) != plan.loc[~targeted, "forget_ids"].map(str)).all()
    assert (other["retain_ids"].map(str) != plan["retain_ids"].map(str)).all()


def _better(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    scores = tables["scores"]
    return {**tables, "scores": scores.assign(score=scores["score"].mask(scores["doc_id"] == "games-faq-00", 9.0))}


def _longer(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {**tables, "documents": tables["documents"].assign(length=tables["documents"]["length"] + 1)}


@pytest.mark.parametrize(
    ("change", "settings"), [(_better, {}), (_longer, {}), (dict, {"steps": 24}), (dict, {"retain_per_topic": 5})]
)
def test_a_digest_changes_with_what_the_run_does(
    tables: dict[str, pd.DataFrame],
    plan: pd.DataFrame,
    change: Callable[[dict[str, pd.DataFrame]], dict[str, pd.DataFrame]],
    settings: dict[str, Any],
) -> None:
    after = plan_of(change(tables), **settings)
    assert after["run_id"].tolist() == plan["run_id"].tolist()
    assert after["digest"][0] != plan["digest"][0]
    assert plan["digest"].is_unique


def test_a_large_pool_is_thinned_and_keeps_the_targeted_documents(
    tables: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "POOL_LIMIT", 40)
    settings = SETTINGS.model_copy(update={"random_sets": 5})
    for contrast in choose_contrasts(**tables, settings=settings):
        assert len(contrast.pool.ids) == 40
        assert set(contrast.targeted) <= set(contrast.pool.ids)
        assert all(set(control) <= set(contrast.pool.ids) for control in contrast.controls)
    assert plan_of(tables).equals(plan_of(tables))


@pytest.mark.parametrize("asked", [PER_BIN * 3, PER_BIN * 3 + 5])
def test_a_topic_too_small_to_tell_its_sets_apart_is_refused(tables: dict[str, pd.DataFrame], asked: int) -> None:
    said = rf"topic games has 60 documents and unlearning\.forget_documents is {asked}: lower it"
    with pytest.raises(UnlearningError, match=said):
        plan_of(tables, forget_documents=asked)


def test_a_corpus_too_small_for_global_sets_is_refused(tables: dict[str, pd.DataFrame]) -> None:
    few = tables["documents"].groupby("topic").head(2)
    with pytest.raises(UnlearningError, match=r"the working set has 8 documents and unlearning\.forget_documents is 8"):
        choose_contrasts(
            tables["scores"], tables["topics"].assign(z=float("nan")), few, SETTINGS.model_copy(update={"topics": 1})
        )


def test_a_corpus_of_one_topic_is_refused(tables: dict[str, pd.DataFrame]) -> None:
    documents = tables["documents"][tables["documents"]["topic"] == "games"]
    with pytest.raises(UnlearningError, match="no document outside topic games is left to retain"):
        plan_of({**tables, "documents": documents})


def test_a_corpus_that_its_sets_use_up_is_refused(tables: dict[str, pd.DataFrame]) -> None:
    documents = tables["documents"].groupby("topic").head(3)  # 12 documents, and 20 sets of 8
    nothing = tables["topics"].assign(z=float("nan"))
    with pytest.raises(UnlearningError, match="no document is left to retain: give more documents, or forget"):
        plan_of({**tables, "documents": documents, "topics": nothing}, global_sets=20)


@pytest.mark.parametrize("forgotten", [2, 8, 9])
@pytest.mark.parametrize("sizes", [(9,), (3, 3), (8, 8), (9, 8), (9, 3, 3, 3), (9, 9, 9, 9)])
def test_only_what_no_ranking_of_topics_could_plan_is_refused_early(sizes: tuple[int, ...], forgotten: int) -> None:
    documents = pd.DataFrame(
        [
            {"doc_id": f"{topic}-{number}", "topic": topic, "format": FORMATS[number % 3], "length": 50 + number}
            for topic, size in zip(TOPICS, sizes, strict=False)
            for number in range(size)
        ]
    )
    rng = np.random.default_rng(0)
    drawn = {"score": rng.normal(size=len(documents)), "grad_norm": rng.lognormal(size=len(documents))}
    scores = documents[["doc_id"]].assign(benchmark="social", loss=4.0, **drawn)
    settings = SETTINGS.model_copy(update={"forget_documents": forgotten, "random_sets": 1, "global_sets": 0})

    def planned(leading: str) -> bool:
        topics = pd.DataFrame([{"benchmark": "social", "topic": leading, "z": 2.0}])
        try:
            return bool(choose_contrasts(scores, topics, documents, settings))
        except UnlearningError:
            return False

    own = documents.groupby("topic").size().to_dict()
    if any(planned(topic) for topic in own):
        refuse_small_topics(own, settings)
        return
    with pytest.raises(UnlearningError, match=r"(lower it, or raise|give documents of other topics)"):
        refuse_small_topics(own, settings)


def test_topics_too_small_to_forget_are_counted_in_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    refuse_small_topics({"games": 9, "health": 8, "art": 2}, SETTINGS)
    assert (
        "2 of 3 topics, such as art with 2 documents, have no more than unlearning.forget_documents (8)" in caplog.text
    )
    caplog.clear()
    refuse_small_topics({"games": 9, "health": 9}, SETTINGS)
    assert not caplog.text
