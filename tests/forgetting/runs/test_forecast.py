"""Runs made up before they are planned: sets as large as those of a study, and apart."""

from __future__ import annotations

from social_provenance.forgetting.runs.forecast import made_up_plan
from social_provenance.forgetting.settings import HeldOut, Unlearning
from social_provenance.forgetting.vocabulary import IDS

SETTINGS = Unlearning(forget_documents=5, retain_per_topic=2, held_out=HeldOut(per_bin=1), steps=12)


def test_sets_are_of_the_size_of_a_study_and_no_two_share_a_document() -> None:
    plan, documents, bins = made_up_plan([[1, 2], [3]], SETTINGS, 3)
    assert plan["run_id"].is_unique
    for row in plan.to_dict("records"):
        sets = [set(row[name]) for name in IDS]
        assert [len(own) for own in sets] == [5, 2 * 23, 576]
        assert sum(map(len, sets)) == len(set.union(*sets)) == len(documents)
    assert set(map(tuple, documents.values())) == {(1, 2), (3,)}
    assert len(set(bins.values())) == 576
