"""A causal language model, identified by its location: a local folder or a name on the hub."""

from __future__ import annotations

import functools
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from social_provenance.errors import ModelError, excerpt
from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.model_files import check_folder, is_packed, weight_files
from social_provenance.model_weights import (
    empty_with,
    refuse_more_tokens,
    refuse_not_finite,
    refuse_not_real,
    refuse_unlike,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_MAX_TOKENS = 2048
NO_CODE = {"trust_remote_code": False}
"""Explicit, because transformers prompts on the terminal where it is not set."""

HUB = "hf://"
"""Prefix of a name on the hub: without a scheme, Kedro takes it for a path relative to the project."""

SECOND_MOMENTS = "second_moments.safetensors"
"""File of a model folder: weight -> Adam's average of its squared gradient."""


@dataclass(frozen=True)
class LanguageModel:
    """Any model that ``AutoModelForCausalLM`` loads.

    Attributes:
        path: Absolute path of a local folder, or a name on the hub.
        revision: Revision on the hub; None for a local folder.
    """

    path: str
    revision: str | None = None

    @classmethod
    def at(cls, place: str, revision: str | None = None, *, causal: bool = True) -> LanguageModel:
        """Return the model at a place given as in the catalog.

        Args:
            place: A folder, ``hf://OWNER/NAME`` or ``hf://OWNER/NAME@REVISION``.
            revision: Revision on the hub, if the place has none.
            causal: Whether it predicts the next token; a classifier is checked where it is loaded.

        Raises:
            ModelError: If a folder is not a complete model, or two revisions are given.
        """
        if place.startswith(HUB):
            name, _, own = place.removeprefix(HUB).partition("@")
            if own and revision:
                raise ModelError(f"{place} has a revision and revision is {revision!r}: give one of the two")
            return cls(name, own or revision)
        # Engines look a relative path up on the hub first, so a local folder is given in full.
        folder = Path(place)
        model = cls(str(folder.resolve()) if folder.exists() else place, revision)
        model.check(causal=causal)
        return model

    @property
    def is_local(self) -> bool:
        return os.path.isdir(self.path)

    def check(self, *, causal: bool = True) -> None:
        """Check that a local folder has a model and its tokenizer, and that these belong together; reads no weight.

        Raises:
            ModelError: With the missing or damaged file; if it has a GGUF file or pickles in place of weights, or an
                adapter beside them; if tensors are missing, have other shapes than the configuration asks for or no
                place in the architecture; if tokens have no embedding.
        """
        if is_packed(Path(self.path)):
            raise ModelError(
                f"{self.path} has packed weights (GGUF), on which nothing can be trained: unpack them once with "
                f"`python -m social_provenance.convert_gguf {self.path} DIR` and give --params model=DIR"
            )
        if not self.is_local:
            if self.path.startswith(("/", ".")) or self.path.count("/") > 1:
                raise ModelError(
                    f"there is no model at {self.path}: run the pretraining pipeline, or give --params model=DIR"
                )
            return
        check_folder(Path(self.path))
        if not causal:
            return
        files = sorted(file for file in Path(self.path).iterdir() if file.is_file())
        _check_fit(self, tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files))

    def config(self) -> Any:
        """Return the model's configuration.

        Raises:
            ModelError: If it cannot be loaded; :meth:`tokenizer` and :meth:`load` likewise.
        """
        from transformers import AutoConfig

        with self.within_reach("config.json"):
            return AutoConfig.from_pretrained(self.path, revision=self.revision, **NO_CODE)

    def tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with self.within_reach("tokenizer"):
            return AutoTokenizer.from_pretrained(self.path, revision=self.revision, **NO_CODE)

    def load(self, precision: Literal["fp32", "bf16"] = "fp32") -> Any:
        """Return the model in evaluation mode, on the GPU where there is one; it is read straight to it.

        Args:
            precision: Precision of the weights.

        Raises:
            ModelError: If it cannot be loaded, weights are not those of its configuration, or not finite.
        """
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        if self.is_local:
            check_folder(Path(self.path), tokenizer=False)
        with self.within_reach("weights"):
            model, found = AutoModelForCausalLM.from_pretrained(
                self.path,
                revision=self.revision,
                dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
                device_map={"": 0} if torch.cuda.is_available() else None,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # else transformers ends with an error that names no weight
                use_safetensors=True,  # others are pickles
                **NO_CODE,
            )
        refuse_unlike(self.path, type(model).__name__, found)
        refuse_not_finite(self.path, model)
        return model.eval()

    def untrained(self, seed: int) -> TrainedModel:
        """Return a model of this architecture with random weights drawn from ``seed``."""
        import torch
        from transformers import AutoModelForCausalLM

        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = AutoModelForCausalLM.from_config(self.config(), dtype=torch.float32)
        return TrainedModel(model, self.tokenizer())

    def digest(self) -> str:
        """Return the digest of weights and tokenizer."""
        if self.is_local:
            return digest_of_path(Path(self.path))
        return digest_of(self.path, self.revision)

    @contextmanager
    def within_reach(self, part: str) -> Iterator[None]:
        """Name the model and the part of it that a library cannot read.

        Raises:
            ModelError: In place of the library's error.
        """
        try:
            yield
        except Exception as error:
            reason = excerpt(" ".join(str(error).split()) or type(error).__name__, 200)
            if "trust_remote_code" in str(error):
                raise ModelError(
                    f"model {self.path} ships its own code, which is not run: give a model whose architecture is part "
                    f"of transformers"
                ) from error
            if self.is_local:
                raise ModelError(
                    f"the {part} of model {self.path} cannot be read ({type(error).__name__}: {reason}): save the "
                    f"model again, or give another one with --params model=DIR"
                ) from error
            raise ModelError(
                f"model {self.path} cannot be loaded ({reason}); give a local folder with "
                f"--params model=DIR, or, for the hub, set offline: false in engines.yml of the environment"
            ) from error


@functools.lru_cache(maxsize=32)  # every step of a run opens its model
def _check_fit(model: LanguageModel, stamp: tuple[tuple[str, int, int], ...]) -> None:
    """Check that configuration, weights and tokenizer of a folder, whose files have this stamp, belong together."""
    del stamp
    config = model.config()
    if quantised := getattr(config, "quantization_config", None):
        raise ModelError(
            f"{model.path} is quantised (quantization_config {excerpt(quantised)} in its config.json): packed weights "
            f"have no gradients: give the model as it was trained, in F32, BF16 or F16"
        )
    with model.within_reach("weights"):
        empty, found = empty_with(weight_files(Path(model.path)), config)
    refuse_unlike(model.path, type(empty).__name__, found)
    refuse_not_real(model.path, weight_files(Path(model.path)), empty)
    refuse_more_tokens(model.path, model.tokenizer(), empty)


def max_tokens(config: Any) -> int:
    """Return the context length of a model of this configuration, in tokens."""
    return int(getattr(config, "max_position_embeddings", DEFAULT_MAX_TOKENS))


@dataclass(frozen=True)
class TrainedModel:
    """A model in memory together with its tokenizer, ready to be saved.

    Attributes:
        model: The model.
        tokenizer: Its tokenizer.
        second_moments: Weight -> Adam's average of its squared gradient at the end of the training, of its shape;
            empty: unknown.
    """

    model: Any
    tokenizer: Any
    second_moments: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), configuration, tokenizer and, where they are known, second moments."""
        from safetensors.torch import save_file
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        if self.second_moments:
            save_file(dict(self.second_moments), folder / SECOND_MOMENTS)
