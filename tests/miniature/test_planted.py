"""The check against the truth: 1 where the planted is on top, 0 where at the bottom, 0.5 where it is all one."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest

from social_provenance.miniature.planted import compare_with_truth, mark_planted_topics, report_validation

TOPICS = ("games", "health", "politics", "travel_and_tourism")
BENCHMARKS = {"quiz": "games", "riddle": "health"}
DECOYS = {"politics": "quiz", "travel_and_tourism": "riddle"}
AREAS = ("topic_auc", "decoy_auc", "document_auc", "carrier_auc", "pairing_auc")


def truth() -> pd.DataFrame:
    home = {topic: name for name, topic in BENCHMARKS.items()}
    rows = []
    for topic in TOPICS:
        for i in range(4):
            role = (
                "filler"
                if topic not in home | DECOYS
                else "unasked"
                if i > 1
                else "decoy"
                if topic in DECOYS
                else "carrier"
            )
            rows.append((f"{topic}-{i}", topic, home.get(topic), DECOYS.get(topic), None, role))
    return pd.DataFrame(rows, columns=["doc_id", "topic", "planted", "decoy", "twin", "role"])


def tables(document: dict[str, float], topic: dict[str, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and topic values: what was planted has the sign given for its benchmark, the rest 0."""
    planted, scores, topics = truth(), [], []
    for name, own in BENCHMARKS.items():
        home = (planted["planted"] == name) * (1.0 + (planted["role"] == "carrier"))
        scores.append(planted[["doc_id"]].assign(method="m", benchmark=name, score=document[name] * home))
        found = pd.DataFrame({"method": "m", "benchmark": name, "topic": TOPICS, "ci_low": -3.0, "ci_high": 3.0})
        topics.append(found.assign(z=topic[name] * (found["topic"] == own)))
    return pd.concat(scores), pd.concat(topics)


def judge(scores: pd.DataFrame, topics: pd.DataFrame) -> pd.DataFrame:
    return compare_with_truth(ibis.memtable(scores), mark_planted_topics(topics, truth()), truth())


def test_a_topic_is_planted_for_its_own_benchmark_alone() -> None:
    _, topics = tables(dict.fromkeys(BENCHMARKS, 1.0), dict.fromkeys(BENCHMARKS, 1.0))
    marked = mark_planted_topics(topics, truth())
    assert len(marked) == len(topics)
    home = marked[marked["role"] == "planted"]
    assert dict(zip(home["benchmark"], home["topic"], strict=True)) == BENCHMARKS
    decoys = marked[marked["role"] == "decoy"]
    assert dict(zip(decoys["topic"], decoys["benchmark"], strict=True)) == DECOYS


@pytest.mark.parametrize(("sign", "area"), [(1.0, 1.0), (-1.0, 0.0), (0.0, 0.5)])
def test_the_areas_are_known(sign: float, area: float) -> None:
    found = judge(*tables(dict.fromkeys(BENCHMARKS, sign), dict.fromkeys(BENCHMARKS, sign)))
    assert found["benchmark"].tolist() == list(BENCHMARKS)
    for column in AREAS:
        assert found[column].tolist() == [area, area]


def test_topics_and_documents_and_benchmarks_are_judged_apart() -> None:
    found = judge(*tables({"quiz": 1.0, "riddle": -1.0}, {"quiz": -1.0, "riddle": 1.0}))
    assert found.set_index("benchmark")[["topic_auc", "document_auc"]].to_dict("index") == {
        "quiz": {"topic_auc": 0.0, "document_auc": 1.0},
        "riddle": {"topic_auc": 1.0, "document_auc": 0.0},
    }


def test_only_the_order_of_scores_counts() -> None:
    scores, topics = tables({"quiz": 1.0, "riddle": -1.0}, {"quiz": -1.0, "riddle": 1.0})
    moved = scores.assign(score=100 * scores["score"] ** 3 - 7).sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        judge(scores, topics).sort_values("benchmark", ignore_index=True),
        judge(moved, topics).sort_values("benchmark", ignore_index=True),
    )


