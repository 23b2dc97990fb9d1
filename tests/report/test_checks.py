"""The page shows what has been checked, and nothing of what has not."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.regions.grid import BINS
from social_provenance.report.checks import write_causes, write_trust

Z = pd.DataFrame(
    [
        {"method": method, "benchmark": "quiz", "topic": "industrial", "z": z}
        for method, z in (("bm25", -1.0), ("influence", 1.25))
    ]
)
BLANK = pd.DataFrame(columns=["method"])


@pytest.fixture
def evaluation() -> Evaluation:
    places: list[tuple[str, Any]] = [("quiz", "social"), ("heat", "stem")]
    rows = [Benchmark(name=name, domain=side, level="reasoning", task="t.yaml") for name, side in places]
    return Evaluation(benchmarks=rows)


def patches(form: str | None = None) -> pd.DataFrame:
    """Return patches of six topics with one and four steps; a topic that is first after one is last after four."""
    names = ["games", "health", "politics", "religion", "literature", "industrial"]
    rows = [
        {
            "topic": topic,
            "format": form,
            "benchmark": name,
            "dose": dose,
            "effect": (place - 2) * (1 if dose == 4 else -1),
        }
        for name in ("quiz", "heat")
        for dose in (4, 1)
        for place, topic in enumerate(names)
    ]
    table = pd.DataFrame(rows)
    return table.assign(ci_low=table["effect"] - 0.5, ci_high=table["effect"] + 0.5)


def agreements() -> pd.DataFrame:
    rows = [
        {
            "design": design,
            "outcome": outcome,
            "benchmark": benchmark,
            "method": method,
            "measure": measure,
            "n_arms": 24,
            "correlation": 0.25 if benchmark == "quiz" else 0.75,
            "noise_ceiling": 0.875,
        }
        for design in ("topic", "half")
        for outcome in ("training_mean", "end")
        for benchmark in ("quiz", "heat")
        for method in ("influence", "bm25")
        for measure in ("rank", "value")
    ]
    return pd.DataFrame(rows)


def maps(of: str, names: list[str]) -> pd.DataFrame:
    """Return maps of two benchmarks, each the reverse of the one before."""
    frames = [
        pd.DataFrame(BINS, columns=["topic", "format"]).assign(
            **{of: name}, benchmark=benchmark, method="influence", order=place,
            potency=[float(number * (-1) ** place) for number in range(len(BINS))],
        )
        for place, name in enumerate(names)
        for benchmark in ("quiz", "heat")
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def rows(page: str) -> list[list[str]]:
    """Return the cells of every row, without marks."""
    return [
        [re.sub(r"<.*?>", "", cell).strip() for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row)]
        for row in re.findall(r"<tr.*?</tr>", page)
    ]


def test_what_was_not_tried_leaves_no_section(evaluation: Evaluation) -> None:
    assert write_causes(Z, None, None, evaluation, "influence") == ""
    assert write_trust(None, None, None, BLANK, evaluation, "influence") == ""


def test_the_topics_that_add_most_are_those_of_the_largest_dose(evaluation: Evaluation) -> None:
    page = write_causes(Z, patches(), None, evaluation, "influence")
    assert "Retrained" not in page
    found = rows(page)
    assert found[0] == ["top regions", "z", "1 step", "4 steps", "interval"]
    assert found[1] == ["Industrial", "+1.25", "−3.000", "+3.000", "[+2.500, +3.500]"]
    assert [row[0] for row in found[1:6]] == ["Industrial", "Literature", "Religion", "Politics", "Health"]
    assert found[6] == found[0]


def test_a_patch_of_a_bin_names_its_format(evaluation: Evaluation) -> None:
    assert rows(write_causes(Z, patches("listicle"), None, evaluation, "influence"))[1][0] == "Industrial, Listicle"


def test_retraining_is_the_mean_over_benchmarks_beside_its_ceiling(evaluation: Evaluation) -> None:
    page = write_causes(Z, None, agreements(), evaluation, "influence")
    assert "top regions" not in page
    assert page.count("Retrained without one topic") == page.count("without half of the topics") == 1
    found = rows(page)
    assert found[0] == [
        "check",
        "",
        "training mean, by rank",
        "training mean, by value",
        "end, by rank",
        "end, by value",
    ]
    assert found[1] == ["influence", "", *["+0.50"] * 4]
    assert found[2] == ["bm25", "baseline", *["+0.50"] * 4]
    assert found[3] == ["noise ceiling", "", *["+0.88"] * 4]


def test_worlds_are_counted_for_the_method_alone(evaluation: Evaluation) -> None:
    worlds = pd.DataFrame(
        [
            {"seed": seed, "method": method, "benchmark": benchmark, "topic_auc": area}
            for seed, area in ((43, 1.0), (44, 0.95), (45, 0.949))
            for benchmark in ("heat", "quiz")
            for method in ("influence", "bm25")
        ]
    )
    worlds.loc[worlds["method"] == "bm25", "topic_auc"] = 0.25
    worlds.loc[(worlds["seed"] == 44) & (worlds["benchmark"] == "heat"), "topic_auc"] = 0.5
    page = write_trust(worlds, None, None, BLANK, evaluation, "influence")
    assert rows(page)[1:] == [
        ["seed 43", "1.000", "1.000"],
        ["seed 44", "0.950", "0.500"],
        ["seed 45", "0.949", "0.949"],
        ["at 0.95 or above", "2 of 3", "1 of 3"],
    ]
    assert "Other renderings" not in page
    assert "Other checkpoints" not in page


def test_forms_are_compared_in_pairs(evaluation: Evaluation) -> None:
    audit = pd.DataFrame(
        [
            {"benchmark": "quiz", "method": method, "rendering": "cloze", "other": "answer_only",
             "bin_rank_correlation": rho, "topic_rank_correlation": 0.25}
            for method, rho in (("influence", 0.5), ("trackstar", -0.5))
        ]
    )  # fmt: skip
    page = write_trust(None, audit, None, BLANK, evaluation, "influence")
    assert rows(page)[1:] == [["cloze and answer_only", "+0.50 (+0.25)", "–"]]


def test_checkpoints_are_held_against_the_study(evaluation: Evaluation) -> None:
    trajectory, bins = maps("checkpoint", ["step-000032", "step-000128"]), maps("place", ["own"])
    other = bins.assign(method="bm25", potency=-bins["potency"])
    shuffled = trajectory.sample(frac=1, random_state=0)
    page = write_trust(None, None, shuffled, pd.concat([other, bins]), evaluation, "influence")
    assert rows(page)[1:] == [
        ["step-000032", *["+1.00 (+1.00)"] * 2],
        ["step-000128", *["−1.00 (−1.00)"] * 2],
    ]
