"""The WebOrganizer classifiers (Wettig et al. 2025, arXiv 2502.10341), or similar ones, through transformers."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from social_provenance.encoding import all_cores
from social_provenance.errors import LabelError, ModelError
from social_provenance.fingerprint import digest_of
from social_provenance.labelling.linear import AXES, inputs
from social_provenance.language_model import LanguageModel, max_tokens
from social_provenance.model_weights import refuse_missing
from social_provenance.regions.aliases import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from social_provenance.labelling.settings import Official


@dataclass(frozen=True)
class OfficialLabeller:
    """Two sequence classifiers, one for topics and one for formats.

    Attributes:
        classifiers: Axis -> classifier.
        with_url: Whether the input is the URL, a blank line and the text.
    """

    classifiers: Mapping[str, Classifier]
    with_url: bool
    source: ClassVar[str] = "official"

    @classmethod
    def load(cls, settings: Official) -> OfficialLabeller:
        """Load both classifiers.

        Raises:
            LabelError: If a classifier's labels are not those of the taxonomy, or remote code is not pinned.
            ModelError: If one cannot be loaded.
        """
        return cls({axis: Classifier.load(axis, settings) for axis in AXES}, settings.with_url)

    def predict(self, documents: pd.DataFrame, axes: Sequence[str] = AXES) -> pd.DataFrame:
        """Predict labels and confidences (0 to 1) on ``axes``, on the index of the input.

        Args:
            documents: Rows with ``text`` and ``url`` (may be null).
            axes: ``topic``, ``format``, or both; a classifier of no requested axis does not run.
        """
        import pandas as pd

        texts, urls = inputs(documents)
        read = [f"{url}\n\n{text}" for text, url in zip(texts, urls, strict=True)] if self.with_url else texts
        columns: dict[str, Any] = {}
        tokens: dict[str, list[list[int]]] = {}
        for axis in axes:
            classifier = self.classifiers[axis]
            if classifier.reading not in tokens:
                tokens[classifier.reading] = classifier.encode(read)
            chances = classifier.probabilities(tokens[classifier.reading])
            columns[axis] = np.array(classifier.slugs, dtype=object)[chances.argmax(axis=1)]
            columns[f"{axis}_confidence"] = chances.max(axis=1)
        return pd.DataFrame(columns, index=documents.index)


@dataclass(frozen=True)
class Classifier:
    """A sequence classifier, a copy on each device.

    Attributes:
        copies: Copy of the model on each device.
        tokenizer: Tokenizer of the model.
        slugs: Slug of each output.
        max_tokens: Length of the prefix of a document that is read, in tokens.
        batch_tokens: Largest number of tokens per batch, padding included.
    """

    copies: Sequence[Any]
    tokenizer: Any
    slugs: Sequence[str]
    max_tokens: int
    batch_tokens: int

    @classmethod
    def load(cls, axis: str, settings: Official) -> Classifier:
        """Load the classifier of an axis onto every device."""
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        place = getattr(settings, axis)
        model, options = _place(axis, settings)
        try:
            tokenizer, own = model.tokenizer(), _load(model, options, settings)
        except (OSError, ValueError, ImportError, AssertionError) as error:
            own_code = "trust_remote_code" in str(error)
            fix = (
                "it ships its own code: read it, pin its revision, and set labelling.official.trust_remote_code to true"
                if own_code
                else "give a local folder, or, for the hub, set offline: false in engines.yml of the environment"
            )
            reason = "" if own_code else f" ({next(iter(str(error).splitlines()), type(error).__name__)})"
            raise ModelError(f"labelling.official.{axis} {place} cannot be loaded{reason}; {fix}") from error
        slugs = read_labels(axis, place, own.config.id2label)
        copies = [copy.deepcopy(own).to(device) for device in settings.devices or _devices()]
        return cls(copies, tokenizer, slugs, min(settings.max_tokens, max_tokens(own.config)), settings.batch_tokens)

    @cached_property
    def reading(self) -> str:
        """Digest of what the tokens of a text depend on: classifiers in which it is the same can share them."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        whole = backend.to_str() if backend is not None else id(self.tokenizer)
        return digest_of(type(self.tokenizer).__name__, whole, self.max_tokens)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of texts, with the special tokens of the classifier."""
        with all_cores():
            tokens: list[list[int]] = self.tokenizer(
                list(texts),
                truncation=True,
                max_length=self.max_tokens,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )["input_ids"]
        return tokens

    def probabilities(self, tokens: Sequence[list[int]]) -> np.ndarray:
        """Return class probabilities, shape (texts, labels); texts of similar length are batched together.

        Args:
            tokens: Token ids of each text, of :meth:`encode`.
        """
        found = np.zeros((len(tokens), len(self.slugs)))
        batches: SimpleQueue[list[int]] = SimpleQueue()
        for batch in batches_by_length([len(ids) for ids in tokens], self.batch_tokens):
            batches.put(batch)

        def work(model: Any) -> None:
            while True:
                try:
                    batch = batches.get_nowait()
                except Empty:
                    return
                found[batch] = self._run(model, [tokens[place] for place in batch])

        if len(self.copies) == 1:
            work(self.copies[0])
        else:
            with ThreadPoolExecutor(len(self.copies)) as pool:
                list(pool.map(work, self.copies))
        return found

    def _run(self, model: Any, tokens: list[list[int]]) -> Any:
        import torch

        padded = self.tokenizer.pad({"input_ids": tokens}, return_tensors="pt").to(model.device)
        with torch.inference_mode():
            logits = model(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]).logits
        return torch.softmax(logits.double(), dim=-1).cpu().numpy()


def identity(settings: Official) -> dict[str, Any]:
    """Return the values on which labels depend: the two classifiers and the way documents are read."""
    places = {axis: _place(axis, settings)[0].digest() for axis in AXES}
    return {**places, **settings.model_dump(include={"with_url", "max_tokens", "dtype", "code_revision", "config"})}


def read_labels(axis: str, place: str, id2label: Mapping[int, str]) -> list[str]:
    """Return the slug of each output of a classifier.

    Raises:
        LabelError: If a label is outside the taxonomy, or two are the same.
    """
    slugs: dict[str, str] = {}
    for number in sorted(id2label):
        label = str(id2label[number])
        try:
            slug = CANONICAL[axis](label)
        except LabelError as error:
            raise LabelError(
                f"classifier {place} (labelling.official.{axis}): output {number}: {error}; give a classifier whose "
                f"id2label names {axis}s"
            ) from error
        if slug in slugs:
            raise LabelError(
                f"classifier {place} (labelling.official.{axis}): outputs {slugs[slug]!r} and {label!r} are both the "
                f"{axis} {slug}; fix id2label in its config.json"
            )
        slugs[slug] = label
    return list(slugs)


def batches_by_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Yield batches of indices of texts, longest first, with length x number within a budget.

    Args:
        lengths: Number of tokens of each text.
        batch_tokens: Budget of a batch; a longer text is a batch of its own.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _place(axis: str, settings: Official) -> tuple[LanguageModel, dict[str, Any]]:
    place = getattr(settings, axis)
    model = LanguageModel.at(place, causal=False)
    if not settings.trust_remote_code:
        return model, {"trust_remote_code": False}  # said, else transformers asks at the terminal
    if not model.is_local and not model.revision:
        raise LabelError(
            f"labelling.official.trust_remote_code would run whatever code {place} has today: pin it, {place}@COMMIT"
        )
    options = {"trust_remote_code": True}
    return model, options | ({"code_revision": settings.code_revision} if settings.code_revision else {})


def _load(model: LanguageModel, options: Mapping[str, Any], settings: Official) -> Any:
    """Load a classifier on the CPU, including buffers that are in no file.

    transformers 5 builds a model on the meta device and fills it from its files. Buffers that no file has, such as
    rotary embeddings, stay uninitialised where a model's remote code is not prepared for this: it then runs, and
    predicts nearly the same for every text. So they are copied from a model that the same code has built in memory.

    Raises:
        LabelError: If ``settings.config`` has a key that the classifier's configuration does not.
        ModelError: If weights are missing.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(model.path, revision=model.revision, **options)
    for name, value in settings.config.items():
        if not hasattr(config, name):
            raise LabelError(f"labelling.official.config: {model.path} has no setting {name!r}; see its config.json")
        setattr(config, name, value)
    dtype = getattr(torch, settings.dtype)
    loaded, found = AutoModelForSequenceClassification.from_pretrained(
        model.path, revision=model.revision, config=config, dtype=dtype, output_loading_info=True, **options
    )
    refuse_missing(model.path, found["missing_keys"])
    with torch.random.fork_rng():
        built = AutoModelForSequenceClassification.from_config(config, dtype=dtype, **options)
    kept = loaded.state_dict().keys()
    computed = {name: buffer for name, buffer in built.named_buffers() if name not in kept}
    for name, buffer in loaded.named_buffers():
        if name in computed:
            buffer.copy_(computed[name])
    return loaded.eval()


def _devices() -> list[str]:
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"]
