"""Labels that came with documents: one spelling, unknown ones refused by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import ibis
import pytest

from social_provenance.errors import LabelError
from social_provenance.labelling.given import GivenLabels

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Make = Callable[..., pd.DataFrame]


def test_given_labels_are_slugs_with_their_confidence_else_one(make_documents: Make) -> None:
    documents = make_documents(count=8, given=4)
    found = GivenLabels.read(ibis.memtable(documents)).of(documents)
    assert found[4:].isna().all(axis=None)
    assert set(found["topic"][:4]) <= {"games", "health"}
    assert set(found["format"][:4]) <= {"faq", "tutorial"}
    assert found["topic_confidence"][:4].tolist() == [1.0, 0.75, 1.0, 0.75]
    assert set(found["format_confidence"][:4]) == {1.0}


def test_a_label_is_given_without_the_other_one_and_a_confidence_not_without_its_label(make_documents: Make) -> None:
    documents = make_documents(count=4, given=4)
    documents.loc[1, "given_topic"] = None
    found = GivenLabels.read(ibis.memtable(documents)).of(documents)
    assert found.loc[1, ["topic", "topic_confidence"]].isna().all()
    assert found.loc[1, ["format", "format_confidence"]].notna().all()


def test_none_knows_no_label(make_documents: Make) -> None:
    assert GivenLabels.none().of(make_documents(count=4, given=4)).isna().all(axis=None)


@pytest.mark.parametrize(("axis", "bad", "nearest"), [("topic", "Gamez", "games"), ("format", "Tutorail", "tutorial")])
def test_an_unknown_label_names_its_first_document_and_the_nearest_label(
    make_documents: Make, axis: str, bad: str, nearest: str
) -> None:
    documents = make_documents()
    documents.loc[[5, 9, 25], f"given_{axis}"] = bad
    message = f"part/0.jsonl row 4, document d0-009: unknown {axis} label {bad!r}; did you mean {nearest!r}?"
    with pytest.raises(LabelError, match=re.escape(message)):
        GivenLabels.read(ibis.memtable(documents[::-1]))
