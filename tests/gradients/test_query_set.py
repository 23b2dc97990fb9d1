"""A set of queries and the name of its part are the same thing."""

from __future__ import annotations

import pytest

from social_provenance.gradients.query_set import QuerySet


@pytest.mark.parametrize(("benchmark", "variant"), [("siqa", "items"), ("arc_easy", "shuffled_answers"), ("a", "b.c")])
def test_the_name_of_a_set_is_read_back(benchmark: str, variant: str) -> None:
    queries = QuerySet(benchmark, variant)
    assert queries.name == f"{benchmark}.{variant}"
    assert QuerySet.parse(queries.name) == queries
