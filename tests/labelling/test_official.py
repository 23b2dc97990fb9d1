"""The official classifiers' own code path, on small transformers classifiers made here."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.errors import LabelError, ModelError
from social_provenance.labelling import official
from social_provenance.labelling.official import Classifier, OfficialLabeller, batches_by_length, identity, read_labels
from social_provenance.labelling.settings import Official

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., pd.DataFrame]

# As WebOrganizer's classifiers and website spell them.
TOPICS = ("Games", "Health", "Science & Tech.", "Software Dev.")
FORMATS = ("FAQ", "Tutorial", "About (Pers.)", "News (Org.)", "Spam / Ads")


def make_classifier(folder: Path, labels: tuple[str, ...], texts: list[str], seed: int) -> str:
    """Save a BERT of random weights that tells texts apart, with its tokenizer, and return its folder."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]+", text)})
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        initializer_range=1.0,
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertForSequenceClassification(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, make_pages: Make) -> Official:
    texts = [f"{url} {text}" for text, url in make_pages()[["text", "url"]].fillna("").itertuples(index=False)]
    place = tmp_path_factory.mktemp("classifiers")
    topic = make_classifier(place / "topic", TOPICS, texts, 0)
    return Official(topic=topic, format=make_classifier(place / "format", FORMATS, texts, 1), devices=("cpu",))


@pytest.fixture(scope="module")
def labeller(settings: Official) -> OfficialLabeller:
    return OfficialLabeller.load(settings)


