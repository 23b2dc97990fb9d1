"""Parameters of labelling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from social_provenance.parameters import Folder, Parameters, Place


class Light(Parameters):
    """The light linear classifier, trained on the documents that came with labels."""

    saved: Folder | None = None
    """Folder of a trained classifier to use as it is; null: train one."""
    max_train: PositiveInt = 10_000
    """Largest training set, the first documents by content hash. Memory is quadratic: n documents take
    8 x n x n bytes, plus 100 kB each."""
    max_chars: PositiveInt = 10_000
    """Length of the prefix of a document that is read, in characters."""
    min_documents: PositiveInt = 2
    """Smallest number of training documents in which an n-gram must occur."""
    max_columns: PositiveInt = 300_000
    """Largest number of n-grams of each kind; the most frequent are kept."""
    penalty: PositiveFloat = 0.1
    """L2 penalty, on the scale where a document's similarity with itself is 1."""
    seed: int = 0
    """Seed of the assignment of web sites to cross-validation folds for calibration."""


class Official(Parameters):
    """The WebOrganizer classifiers, or any other two that transformers can load."""

    topic: Place = "hf://WebOrganizer/TopicClassifier"
    """Classifier of topics: a folder, hf://OWNER/NAME or hf://OWNER/NAME@REVISION."""
    format: Place = "hf://WebOrganizer/FormatClassifier"
    """Classifier of formats, given likewise."""
    with_url: bool = True
    """Whether the URL and a blank line precede the text; the -NoURL variants were trained without."""
    trust_remote_code: bool = False
    """Whether to run the Python code that a model on the hub ships; requires a pinned revision."""
    code_revision: str | None = None
    """Commit of that code, if it is in another repository than the weights."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the classifiers' config.json."""
    devices: Sequence[str] = ()
    """PyTorch devices that share the work; empty: all GPUs, else the CPU."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Precision of the weights."""
    max_tokens: PositiveInt = 8192
    """Length of the prefix of a document that is read, in tokens; capped by the model's context."""
    batch_tokens: PositiveInt = 16_384
    """Largest number of tokens per batch, padding included; a longer document is a batch of its own."""
    measured: Annotated[int, Field(ge=0)] = 2_000
    """Number of documents with given labels on which the classifiers are evaluated, the first by content hash."""


class Labelling(Parameters):
    """Origin of labels: given ones, and a classifier for the rest."""

    keep_given: bool = True
    """Whether labels that came with a document are kept; false: the classifier labels every document."""
    classifier: Literal["light", "official"] | None = "light"
    """Classifier for missing labels; null: a missing label is an error."""
    light: Light = Light()
    """Settings of the light classifier."""
    official: Official = Official()
    """Settings of the official classifiers."""
    processes: PositiveInt = 1
    """Number of processes of the light classifier; each holds a copy of it."""
    batch: PositiveInt = 10_000
    """Number of documents in memory at a time."""
    reliability_bins: Annotated[int, Field(ge=2)] = 15
    """Number of confidence bins of equal width, for the calibration error and the reliability curve."""
