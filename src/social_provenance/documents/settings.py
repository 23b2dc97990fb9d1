"""Which records become documents, and which documents are too alike."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

Share = Annotated[float, Field(ge=0, le=1)]


class Quality(BaseModel):
    """Rules for pages that are not prose, after Rae et al. 2021 (Gopher), appendix A.

    A rule that is null is off. Words are what spaces divide; shares of characters leave spaces out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_words: NonNegativeInt | None = 50
    """Fewest words; else ``few_words``."""
    max_words: PositiveInt | None = 100_000
    """Most words; else ``many_words``."""
    min_word_length: Annotated[float, Field(gt=0)] | None = 3.0
    """Shortest mean length of a word, in characters; else ``word_length``."""
    max_word_length: Annotated[float, Field(gt=0)] | None = 10.0
    """Longest mean length of a word, in characters; else ``word_length``."""
    max_symbols: Share | None = 0.1
    """Most hash signs, and most ellipses, for each word; else ``symbols``."""
    max_bullet_lines: Share | None = 0.9
    """Largest share of lines that start with a bullet; else ``bullet_lines``."""
    max_ellipsis_lines: Share | None = 0.3
    """Largest share of lines that end with an ellipsis; else ``ellipsis_lines``."""
    min_letter_words: Share | None = 0.8
    """Smallest share of words with a letter in them; else ``few_letters``."""
    min_stop_words: NonNegativeInt | None = 2
    """Fewest different words of: the, be, to, of, and, that, have, with; else ``no_stop_words``."""
    max_repeated_lines: Share | None = 0.3
    """Largest share of lines that stood before; else ``repeated_lines``."""
    max_repeated_paragraphs: Share | None = 0.3
    """Largest share of paragraphs that stood before; else ``repeated_paragraphs``."""
    max_repeated_chars: Share | None = 0.2
    """Largest share of characters in lines, or in paragraphs, that stood before; same reasons."""
    max_common_ngrams: dict[PositiveInt, Share] | None = {2: 0.2, 3: 0.18, 4: 0.16}
    """Words of an n-gram -> largest share of characters in the commonest one; else ``common_ngram``."""
    max_repeated_ngrams: dict[PositiveInt, Share] | None = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}
    """Words of an n-gram -> largest share of characters in those that stood before; else ``repeated_ngrams``."""
    max_boilerplate: Share | None = 0.5
    """Largest share of characters in lines of notices (cookies, rights, sign-in, scripts); else ``boilerplate``."""


class NearDuplicates(BaseModel):
    """When two documents count as one text: the Jaccard similarity of their word n-grams."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Estimated Jaccard similarity from which two documents are alike."""
    shingle_words: PositiveInt = 5
    """Words of an n-gram."""
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    """Numbers of a MinHash signature; the estimate errs by 1 / (2 x their root) at most."""
    drop: bool = True
    """Keep one document of a group, that with the smallest id, and reject the others. With false all
    stay, and share a cluster."""


class DocumentSettings(BaseModel):
    """Which records become documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_chars: PositiveInt = 50
    """Shortest text, in characters after normalisation."""
    max_chars: PositiveInt = 1_000_000
    """Longest text, in characters after normalisation."""
    max_malformed_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of a shard's records that may be unusable; they are then put aside with their
    reason. With 0 the first one ends the run."""
    max_damaged_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of the shards that may be damaged; they are then put aside whole. With 0 the
    first one ends the run."""
    quality: Quality | None = None
    """Rules for pages that are not prose; null: none."""
    near_duplicates: NearDuplicates | None = None
    """When documents are too alike; null: near-duplicates are not looked for."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> DocumentSettings:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) exceeds max_chars ({self.max_chars})")
        return self
