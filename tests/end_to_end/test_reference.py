"""A study without a published map, and the same one with it: only the comparison and the report change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from social_provenance.regions.grid import BINS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = ("bins", "topics", "contrasts", "signatures", "similarity", "agreement")


def tables(root: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(root / f"08_reporting/reference_{name}.parquet") for name in NAMES}


def write_map(path: Path, own: pd.DataFrame) -> None:
    """Write the map of a method as if others had published it."""
    values = own.set_index(["topic", "format"])["potency"].loc[list(BINS)]
    z = (values - values.mean()) / values.std(ddof=1)
    table = pd.DataFrame({"mean_score": values, "zscore": z, "doc_count": 10000}).reset_index()
    table.rename(columns={"topic": "topic_label", "format": "format_label"}).to_csv(path, index=False)


def test_methods_are_compared_and_no_reference_leaves_empty_tables(test_study: Path) -> None:
    agreement = pd.read_parquet(test_study / "08_reporting/method_agreement.parquet")
    assert agreement.groupby("benchmark").size().tolist() == [8 * 7 // 2] * 4
    assert all(table.empty for table in tables(test_study).values())
    assert "No published map was given" in (test_study / "08_reporting/report.html").read_text()


def test_a_study_agrees_with_itself_as_published(test_study: Path, tmp_path: Path, kedro: Callable[..., Any]) -> None:
    root, published = shutil.copytree(test_study, tmp_path / "data"), tmp_path / "published"
    published.mkdir()
    bins = pd.read_parquet(root / "08_reporting/bin_influence.parquet").query("method == 'influence'")
    write_map(published / "socialiqa.csv", bins.query("benchmark == 'social_reasoning'"))
    write_map(published / "heat.csv", bins.query("benchmark == 'stem_reasoning'"))
    places = f"root={root},reference={published},published.benchmarks.heat=stem_reasoning"
    ended = kedro("run", "--env", "test", "--pipelines", "aggregation,reporting", "--params", places)
    assert ended.returncode == 0, ended.stderr[-3000:]

    found = tables(root)
    assert set(found["bins"]["benchmark"]) == {"social_reasoning", "stem_reasoning"}
    own = found["agreement"].set_index("method")
    np.testing.assert_allclose(own.loc["influence", "bin_correlation"], 1)
    assert (own.loc["influence", "shared_top_bins"] == 1).all()
    assert (own.loc["length", "bin_correlation"] < 0.99).all()
    contrasts = found["contrasts"].set_index(["source", "topic"])["difference"].unstack("source")
    np.testing.assert_allclose(contrasts["published"], contrasts["influence"], atol=1e-6)
    assert set(found["contrasts"]["kind"]) == {"reasoning"}
    report = (root / "08_reporting/report.html").read_text()
    assert "No published map was given" not in report
    assert "change sign without it" in report


def test_a_file_that_is_not_whole_ends_the_run_with_one_line(
    test_study: Path, tmp_path: Path, kedro: Callable[..., Any]
) -> None:
    root, published = shutil.copytree(test_study, tmp_path / "data"), tmp_path / "published"
    published.mkdir()
    (published / "socialiqa.csv").write_text("topic_label,format_label,mean_score,zscore\ngames,faq,1,0\n")
    places = f"root={root},reference={published}"
    ended = kedro("run", "--env", "test", "--from-nodes", "read_reference", "--params", places)
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "socialiqa.csv: no column 'doc_count'" in last
    assert "Traceback" not in ended.stderr
