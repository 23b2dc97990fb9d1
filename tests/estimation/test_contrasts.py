"""Social minus STEM: antisymmetric, paired by document, nought where both sides are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.estimation.aggregate import aggregate
from social_provenance.estimation.contrasts import COLUMNS, contrast, design
from social_provenance.estimation.settings import Bootstrap
from social_provenance.regions.grid import BINS, FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from social_provenance.estimation.influence import Influence

    Tables = Callable[..., tuple[Any, Any, Any]]

SETTINGS = Bootstrap(replicates=60)
SOME_BINS = BINS[::7]


def _evaluation(**domains: str) -> Evaluation:
    cells = {name: domain.split("/") for name, domain in domains.items()}
    return Evaluation(
        benchmarks=[
            Benchmark.model_validate({"name": name, "domain": domain, "level": level, "task": "t.yaml"})
            for name, (domain, level) in cells.items()
        ]
    )


def _influence(tables: Tables, names: str, noise: float = 1.0) -> Influence:
    """Return an influence with three documents in some bins; the benchmarks share part of their scores."""
    rng = np.random.default_rng(0)
    shared = {bin_: rng.normal(size=3) for bin_ in SOME_BINS}
    return aggregate(
        *tables({name: {bin_: shared[bin_] + noise * rng.normal(size=3) for bin_ in SOME_BINS} for name in names}),
        SETTINGS,
    )


def test_swapping_the_domains_turns_every_sign(tables: Tables) -> None:
    influence = _influence(tables, "ab")
    one = contrast(influence, _evaluation(a="social/reasoning", b="stem/reasoning"))
    other = contrast(influence, _evaluation(a="stem/reasoning", b="social/reasoning"))
    np.testing.assert_allclose(one["difference"], -other["difference"])
    np.testing.assert_allclose(one["ci_low"], -other["ci_high"])
    np.testing.assert_allclose(one["ci_high"], -other["ci_low"])


def test_the_difference_is_social_minus_stem(tables: Tables) -> None:
    influence = _influence(tables, "ab")
    table = contrast(influence, _evaluation(a="social/reasoning", b="stem/reasoning"))
    z = influence.bins().pivot(index=["topic", "format"], columns="benchmark", values="z")
    bins = table[table["axis"] == "bin"].set_index(["topic", "format"])["difference"]
    np.testing.assert_allclose(bins.loc[list(BINS)], (z["a"] - z["b"]).loc[list(BINS)])
    topics = influence.marginal("topic").pivot(index="topic", columns="benchmark", values="z")
    means = table[table["axis"] == "topic"].set_index("topic")["difference"]
    np.testing.assert_allclose(means.loc[list(TOPICS)], (topics["a"] - topics["b"]).loc[list(TOPICS)])


@pytest.mark.parametrize(("social", "stem"), [("a", "bc"), ("ab", "c"), ("ab", "cde"), ("abc", "de")])
def test_several_benchmarks_of_a_domain_count_as_their_mean(tables: Tables, social: str, stem: str) -> None:
    influence = _influence(tables, "abcde")
    every = dict.fromkeys(social, "social/reasoning") | dict.fromkeys(stem, "stem/reasoning")
    pairs = [
        contrast(influence, _evaluation(**{one: "social/reasoning", other: "stem/reasoning"}))["difference"]
        for one in social
        for other in stem
    ]
    np.testing.assert_allclose(contrast(influence, _evaluation(**every))["difference"], np.mean(pairs, axis=0))


def test_weights_of_a_contrast_are_a_mean_of_social_less_a_mean_of_stem_benchmarks_under_one_method() -> None:
    cells = {"a": "social/reasoning", "b": "stem/reasoning", "c": "stem/reasoning", "d": "stem/knowledge"}
    cells |= dict.fromkeys("efg", "social/knowledge")
    columns = [(name, method) for method in ("one", "other") for name in cells]
    plan = design(columns, _evaluation(**cells))
    assert plan.names == [(kind, method) for kind in ("reasoning", "knowledge") for method in ("one", "other")]
    for (kind, method), weights in zip(plan.names, plan.weights.T, strict=True):
        for domain, sign in (("social", 1), ("stem", -1)):
            own = [used == method and cells[name] == f"{domain}/{kind}" for name, used in columns]
            np.testing.assert_allclose(weights[own], sign / sum(own))
        assert not weights[[used != method or not cells[name].endswith(kind) for name, used in columns]].any()


def test_draws_are_paired_so_that_what_benchmarks_share_cancels(tables: Tables) -> None:
    evaluation = _evaluation(a="social/reasoning", b="stem/reasoning")
    shared = contrast(_influence(tables, "ab", noise=1e-9), evaluation).dropna(subset=["ci_low"])
    assert len(shared) > len(SOME_BINS)
    np.testing.assert_allclose(shared[["difference", "ci_low", "ci_high"]], 0, atol=1e-6)
    apart = contrast(_influence(tables, "ab", noise=1.0), evaluation).dropna(subset=["ci_low"])
    assert (apart["ci_high"] - apart["ci_low"]).min() > 1e-3


def test_constant_scores_have_no_contrast_and_no_width(tables: Tables) -> None:
    values = {"a": 0.1, "b": 0.7}
    influence = aggregate(
        *tables({name: {bin_: [own] * 3 for bin_ in SOME_BINS} for name, own in values.items()}), SETTINGS
    )
    table = contrast(influence, _evaluation(a="social/reasoning", b="stem/reasoning")).dropna(subset="difference")
    assert len(table) > len(SOME_BINS)
    assert (table[["difference", "se", "ci_low", "ci_high"]] == 0).all(axis=None)


def test_a_bin_of_one_document_has_a_difference_and_no_interval(tables: Tables) -> None:
    rng = np.random.default_rng(0)
    sizes = {bin_: 1 + place % 2 for place, bin_ in enumerate(SOME_BINS)}
    influence = aggregate(*tables({name: {b: rng.normal(size=n) for b, n in sizes.items()} for name in "ab"}), SETTINGS)
    table = contrast(influence, _evaluation(a="social/reasoning", b="stem/reasoning")).set_index(["topic", "format"])
    for size, known in ((1, False), (2, True)):
        rows = table.loc[[bin_ for bin_, own in sizes.items() if own == size]]
        assert rows["difference"].notna().all()
        assert (rows[["se", "ci_low", "ci_high"]].notna() == known).all(axis=None)


def test_levels_are_apart_and_one_without_both_sides_has_no_rows(tables: Tables) -> None:
    influence = _influence(tables, "abcd")
    full = contrast(
        influence, _evaluation(a="social/reasoning", b="stem/reasoning", c="social/knowledge", d="stem/knowledge")
    )
    assert set(full["kind"]) == {"reasoning", "knowledge"}
    part = contrast(influence, _evaluation(a="social/reasoning", b="stem/reasoning", c="social/knowledge"))
    assert set(part["kind"]) == {"reasoning"}
    assert part.reset_index(drop=True).equals(full[full["kind"] == "reasoning"].reset_index(drop=True))


def test_without_both_domains_the_table_is_empty_and_has_its_columns(tables: Tables) -> None:
    table = contrast(_influence(tables, "a"), _evaluation(a="social/reasoning"))
    assert table.empty
    assert list(table) == COLUMNS


@pytest.mark.parametrize(("axis", "rows"), [("bin", len(BINS)), ("topic", len(TOPICS)), ("format", len(FORMATS))])
def test_every_region_has_a_row_empty_ones_too(tables: Tables, axis: str, rows: int) -> None:
    table = contrast(_influence(tables, "ab"), _evaluation(a="social/reasoning", b="stem/reasoning"))
    own = table[table["axis"] == axis]
    assert len(own) == rows
    assert own["topic"].isna().all() == (axis == "format")
    assert own["format"].isna().all() == (axis == "topic")
