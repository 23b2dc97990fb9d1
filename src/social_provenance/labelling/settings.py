"""How documents get their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class Light(BaseModel):
    """The linear classifier that is trained on the documents that came with labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    saved: Path | None = None
    """Folder of a classifier trained before, which is used as it is; null: one is trained."""
    max_train: PositiveInt = 10_000
    """Most documents to train on, the first by content hash. Memory grows with their square: n of them take
    8 x n x n bytes, and 100 kB each."""
    max_chars: PositiveInt = 10_000
    """Characters of a document that are looked at."""
    min_documents: PositiveInt = 2
    """Training documents that an n-gram must occur in."""
    max_columns: PositiveInt = 300_000
    """Most n-grams of each kind, the commonest."""
    penalty: PositiveFloat = 0.1
    """Strength of the L2 penalty, where a document's similarity with itself is 1."""
    seed: int = 0
    """Deals web sites to the parts whose confidences are calibrated on each other."""


class Official(BaseModel):
    """The WebOrganizer classifiers, or any other two that transformers loads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: str = "hf://WebOrganizer/TopicClassifier"
    """Folder, hf://OWNER/NAME or hf://OWNER/NAME@REVISION of the classifier of topics."""
    format: str = "hf://WebOrganizer/FormatClassifier"
    """The same for formats."""
    with_url: bool = True
    """Put the URL and a blank line before the text; the -NoURL variants were trained without."""
    trust_remote_code: bool = False
    """Run the Python code that comes with a model of the hub; needs a pinned revision."""
    code_revision: str | None = None
    """Commit of that code, where it lies in another repository than the weights."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Settings of the classifiers' config.json that are to be others."""
    devices: tuple[str, ...] = ()
    """Devices that share the work, as PyTorch names them; none named: all GPUs, else the CPU."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number type of the weights."""
    max_tokens: PositiveInt = 8192
    """Tokens of a document that are looked at; fewer where the model takes fewer."""
    batch_tokens: PositiveInt = 16_384
    """Most tokens at a time, padding included; a longer document goes alone."""
    measured: Annotated[int, Field(ge=0)] = 2_000
    """Documents with given labels that the classifiers are held against, the first by content hash."""


class Labelling(BaseModel):
    """Where labels come from: given ones, and a classifier for the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_given: bool = True
    """A label that came with a document is kept; with false the classifier labels all."""
    classifier: Literal["light", "official"] | None = "light"
    """What gives the labels that are missing; null: a missing label is an error."""
    light: Light = Light()
    """How the light classifier is trained."""
    official: Official = Official()
    """Which the official classifiers are, and how they run."""
    processes: PositiveInt = 1
    """Processes of the light classifier; each holds a copy of it."""
    batch: PositiveInt = 10_000
    """Documents in memory at a time."""
    reliability_bins: Annotated[int, Field(ge=2)] = 15
    """Bins of equal width, by confidence, of the calibration error and the reliability curve."""
