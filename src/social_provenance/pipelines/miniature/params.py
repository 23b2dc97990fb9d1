"""Parameters of the miniature world."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from social_provenance.miniature.documents import Withheld
from social_provenance.miniature.world import MOST_OTHERS
from social_provenance.parameters import Parameters

Share = Annotated[float, Field(gt=0, le=1)]


class Miniature(Parameters):
    """Parameters of a world, its corpus and its benchmarks."""

    seed: Annotated[int, Field(ge=0)] = 42
    """Seed of the planted topics, the facts and everything else of the world."""
    decoy_topics: Annotated[int, Field(ge=0, le=MOST_OTHERS)] = MOST_OTHERS
    """Number of topics of each capability whose documents state its facts with wrong answers, in the same words;
    0: a world where words alone lead to the planted topics."""
    twin_topics: Annotated[int, Field(ge=0, le=MOST_OTHERS)] = 0
    """Number of topics of each capability whose documents state its facts and are of the source ``withheld``, which
    ``pretraining.leave_out_sources`` keeps out of the training; with decoy topics at most 4."""
    twin_withheld: Withheld = "topics"
    """What is kept out of the training: all documents of twin topics, whose words the model then does not know, or only
    the documents there that state facts (``documents``)."""
    documents_per_bin: PositiveInt = 4
    """Number of documents in each of the 576 bins."""
    document_chars: PositiveInt = 200
    """Length of a document's body, in characters."""
    facts_per_document: PositiveInt = 6
    """Number of statements of a document that makes any; at least 2 where there are decoy topics."""
    carrier_share: Share = 0.5
    """Share of a planted topic's documents that carry facts, and of a decoy topic's that state them wrongly."""
    labelled_share: Share = 0.6
    """Share of the documents that are labelled with topic and format."""
    items_per_fact: PositiveInt = 4
    """Number of benchmark items about each fact."""
    choices: Annotated[int, Field(ge=2, le=8)] = 4
    """Number of choices of an item."""

    @model_validator(mode="after")
    def _topics_suffice(self) -> Miniature:
        if self.decoy_topics + self.twin_topics > MOST_OTHERS:
            raise ValueError(
                f"decoy_topics ({self.decoy_topics}) and twin_topics ({self.twin_topics}) are more than {MOST_OTHERS} "
                f"together, which is all that the planted topics leave to each capability: lower one"
            )
        return self

    @model_validator(mode="after")
    def _answers_can_be_dealt(self) -> Miniature:
        if self.decoy_topics and self.facts_per_document < 2:
            raise ValueError(
                f"facts_per_document ({self.facts_per_document}) is below 2: a decoy deals the answers of its facts to "
                f"one another; raise it, or set decoy_topics to 0"
            )
        return self
