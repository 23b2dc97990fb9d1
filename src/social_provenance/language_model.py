"""A causal language model, identified by its location: a local folder or a name on the hub."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import ModelError, excerpt
from social_provenance.fingerprint import digest_of, digest_of_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WEIGHTS, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
SAFETENSORS, PICKLES = "*.safetensors", ("*.bin", "*.pt", "*.pth", "*.ckpt")
ADAPTER = "adapter_config.json"
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
            ModelError: With the missing or damaged file; if it has a GGUF file or pickles in place of weights, or an
                adapter beside them.
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
        check_folder(Path(self.path))

    def config(self) -> Any:
        """Return the model's configuration.

        Raises:
            ModelError: If it cannot be loaded; :meth:`tokenizer` and :meth:`load` likewise.
        """
        from transformers import AutoConfig

        with self._within_reach("config.json"):
            return AutoConfig.from_pretrained(self.path, revision=self.revision, **NO_CODE)

    def tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with self._within_reach("tokenizer"):
            return AutoTokenizer.from_pretrained(self.path, revision=self.revision, **NO_CODE)

    def load(self) -> Any:
        """Return the model in fp32, in evaluation mode, on the GPU where there is one."""
        import torch
        from transformers import AutoModelForCausalLM
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        if self.is_local:
            check_folder(Path(self.path), tokenizer=False)
        with self._within_reach("weights"):
            model, found = AutoModelForCausalLM.from_pretrained(
                self.path,
                revision=self.revision,
                dtype=torch.float32,
                output_loading_info=True,
                use_safetensors=True,  # others are pickles
                **NO_CODE,
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
    def _within_reach(self, part: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            reason = excerpt(next(iter(str(error).splitlines()), type(error).__name__), 200)
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


def check_folder(folder: Path, *, tokenizer: bool = True) -> None:
    """Check that a folder is a complete model that can be loaded without running code; reads no weight.

    Args:
        folder: Folder of the model.
        tokenizer: Whether it needs a tokenizer; checkpoints have none.

    Raises:
        ModelError: With the file, what is wrong with it, and the fix.
    """
    adapter = (folder / ADAPTER).exists()
    if not (folder / "config.json").exists():
        what = (
            "an adapter: merge it into its model (peft, merge_and_unload)"
            if adapter
            else "not a model folder: name one that save_pretrained has written"
        )
        raise ModelError(f"{folder} has no config.json: it is {what}")
    if adapter:
        raise ModelError(
            f"{folder} has {ADAPTER} beside the model, and the adapter would be loaded on top of it: merge the two "
            f"(peft, merge_and_unload), or move the adapter_* files out of the folder"
        )
    _check_config(folder / "config.json")
    if not (folder / WEIGHTS).exists() and not (folder / WEIGHTS_INDEX).exists():
        pickles = [file.name for pattern in PICKLES for file in sorted(folder.glob(pattern))]
        if pickles:
            raise ModelError(
                f"{folder} has its weights as pickles only ({pickles[0]}), which can run code and are not read: "
                f"convert them to safetensors (load them where you trust them, save_pretrained)"
            )
        raise ModelError(f"{folder} has no weights ({WEIGHTS}): fetch the model again, or save it again")
    for file in _weight_files(folder):
        _check_weights(file)
    if tokenizer and not any((folder / name).exists() for name in TOKENIZER_FILES):
        raise ModelError(f"{folder} has no tokenizer ({', '.join(TOKENIZER_FILES[:3])}): save it beside the weights")


def _check_config(file: Path) -> None:
    config = _read_object(file)
    if not isinstance(config.get("model_type"), str):
        raise ModelError(
            f"{file} names no model_type ({excerpt(config)}), so the architecture is unknown: save the model's "
            f"configuration again (save_pretrained)"
        )


def _weight_files(folder: Path) -> list[Path]:
    """Return the files that transformers takes weights from."""
    index = folder / WEIGHTS_INDEX
    if (folder / WEIGHTS).exists() or not index.exists():
        return [file for file in (folder / WEIGHTS,) if file.exists()]
    places = _read_object(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise ModelError(f"{index} has no weight_map of weights to files: fetch it again")
    return [folder / name for name in sorted(set(places.values()))]


def _check_weights(file: Path) -> None:
    """Check the header of a safetensors file, and that the file is as long as it says."""
    from safetensors import SafetensorError, safe_open

    if not file.exists():
        raise ModelError(f"{file} is missing, which {WEIGHTS_INDEX} names: fetch it again")
    try:
        with safe_open(file, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        size = file.stat().st_size
        raise ModelError(
            f"{file} is damaged ({error}; it has {size:,} bytes): fetch it again, or save the model again"
        ) from error


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{file} is not JSON ({error}): fetch it again, or save the model again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{file} is not a JSON object ({excerpt(content)}): fetch it again, or save the model again")
    return content


def _is_packed(place: Path) -> bool:
    """Return whether a place is a GGUF file, or a folder that has one and no other weights."""
    if place.is_file():
        return place.suffix == GGUF
    others = (SAFETENSORS, "pytorch_model*.bin")
    return any(place.glob(f"*{GGUF}")) and not any(any(place.glob(pattern)) for pattern in others)


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
