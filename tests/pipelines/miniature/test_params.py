"""Worlds that cannot be drawn are refused with the fix; all others are drawn as asked."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from social_provenance.miniature.world import GLOSSARY_TOPICS, MOST_OTHERS
from social_provenance.pipelines.miniature.nodes import write_truth
from social_provenance.pipelines.miniature.params import Miniature


@pytest.mark.parametrize("glossaries", [0, GLOSSARY_TOPICS])
@pytest.mark.parametrize(("decoys", "twins"), [(d, t) for d in range(MOST_OTHERS + 1) for t in range(MOST_OTHERS + 1)])
def test_decoys_twins_and_glossaries_share_the_topics_that_are_left(decoys: int, twins: int, glossaries: int) -> None:
    given = {"decoy_topics": decoys, "twin_topics": twins, "documents_per_bin": 1, "document_chars": 60}
    given["paraphrase"] = glossaries > 0
    if decoys + twins + glossaries > MOST_OTHERS:
        said = rf"decoy_topics \({decoys}\) and twin_topics \({twins}\)"
        said += rf" and the {glossaries} glossary topics of paraphrase are" if glossaries else " are"
        with pytest.raises(ValidationError, match=said):
            Miniature.model_validate(given)
    else:
        truth = write_truth(Miniature.model_validate(given)).drop_duplicates("topic")
        assert truth["decoy"].count() == 4 * decoys
        assert truth["twin"].count() == 4 * twins
        assert truth["glossary"].count() == 4 * glossaries


def test_a_single_statement_cannot_be_mispaired() -> None:
    with pytest.raises(ValidationError, match=r"facts_per_document \(1\) is below 2.*set decoy_topics to 0"):
        Miniature(facts_per_document=1)
    assert Miniature(facts_per_document=1, decoy_topics=0).facts_per_document == 1