def OneByOne(settings: Official, axis: str, texts: list[str]) -> np.ndarray:
    """Return probabilities as plain transformers gives them, a text at a time."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    place = getattr(settings, axis)
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(place), AutoTokenizer.from_pretrained(place)
    with torch.no_grad():
        logits = [model(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts]
    return torch.softmax(torch.stack(logits), dim=-1).numpy()


def test_labels_are_what_the_model_says_of_url_blank_line_and_text(
    settings: Official, labeller: OfficialLabeller, make_pages: Make
) -> None:
    pages = make_pages(30, seed=0)
    read = [f"{url}\n\n{text}" for text, url in pages[["text", "url"]].fillna("").itertuples(index=False)]
    said = labeller.predict(pages)
    topics, formats = OneByOne(settings, "topic", read), OneByOne(settings, "format", read)
    slugs = np.array(["games", "health", "science_math_and_technology", "software_development"])
    assert said["topic"].tolist() == slugs[topics.argmax(axis=1)].tolist()
    assert said["topic"].nunique() > 1
    np.testing.assert_allclose(said["topic_confidence"], topics.max(axis=1), atol=1e-5)
    np.testing.assert_allclose(said["format_confidence"], formats.max(axis=1), atol=1e-5)
    assert set(said["format"]) <= {"faq", "tutorial", "about_pers", "news_org", "spam_ads"}


def test_only_the_classifier_that_is_asked_runs(labeller: OfficialLabeller, make_pages: Make) -> None:
    pages = make_pages(10)
    format_alone = OfficialLabeller({"format": labeller.classifiers["format"]}, labeller.with_url)
    expected = labeller.predict(pages)[["format", "format_confidence"]]
    pd.testing.assert_frame_equal(format_alone.predict(pages, ["format"]), expected)


@pytest.mark.parametrize(("longest", "times"), [(5, 1), (6, 2)])
def test_texts_are_tokenised_once_for_two_classifiers_that_read_alike(
    labeller: OfficialLabeller, make_pages: Make, monkeypatch: pytest.MonkeyPatch, longest: int, times: int
) -> None:
    topic, form = (replace(labeller.classifiers[axis], max_tokens=5) for axis in ("topic", "format"))
    both = OfficialLabeller({"topic": topic, "format": replace(form, max_tokens=longest)}, labeller.with_url)
    pages, calls = make_pages(10), []
    encode = Classifier.encode
    monkeypatch.setattr(Classifier, "encode", lambda own, texts: calls.append(own) or encode(own, texts))
    said = both.predict(pages)
    assert len(calls) == times
    for axis in ("topic", "format"):
        alone = OfficialLabeller({axis: both.classifiers[axis]}, labeller.with_url).predict(pages, [axis])
        pd.testing.assert_frame_equal(said[[axis, f"{axis}_confidence"]], alone)


def test_the_variants_without_url_read_the_text_alone(settings: Official, make_pages: Make) -> None:
    pages = make_pages(30, seed=0)
    labeller = OfficialLabeller.load(settings.model_copy(update={"with_url": False}))
    expected = OneByOne(settings, "topic", pages["text"].tolist()).max(axis=1)
    np.testing.assert_allclose(labeller.predict(pages)["topic_confidence"], expected, atol=1e-5)


@pytest.mark.parametrize("change", [{"batch_tokens": 1}, {"batch_tokens": 100}, {"devices": ("cpu", "cpu", "cpu")}])
def test_neither_batches_nor_devices_nor_order_matter(
    settings: Official, labeller: OfficialLabeller, make_pages: Make, change: dict[str, Any]
) -> None:
    pages = make_pages(40, seed=0)
    other = OfficialLabeller.load(settings.model_copy(update=change))
    found = other.predict(pages.sample(frac=1, random_state=1)).loc[pages.index]
    expected = labeller.predict(pages)
    pd.testing.assert_frame_equal(found, expected, atol=1e-5, rtol=0)


def test_long_documents_are_cut_where_the_model_ends(labeller: OfficialLabeller, make_pages: Make) -> None:
    page = make_pages(1).assign(text="chess " * 500)
    short = page.assign(text="chess " * 100)
    pd.testing.assert_frame_equal(labeller.predict(page), labeller.predict(short))


def test_batches_hold_every_text_once_by_length_within_the_budget() -> None:
    lengths = [3, 50, 7, 7, 1, 12]
    batches = list(batches_by_length(lengths, 20))
    assert batches == [[1], [5], [2, 3], [0, 4]]
    assert list(batches_by_length([], 20)) == []


def test_labels_that_do_not_map_are_one_clear_error(settings: Official, tmp_path: Path) -> None:
    place = make_classifier(tmp_path / "other", ("Games", "LABEL_1"), ["a b"], 0)
    message = f"classifier {place} (labelling.official.topic): output 1: unknown topic label 'LABEL_1'"
    with pytest.raises(LabelError, match=re.escape(message) + ".*give a classifier whose id2label names topics"):
        OfficialLabeller.load(settings.model_copy(update={"topic": place}))


def test_the_classifier_of_the_other_axis_is_refused(settings: Official) -> None:
    with pytest.raises(LabelError, match=r"labelling\.official\.format\): output 0: unknown format label 'Games'"):
        Classifier.load("format", settings.model_copy(update={"format": settings.topic}))


def test_a_model_without_a_trained_head_is_refused(settings: Official, tmp_path: Path) -> None:
    from transformers import BertForSequenceClassification

    place = Path(shutil.copytree(settings.topic, tmp_path / "headless"))
    model = BertForSequenceClassification.from_pretrained(place)
    weights = {name: own for name, own in model.state_dict().items() if not name.startswith("classifier.")}
    model.save_pretrained(place, state_dict=weights)
    missing = r"headless has no weight 'classifier\.bias', 'classifier\.weight', which would be drawn"
    with pytest.raises(ModelError, match=missing):
        Classifier.load("topic", settings.model_copy(update={"topic": str(place)}))


def test_two_outputs_of_one_label_are_refused() -> None:
    with pytest.raises(LabelError, match=r"outputs 'Games' and 'games' are both the topic games; fix id2label"):
        read_labels("topic", "somewhere", {0: "Games", 1: "games"})


def test_code_of_the_hub_runs_only_pinned(monkeypatch: pytest.MonkeyPatch, settings: Official) -> None:
    remote = settings.model_copy(update={"topic": "hf://WebOrganizer/TopicClassifier", "trust_remote_code": True})
    with pytest.raises(LabelError, match=r"pin it, hf://WebOrganizer/TopicClassifier@COMMIT"):
        Classifier.load("topic", remote)
    asked: dict[str, Any] = {}

    def refuse(path: str, **options: Any) -> None:
        asked.update(options, path=path)
        raise OSError("no network here")

    import transformers

    monkeypatch.setattr(official.LanguageModel, "tokenizer", lambda _: None)
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", refuse)
    pinned = remote.model_copy(update={"topic": "hf://WebOrganizer/TopicClassifier@abc", "code_revision": "def"})
    with pytest.raises(ModelError, match=r"labelling\.official\.topic .*@abc cannot be loaded \(no network here\)"):
        Classifier.load("topic", pinned)
    assert (asked["path"], asked["revision"]) == ("WebOrganizer/TopicClassifier", "abc")
    assert (asked["trust_remote_code"], asked["code_revision"]) == (True, "def")


OWN_CODE = """
import torch
from transformers import BertConfig, BertForSequenceClassification


