"""Costs of stages that see the whole corpus: an engine spills what exceeds its memory, given labels cost nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from social_provenance.planning.costs import estimate_costs

if TYPE_CHECKING:
    from social_provenance.planning.found import Found


def test_what_exceeds_the_memory_of_the_engine_is_spilled(found: Found) -> None:
    small = replace(found, memory_limit=1000)
    cost = estimate_costs(small, ["corpus"])["clean"]
    assert cost.spill == found.sizes.chars + 200 * found.sizes.records - 1000
    assert cost.host == 1000
    assert estimate_costs(replace(found, memory_limit=None), ["corpus"])["clean"].spill == 0


def test_labels_that_came_are_not_classified(found: Found) -> None:
    some = estimate_costs(found, ["taxonomy"])["label"]
    none = estimate_costs(replace(found, sizes=replace(found.sizes, unlabelled=0)), ["taxonomy"])["label"]
    assert (some.documents, none.documents) == (30, 0)
    assert some.seconds is not None
    assert none.seconds is not None
    assert some.seconds > none.seconds


def test_official_classifiers_read_their_documents_to_a_bound(found: Found) -> None:
    official = found.study.labelling.model_copy(update={"classifier": "official"})
    cost = estimate_costs(replace(found, study=replace(found.study, labelling=official)), ["taxonomy"])["label"]
    assert (cost.by, cost.tokens) == ("law", 30 * 15)


def test_shards_are_read_by_as_many_processes_as_there_are_shards(found: Found) -> None:
    one, two, many = (estimate_costs(replace(found, processes=count), ["corpus"])["read"] for count in (1, 2, 99))
    assert one.seconds is not None
    assert two.seconds is not None
    assert one.seconds - two.seconds == 2.0
    assert many.host == 4 * one.host
