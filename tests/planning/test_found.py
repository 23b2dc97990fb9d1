"""An unknown part makes the whole unknown; counts are those of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.planning.found import plus

if TYPE_CHECKING:
    from social_provenance.planning.found import Found


def test_an_unknown_part_makes_the_whole_unknown() -> None:
    assert plus(1.0, None) is None
    assert plus(1.0, 2.0) == 3.0


def test_cells_are_documents_by_benchmarks_by_methods(found: Found) -> None:
    assert found.counts["cells"] == found.sizes.attributed * 2 * 2
    assert found.counts["replicated"] == 100 * 2 * 2


def test_what_an_engine_holds_and_spills_is_what_it_needs(found: Found) -> None:
    for needed in (10, 10**12):
        assert found.held(needed) + found.spilled(needed) == needed
