"""A causal language model, identified by its location: a local folder or a name on the hub."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import ModelError
from social_provenance.fingerprint import digest_of, digest_of_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WEIGHT_PATTERNS = ("*.safetensors", "pytorch_model*.bin")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")
GGUF = ".gguf"
DEFAULT_MAX_TOKENS = 2048
NO_CODE = {"trust_remote_code": False}
"""Explicit, because transformers prompts on the terminal where it is not set."""

HUB = "hf://"
"""Prefix of a name on the hub: without a scheme, Kedro takes it for a path relative to the project."""


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
    def at(cls, place: str, revision: str | None = None) -> LanguageModel:
        """Return the model at a place given as in the catalog.

        Args:
            place: A folder, ``hf://OWNER/NAME`` or ``hf://OWNER/NAME@REVISION``.
            revision: Revision on the hub, if the place has none.

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
        model.check()
        return model

    @property
    def is_local(self) -> bool:
        return os.path.isdir(self.path)

    def check(self) -> None:
        """Check that a local folder has a model and its tokenizer.

        Raises:
            ModelError: With the missing files, or if it has a GGUF file in place of weights.
        """
        if _is_packed(Path(self.path)):
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
        if not (Path(self.path) / "config.json").exists():
            raise ModelError(f"{self.path} has no config.json: it is not a model folder")
        if not any(any(Path(self.path).glob(pattern)) for pattern in WEIGHT_PATTERNS):
            raise ModelError(
                f"{self.path} has no weights ({', '.join(WEIGHT_PATTERNS)}): the model folder is incomplete"
            )
        if not any((Path(self.path) / name).exists() for name in TOKENIZER_FILES):
            raise ModelError(
                f"{self.path} has no tokenizer ({', '.join(TOKENIZER_FILES[:3])}): save it beside the weights"
            )

    def config(self) -> Any:
        """Return the model's configuration.

        Raises:
            ModelError: If it cannot be loaded; :meth:`tokenizer` and :meth:`load` likewise.
        """
        from transformers import AutoConfig

        with self._within_reach():
            return AutoConfig.from_pretrained(self.path, revision=self.revision, **NO_CODE)

    def tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with self._within_reach():
            return AutoTokenizer.from_pretrained(self.path, revision=self.revision, **NO_CODE)

    def load(self) -> Any:
        """Return the model in fp32, in evaluation mode, on the GPU where there is one."""
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        with self._within_reach():
            model, found = AutoModelForCausalLM.from_pretrained(
                self.path, revision=self.revision, dtype=torch.float32, output_loading_info=True, **NO_CODE
            )
        refuse_missing(self.path, found["missing_keys"])
        return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()

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
    def _within_reach(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ModelError(
                f"model {self.path} cannot be loaded ({str(error).splitlines()[0]}); give a local folder with "
                f"--params model=DIR, or, for the hub, set offline: false in engines.yml of the environment"
            ) from error
        except ValueError as error:
            if "trust_remote_code" not in str(error):
                raise
            raise ModelError(
                f"model {self.path} ships its own code, which is not run: give a model whose architecture is part "
                f"of transformers"
            ) from error


def _is_packed(place: Path) -> bool:
    """Return whether a place is a GGUF file, or a folder that has one and no other weights."""
    if place.is_file():
        return place.suffix == GGUF
    return any(place.glob(f"*{GGUF}")) and not any(any(place.glob(pattern)) for pattern in WEIGHT_PATTERNS)


def refuse_missing(place: str, weights: Collection[str]) -> None:
    """Check that no weight of a model was missing: transformers would initialise it at random, with a warning.

    Raises:
        ModelError: With the first missing weight.
    """
    if weights:
        more = f" and {len(weights) - 1} more" if len(weights) > 1 else ""
        raise ModelError(
            f"{place} has no weight {min(weights)!r}{more}, which would be drawn at random: give a complete model "
            f"of the requested architecture"
        )


def max_tokens(config: Any) -> int:
    """Return the context length of a model of this configuration, in tokens."""
    return int(getattr(config, "max_position_embeddings", DEFAULT_MAX_TOKENS))


@dataclass(frozen=True)
class TrainedModel:
    """A model in memory together with its tokenizer, ready to be saved."""

    model: Any
    tokenizer: Any

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), configuration and tokenizer."""
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