class Config(BertConfig):
    model_type = "own"

    def __init__(self, sharpness=1.0, needs=None, **others):
        super().__init__(**others)
        self.sharpness, self.needs = sharpness, needs


class Model(BertForSequenceClassification):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        assert config.needs is None, f"please install {config.needs}"
        signs = torch.tensor([1.0, -1.0] * config.num_labels)[: config.num_labels]
        self.register_buffer("signs", config.sharpness * signs, persistent=False)
        self.post_init()

    def forward(self, **given):
        said = super().forward(**given)
        said.logits = said.logits * self.signs
        return said
"""
"""A model that computes a buffer when it is built, and keeps it in no file, as rotary embeddings are."""


@pytest.fixture
def own(settings: Official, tmp_path: Path) -> Official:
    """Return settings with a classifier of topics that comes with code of its own."""
    place = tmp_path / "own"
    make_classifier(place, TOPICS, ["chess bread star code"], 0)
    config = json.loads((place / "config.json").read_text())
    code = {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"}
    (place / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": code}))
    (place / "own.py").write_text(OWN_CODE)
    return settings.model_copy(update={"topic": str(place), "trust_remote_code": True})


def test_a_model_with_code_of_its_own_is_refused_unless_trusted(own: Official) -> None:
    with pytest.raises(ModelError, match=r"ships its own code.*trust_remote_code to true"):
        Classifier.load("topic", own.model_copy(update={"trust_remote_code": False}))
    assert Classifier.load("topic", own).slugs == [
        "games",
        "health",
        "science_math_and_technology",
        "software_development",
    ]


def test_what_own_code_computes_and_no_file_keeps_is_there(own: Official) -> None:
    import torch
    from transformers import BertForSequenceClassification

    texts = ["chess bread", "bread star star", "code chess"]
    loaded = Classifier.load("topic", own)
    assert loaded.copies[0].signs.tolist() == [1.0, -1.0, 1.0, -1.0]
    plain = BertForSequenceClassification.from_pretrained(own.topic).eval()  # the same weights without the signs
    with torch.no_grad():
        logits = torch.stack([plain(**loaded.tokenizer(text, return_tensors="pt")).logits[0] for text in texts])
    expected = torch.softmax(logits * torch.tensor([1.0, -1.0, 1.0, -1.0]), dim=-1).numpy()
    np.testing.assert_allclose(loaded.probabilities(loaded.encode(texts)), expected, atol=1e-5)


def test_settings_of_a_classifier_may_be_others_than_its_file_says(own: Official) -> None:
    sharper = own.model_copy(update={"config": {"sharpness": 3.0}})
    assert Classifier.load("topic", sharper).copies[0].signs.tolist() == [3.0, -3.0, 3.0, -3.0]
    assert identity(sharper) != identity(own)
    with pytest.raises(LabelError, match=r"labelling\.official\.config: .* has no setting 'sharpnes'"):
        Classifier.load("topic", own.model_copy(update={"config": {"sharpnes": 3.0}}))


def test_a_package_that_a_model_lacks_is_named(own: Official) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded \(please install xformers\)"):
        Classifier.load("topic", own.model_copy(update={"config": {"needs": "xformers"}}))


def test_identity_is_of_what_labels_depend_on(settings: Official) -> None:
    same = settings.model_copy(update={"devices": ("cpu", "cpu"), "batch_tokens": 5, "measured": 0})
    assert identity(same) == identity(settings)
    other = settings.model_copy(update={"with_url": False})
    assert identity(other) != identity(settings)
    assert identity(settings.model_copy(update={"topic": settings.format})) != identity(settings)
