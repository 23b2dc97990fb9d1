"""Parameters of cleaning: rules for records, quality and near-duplicates."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from social_provenance.parameters import Parameters, SizeKey

Share = Annotated[float, Field(ge=0, le=1)]


class Quality(Parameters):
    """Rules that reject pages that are not prose, after Rae et al. 2021 (Gopher), appendix A.

    A null switches a rule off. Words are separated by whitespace; shares of characters exclude whitespace.
    Each field names the reason of the records that it rejects.
    """

    min_words: NonNegativeInt | None = 50
    """Smallest number of words; else ``few_words``."""
    max_words: PositiveInt | None = 100_000
    """Largest number of words; else ``many_words``."""
    min_word_length: Annotated[float, Field(gt=0)] | None = 3.0
    """Smallest mean word length, in characters; else ``word_length``."""
    max_word_length: Annotated[float, Field(gt=0)] | None = 10.0
    """Largest mean word length, in characters; else ``word_length``."""
    max_symbols: Share | None = 0.1
    """Largest number of hash signs, and of ellipses, per word; else ``symbols``."""
    max_bullet_lines: Share | None = 0.9
    """Largest share of lines that start with a bullet; else ``bullet_lines``."""
    max_ellipsis_lines: Share | None = 0.3
    """Largest share of lines that end with an ellipsis; else ``ellipsis_lines``."""
    min_letter_words: Share | None = 0.8
    """Smallest share of words that contain a letter; else ``few_letters``."""
    min_stop_words: NonNegativeInt | None = 2
    """Smallest number of different words of: the, be, to, of, and, that, have, with; else ``no_stop_words``."""
    max_repeated_lines: Share | None = 0.3
    """Largest share of repeated lines; else ``repeated_lines``."""
    max_repeated_paragraphs: Share | None = 0.3
    """Largest share of repeated paragraphs; else ``repeated_paragraphs``."""
    max_repeated_chars: Share | None = 0.2
    """Largest share of characters in repeated lines, or in repeated paragraphs; same reasons."""
    max_common_ngrams: dict[SizeKey, Share] | None = {2: 0.2, 3: 0.18, 4: 0.16}
    """n -> largest share of characters in the most frequent n-gram; else ``common_ngram``."""
    max_repeated_ngrams: dict[SizeKey, Share] | None = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}
    """n -> largest share of characters in repeated n-grams; else ``repeated_ngrams``."""
    max_boilerplate: Share | None = 0.5
    """Largest share of characters in lines of notices (cookies, rights, sign-in, scripts); else ``boilerplate``."""


class NearDuplicates(Parameters):
    """Search for near-duplicates by the Jaccard similarity of word n-grams."""

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Estimated Jaccard similarity from which two documents are near-duplicates."""
    shingle_words: PositiveInt = 5
    """Words per n-gram; in scripts without blanks between words, characters."""
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    """Hashes per MinHash signature; the standard error of the estimate is at most 1 / (2 x their square root)."""
    drop: bool = True
    """True: keep the document with the smallest id of a group and reject the others. False: keep all, in one
    cluster."""


class DocumentSettings(Parameters):
    """Rules for records to become documents."""

    min_chars: PositiveInt = 50
    """Shortest text, in characters after normalisation."""
    max_chars: PositiveInt = 1_000_000
    """Longest text, in characters after normalisation."""
    max_malformed_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of unusable records per shard; these are set aside with their reason. At 0 the first
    one ends the run."""
    max_damaged_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest share of damaged shards; these are set aside completely. At 0 the first one ends the run."""
    quality: Quality | None = None
    """Rules that reject pages that are not prose; null: none."""
    near_duplicates: NearDuplicates | None = None
    """Search for near-duplicates; null: none."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> DocumentSettings:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars ({self.min_chars}) exceeds max_chars ({self.max_chars}): lower it")
        return self
