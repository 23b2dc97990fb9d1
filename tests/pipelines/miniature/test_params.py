"""Worlds that cannot be drawn are refused with the fix; all others are drawn as asked."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.miniature.world import MOST_OTHERS
from social_provenance.pipelines.miniature.nodes import write_truth
from social_provenance.pipelines.miniature.params import Miniature


@pytest.mark.parametrize(("decoys", "twins"), [(d, t) for d in range(MOST_OTHERS + 1) for t in range(MOST_OTHERS + 1)])
def test_decoys_and_twins_share_the_topics_that_are_left(decoys: int, twins: int) -> None:
    given = {"decoy_topics": decoys, "twin_topics": twins, "documents_per_bin": 1, "document_chars": 60}
    if decoys + twins > MOST_OTHERS:
        with pytest.raises(ValidationError, match=rf"decoy_topics \({decoys}\) and twin_topics \({twins}\)"):
            Miniature.model_validate(given)
    else:
        truth = write_truth(Miniature.model_validate(given)).drop_duplicates("topic")
        assert truth["decoy"].count() == 4 * decoys
        assert truth["twin"].count() == 4 * twins


def test_a_single_statement_cannot_be_mispaired() -> None:
    with pytest.raises(ValidationError, match=r"facts_per_document \(1\) is below 2.*set decoy_topics to 0"):
        Miniature(facts_per_document=1)
    assert Miniature(facts_per_document=1, decoy_topics=0).facts_per_document == 1