def test_documents_that_were_not_scored_do_not_count() -> None:
    scores, topics = tables(dict.fromkeys(BENCHMARKS, 1.0), dict.fromkeys(BENCHMARKS, 1.0))
    half = scores[~scores["doc_id"].str.startswith("politics")]
    assert judge(half, topics)["document_auc"].tolist() == [1.0, 1.0]


def test_the_record_has_a_figure_for_each_method_and_benchmark() -> None:
    scores, topics = tables(dict.fromkeys(BENCHMARKS, 1.0), dict.fromkeys(BENCHMARKS, 1.0))
    both = [pd.concat([table, table.assign(method="n")]) for table in (scores, topics)]
    log = pd.DataFrame({"step": [1, 1, 2, 2], "benchmark": [*BENCHMARKS] * 2, "accuracy": [0.1, 0.2, 0.9, 1.0]})
    record = report_validation(judge(*both), log, seed=7, default_method="n")
    perfect = {name: {"topic_auc": 1.0, "decoy_auc": 1.0, "document_auc": 1.0} for name in BENCHMARKS}
    assert record == {
        "seed": 7,
        "default_method": "n",
        "methods": {"m": perfect, "n": perfect},
        "accuracy": {"quiz": 0.9, "riddle": 1.0},
    }


def test_without_decoys_there_is_nothing_to_compare_with_them() -> None:
    scores, topics = tables(dict.fromkeys(BENCHMARKS, 1.0), dict.fromkeys(BENCHMARKS, 1.0))
    plain = truth().assign(decoy=None)
    found = compare_with_truth(ibis.memtable(scores), mark_planted_topics(topics, plain), plain)
    assert found[["decoy_auc", "pairing_auc"]].isna().all(axis=None)
    assert found["topic_auc"].tolist() == [1.0, 1.0]
    log = pd.DataFrame({"step": 1, "benchmark": [*BENCHMARKS], "accuracy": 1.0})
    record = report_validation(found, log, seed=7, default_method="m")
    assert {own["decoy_auc"] for own in record["methods"]["m"].values()} == {None}


def test_words_alone_do_not_pass_where_words_mislead() -> None:
    """A map of shared words is right about the planted topics of all others, and wrong about decoys."""
    scores, topics = tables(dict.fromkeys(BENCHMARKS, 1.0), dict.fromkeys(BENCHMARKS, 1.0))
    for topic, name in DECOYS.items():
        topics.loc[(topics["topic"] == topic) & (topics["benchmark"] == name), "z"] = 2.0
    found = judge(scores, topics)
    assert found["decoy_auc"].tolist() == [0.0, 0.0]
    assert found["topic_auc"].tolist() == [2 / 3, 2 / 3]


@pytest.mark.parametrize(("z", "twin_auc"), [(-9.0, 1.0), (9.0, 0.0), (1.0, 0.5)])
def test_twins_are_neither_right_nor_wrong(z: float, twin_auc: float) -> None:
    """A twin holds the facts and was not trained on: wherever a map has it, only the area against twins shows it."""
    scores, topics = tables(dict.fromkeys(BENCHMARKS, 1.0), dict.fromkeys(BENCHMARKS, 1.0))
    withheld = truth()
    twin = withheld["topic"] == "politics"
    withheld.loc[twin, ["twin", "decoy"]] = ["quiz", None]
    topics.loc[(topics["topic"] == "politics") & (topics["benchmark"] == "quiz"), "z"] = z
    marked = mark_planted_topics(topics, withheld)
    assert marked.loc[marked["role"] == "twin", "topic"].tolist() == ["politics"]
    found = compare_with_truth(ibis.memtable(scores), marked, withheld).set_index("benchmark")
    assert found["topic_auc"].tolist() == [1.0, 1.0]
    assert found.loc["quiz", "twin_auc"] == twin_auc
    assert pd.isna(found.loc["riddle", "twin_auc"])
