"""Signatures: they estimate the Jaccard similarity, and their bands bring alike texts together."""

from __future__ import annotations

import numpy as np
import pytest

from social_provenance.documents.settings import NearDuplicates
from social_provenance.documents.signatures import band_rows, bands, shingles, sign, similarity

SETTINGS = NearDuplicates()


def texts_of(similar: float, size: int = 4000) -> tuple[str, str]:
    """Return two texts whose sets of words have a Jaccard similarity."""
    shared = round(2 * size * similar / (1 + similar))
    own = size - shared
    words = [f"w{number}" for number in range(shared + 2 * own)]
    return " ".join(words[: shared + own]), " ".join(words[:shared] + words[shared + own :])


@pytest.mark.parametrize("similar", [0.0, 0.3, 0.6, 0.8, 1.0])
def test_agreement_of_signatures_estimates_the_jaccard_similarity(similar: float) -> None:
    settings = NearDuplicates(shingle_words=1, permutations=1024)
    one, other = texts_of(similar)
    first, second = set(shingles(one, 1)), set(shingles(other, 1))
    truth = len(first & second) / len(first | second)
    signed = sign([one, other], settings)
    assert similarity(signed[:1], signed[1:])[0] == pytest.approx(truth, abs=4 / (2 * 1024**0.5))


def test_a_signature_depends_on_its_text_alone_and_not_on_case_or_spacing() -> None:
    texts = ["one two three four five six", "seven eight nine ten eleven twelve"]
    together = sign(texts, SETTINGS)
    assert np.array_equal(sign(texts[1:], SETTINGS)[0], together[1])
    assert np.array_equal(sign(["ONE  two\nthree four five six"], SETTINGS)[0], together[0])
    assert (together.dtype, together.shape) == (np.uint32, (2, 128))


def test_a_text_shorter_than_an_ngram_is_one_ngram() -> None:
    assert shingles("Two words", 5) == ["two words"]
    assert shingles("a b c", 2) == ["a b", "b c"]


PROSE = {
    "chinese": "北京是中华人民共和国的首都也是全国的政治中心和文化中心。这座城市有三千多年的历史。",
    "japanese": "東京は日本の首都であり、世界でも最大級の都市のひとつです。江戸時代から発展してきました。",
    "thai": "กรุงเทพมหานครเป็นเมืองหลวงและนครที่มีประชากรมากที่สุดของประเทศไทยเป็นศูนย์กลางการปกครองการศึกษา",
    "khmer": "ភ្នំពេញគឺជារាជធានីនិងជាទីក្រុងធំបំផុតនៃប្រទេសកម្ពុជាវាស្ថិតនៅលើច្រាំងទន្លេមេគង្គនិងទន្លេសាប",
    "mixed": "The paper 论文 describes 描述了一种新的方法来比较两个没有空格的文本 with a new method, version 2.0",
}


@pytest.mark.parametrize("language", PROSE)
def test_near_duplicates_are_alike_in_scripts_without_blanks(language: str) -> None:
    text = PROSE[language]
    others = [prose for name, prose in PROSE.items() if name != language]
    signed = sign([text, text[:-2], *others], SETTINGS)
    assert similarity(signed[:1], signed[1:2])[0] > 0.7
    assert max(similarity(signed[[0] * len(others)], signed[2:])) < 0.2


def test_blanks_and_scripts_with_them_are_what_they_were() -> None:
    assert shingles("서울은 대한민국의 수도", 2) == ["서울은 대한민국의", "대한민국의 수도"]
    assert shingles("GPT4 北京abc", 2) == ["gpt4 北", "北 京", "京 abc"]
    assert shingles("naïve Straße здесь", 3) == ["naïve straße здесь"]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9])
def test_pairs_at_the_threshold_share_a_band_and_no_longer_band_would_do(threshold: float) -> None:
    rows = band_rows(threshold, 128)

    def chance(size: int) -> float:
        return 1 - (1 - threshold**size) ** (128 // size)

    assert chance(rows) >= 0.99 > chance(rows + 1)


def test_bands_agree_where_their_places_do_and_nowhere_else() -> None:
    signed = np.arange(24, dtype=np.uint32).reshape(2, 12)
    signed[1, 4:8] = signed[0, 4:8]
    hashed = bands(signed, 4)
    assert (hashed[0] == hashed[1]).tolist() == [False, True, False]
    assert len(np.unique(bands(np.zeros((1, 12), dtype=np.uint32), 4))) == 3
