"""Published tables: z comes back exactly (ddof 1), the order of lines is nothing, and every fault is named.

The laws are pinned on a made file; where the authors' files are there, on them too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.datasets.reference import ReferenceFolder
from social_provenance.errors import LabelError, ProvenanceError, ReferenceFileError
from social_provenance.estimation.comparison.reference import (
    COLUMNS,
    FILE_COLUMNS,
    Published,
    read_reference,
    standardise,
)
from social_provenance.estimation.comparison.side_by_side import BIN, topic_means
from social_provenance.regions.grid import BINS, FORMAT_NAMES, TOPIC_NAMES

QUIZ = Path("bins/quiz.csv")


def study(*names: str) -> Evaluation:
    places: list[tuple[Any, Any]] = [("social", "reasoning"), ("stem", "reasoning"), ("social", "knowledge")]
    places.append(("stem", "knowledge"))
    rows = [Benchmark(name=name, domain=d, level=e, task="t.yaml") for name, (d, e) in zip(names, places, strict=False)]
    return Evaluation(benchmarks=rows)


def file(seed: int = 0) -> pd.DataFrame:
    """Return the cells of a made file, z by numpy's own standard deviation."""
    values = np.random.default_rng(seed).normal(2e-6, 1e-5, len(BINS))
    z = (values - values.mean()) / values.std(ddof=1)
    rows = [
        (topic, form, repr(float(value)), repr(float(own)), "10000")
        for (topic, form), value, own in zip(BINS, values, z, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(FILE_COLUMNS))


def read(cells: pd.DataFrame) -> Any:
    return read_reference({QUIZ: cells}, Published(), study("quiz"))


def test_z_is_the_files_own() -> None:
    cells = file()
    found = read(cells)
    assert list(found) == COLUMNS
    np.testing.assert_allclose(found["z"], cells["zscore"].astype(float), rtol=0, atol=1e-12)
    assert found["z"].mean() == pytest.approx(0, abs=1e-12)
    assert found["z"].std(ddof=1) == pytest.approx(1)
    assert list(found[BIN].itertuples(index=False, name=None)) == list(BINS)


def test_z_of_the_authors_files_comes_back(shared_data: Path) -> None:
    files = ReferenceFolder(path=str(shared_data / "published_bins")).load()
    names = ["socialiqa", "arc_challenge", "mmlu_social_sciences", "mmlu_stem"]
    found = read_reference(files, Published(), study(*names))
    assert list(found["benchmark"].unique()) == names
    for path, cells in (files or {}).items():
        own = found[found["benchmark"] == path.stem].set_index(BIN)
        theirs = cells.set_index(["topic_label", "format_label"]).astype(float)
        np.testing.assert_allclose(own["z"], theirs["zscore"].loc[list(BINS)], rtol=0, atol=1e-9)
        assert own["potency"].tolist() == theirs["mean_score"].loc[list(BINS)].tolist()


def test_one_bin_carries_literature_on_the_authors_social_iqa(shared_data: Path) -> None:
    files = ReferenceFolder(path=str(shared_data / "published_bins")).load() or {}
    own = {path: cells for path, cells in files.items() if path.stem == "socialiqa"}
    found = topic_means(read_reference(own, Published(), study("socialiqa")).assign(source="published"))
    row = found.set_index("topic").loc["literature"]
    assert row["extreme_format"] == "customer_support"
    assert [row["z"], row["without_extreme"], row["extreme_value"]] == pytest.approx([0.58, -0.09, 16.0], abs=0.005)


def test_the_order_of_lines_changes_nothing() -> None:
    cells = file()
    pd.testing.assert_frame_equal(read(cells.sample(frac=1, random_state=3)), read(cells), check_exact=True)


def test_any_spelling_of_a_label_is_known() -> None:
    cells = file()
    spelled = cells.assign(
        topic_label=cells["topic_label"].map(TOPIC_NAMES), format_label=cells["format_label"].map(FORMAT_NAMES)
    )
    pd.testing.assert_frame_equal(read(spelled), read(cells))


def test_constant_scores_have_no_z() -> None:
    assert standardise(pd.Series([0.25] * 4)).tolist() == [0.0] * 4


def test_without_files_the_table_is_empty() -> None:
    found = read_reference(None, Published(), study("quiz"))
    assert list(found) == COLUMNS
    assert found.empty


def test_a_file_is_of_the_benchmark_that_it_is_mapped_to_or_named_after() -> None:
    files = {QUIZ: file(0), Path("bins/other.csv"): file(1)}
    named = Published(benchmarks={"other": "puzzle", "quiz": "gone"})
    found = read_reference(files, named, study("puzzle", "quiz", "third"))
    assert list(found["benchmark"].unique()) == ["puzzle", "quiz"]  # in the study's order
    own = found[found["benchmark"] == "puzzle"]["potency"]
    assert own.tolist() == file(1)["mean_score"].astype(float).tolist()


@pytest.mark.parametrize("env", ["base", "test", "webpages", "olmo3"])
def test_the_authors_names_fit_every_environment(env: str, request: pytest.FixtureRequest) -> None:
    from social_provenance import settings

    conf = str(request.config.rootpath / "conf")
    loader = settings.CONFIG_LOADER_CLASS(conf, env=env, **settings.CONFIG_LOADER_ARGS)
    given = loader["parameters"]
    evaluation = Evaluation.model_validate(given["evaluation"])
    places = {"socialiqa": ("social", "reasoning"), "arc_challenge": ("stem", "reasoning")}
    places |= {"mmlu_social_sciences": ("social", "knowledge"), "mmlu_stem": ("stem", "knowledge")}
    for stem, place in places.items():
        found = read_reference({Path(f"{stem}.csv"): file()}, Published.model_validate(given["published"]), evaluation)
        (name,) = found["benchmark"].unique()
        assert name in evaluation.cell(*place)  # type: ignore[arg-type]


def with_cell(line: int, column: str, value: str) -> pd.DataFrame:
    cells = file()
    cells.loc[line - 2, column] = value
    return cells


def twice() -> pd.DataFrame:
    cells = file()
    return pd.concat([cells, cells.iloc[[5]]], ignore_index=True)


@pytest.mark.parametrize(
    ("cells", "kind", "pieces"),
    [
        (
            file().drop(index=3),
            ReferenceFileError,
            ["adult_content/audio_transcript", "is missing (1 of 576 are)", "add its"],
        ),
        (file().iloc[:0], ReferenceFileError, ["adult_content/about_org", "is missing (576 of 576 are)"]),
        (with_cell(4, "topic_label", "Sciense"), LabelError, ["line 4", "unknown topic label 'Sciense'"]),
        (with_cell(9, "format_label", "essay"), LabelError, ["line 9", "unknown format label 'essay'"]),
        (twice(), ReferenceFileError, ["'adult_content/content_listing'", "line 7 and again in line 578", "leave one"]),
        (
            with_cell(3, "mean_score", "nan"),
            ReferenceFileError,
            ["line 3: mean_score 'nan'", "finite", "fix that line"],
        ),
        (
            with_cell(3, "mean_score", "-inf"),
            ReferenceFileError,
            ["line 3: mean_score '-inf'", "finite", "fix that line"],
        ),
        (with_cell(3, "mean_score", ""), ReferenceFileError, ["line 3: mean_score ''", "finite", "fix that line"]),
        (with_cell(3, "zscore", "high"), ReferenceFileError, ["line 3: zscore 'high'", "finite", "fix that line"]),
        (with_cell(3, "doc_count", "0"), ReferenceFileError, ["line 3: doc_count '0'", "1 or more", "fix that line"]),
        (with_cell(3, "doc_count", "2.5"), ReferenceFileError, ["line 3: doc_count '2.5'", "whole", "fix that line"]),
        (with_cell(3, "zscore", "40"), ReferenceFileError, ["zscore 40 of bin 'adult_content/about_pers'", "ddof 1"]),
        (
            file().rename(columns={"zscore": "z_score"}),
            ReferenceFileError,
            ["no column 'zscore'", "did you mean 'z_score'?", "name its columns"],
        ),
        (file().drop(columns="doc_count"), ReferenceFileError, ["no column 'doc_count'", "name its columns"]),
    ],
)
def test_a_fault_is_named_with_file_value_and_fix(
    cells: pd.DataFrame, kind: type[Exception], pieces: list[str]
) -> None:
    with pytest.raises(kind) as error:
        read(cells)
    said = str(error.value)
    assert "\n" not in said
    for piece in [str(QUIZ), *pieces]:
        assert piece in said


def test_z_of_another_ddof_is_refused() -> None:
    cells = file()
    outlying = cells["mean_score"].astype(float)
    outlying[7] = 4e-4  # as extreme as real maps are
    cells["mean_score"] = outlying.map(repr)
    cells["zscore"] = ((outlying - outlying.mean()) / outlying.std(ddof=0)).map(repr)
    with pytest.raises(ReferenceFileError, match="ddof 1"):
        read(cells)


def test_a_file_of_no_benchmark_is_named() -> None:
    with pytest.raises(ReferenceFileError, match=r"quiz\.csv: 'quiz' is no benchmark .* puzzle: .*quiz=BENCHMARK"):
        read_reference({QUIZ: file()}, Published(), study("puzzle"))
    with pytest.raises(ReferenceFileError, match=re.escape("nor is 'gone', which published.benchmarks gives it")):
        read_reference({QUIZ: file()}, Published(benchmarks={"quiz": "gone"}), study("puzzle"))


def test_two_files_of_one_benchmark_are_named() -> None:
    files = {QUIZ: file(), Path("bins/other.csv"): file()}
    with pytest.raises(ProvenanceError, match=r"quiz\.csv and other\.csv are both of benchmark 'quiz'"):
        read_reference(files, Published(benchmarks={"other": "quiz"}), study("quiz"))
