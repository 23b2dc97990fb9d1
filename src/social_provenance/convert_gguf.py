"""Unpack a GGUF file into a model folder.

GGUF files keep quantised weights in packed blocks. Nothing can be trained on these, so neither gradients nor
unlearning can use them: the weights are unpacked once and written as safetensors beside the tokenizer.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from social_provenance.errors import ModelError, ProvenanceError
from social_provenance.language_model import LanguageModel, TrainedModel
from social_provenance.model_weights import refuse_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

DTYPES = ("float32", "bfloat16")

LIKE_GPT2 = ("gpt-2", "phi-2", "mpt", "olmo", "jais")
"""Pre-tokenizers that split text as GPT-2 does, which transformers assumes of every one that it does not know."""

SINGLE_DIGITS = ("smollm", "starcoder", "refact", "codeshell", "command-r", "exaone")
"""Pre-tokenizers that split off each digit and then split as GPT-2 does; transformers 5.23 ignores the digits."""


def convert(source: Path, target: Path, dtype: str = "float32", tokenizer: Path | None = None) -> Path:
    """Write the model of a GGUF file as a folder in the transformers format.

    Args:
        source: A GGUF file, or a folder that has exactly one.
        target: New folder; it is complete or not there.
        dtype: Type of the written weights. ``float32`` keeps every unpacked value.
        tokenizer: Folder with a tokenizer to use in place of the one in the file.

    Returns:
        The file that was read.

    Raises:
        ModelError: If there is not exactly one file, the package ``gguf`` is not installed, transformers cannot
            read the architecture, the quantisation or the tokenizer, or ``target`` exists.
    """
    file = find_gguf(source)
    if target.exists():
        raise ModelError(f"{target} exists already and is not overwritten: give a new folder")
    if importlib.util.find_spec("gguf") is None:
        raise ModelError(f"{file} needs the package gguf, which is not installed: run `uv sync --extra gguf`")
    model = TrainedModel(_weights(file, dtype), _tokenizer(file) if tokenizer is None else _given(tokenizer))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as draft:
        model.save(Path(draft) / "model")
        (Path(draft) / "model").rename(target)
    return file


def find_gguf(source: Path) -> Path:
    """Return the GGUF file at a path, or the only one in a folder.

    Raises:
        ModelError: If there is none, or several.
    """
    if source.is_file():
        return source
    files = sorted(source.glob("*.gguf"))
    if len(files) > 1:
        raise ModelError(f"{source} has {len(files)} GGUF files ({', '.join(file.name for file in files)}): name one")
    if not files:
        raise ModelError(f"there is no GGUF file at {source}: give a file, or a folder that has one")
    return files[0]


def _weights(file: Path, dtype: str) -> Any:
    """Return the model with its weights unpacked, free of everything that marks it as quantised."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    try:
        # Explicit, because with the package `kernels` installed the weights would stay packed.
        packed, found = AutoModelForCausalLM.from_pretrained(
            file.parent,
            gguf_file=file.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (ValueError, NotImplementedError, KeyError, IndexError, OSError, RuntimeError) as error:
        raise ModelError(
            f"{file} cannot be read ({_reason(error)}): give a complete GGUF file whose architecture and "
            f"quantisation transformers reads, such as F16, Q8_0 or Q4_K, or the original weights"
        ) from error
    refuse_missing(str(file), found["missing_keys"])
    config = packed.config
    vars(config).pop("quantization_config", None)
    # transformers refuses to save what it loaded from GGUF, so the weights move to a model of their own.
    model = type(packed)(config)
    model.load_state_dict(packed.state_dict())
    return model.to(getattr(torch, dtype))


def _tokenizer(file: Path) -> Any:
    """Return the tokenizer in a file, with the pre-tokenizer that the file names.

    Raises:
        ModelError: If the file has a tokenizer or a pre-tokenizer that is not known.
    """
    from tokenizers import pre_tokenizers
    from transformers import AutoTokenizer
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS, get_gguf_tokenizer

    try:
        _, described, _ = get_gguf_tokenizer(str(file))
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except (ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"{file} has no tokenizer that transformers reads ({_reason(error)}): give that of the original model "
            f"with --tokenizer DIR"
        ) from error
    kind = described.get("pre_tokenizer_type")
    if described["tokenizer_type"] != "gpt2" or kind in GGUF_PRE_TOKENIZER_SPLITS or kind in LIKE_GPT2:
        return tokenizer
    if kind not in SINGLE_DIGITS:
        raise ModelError(
            f"{file} has the pre-tokenizer {kind!r}, which is unknown here, and text would be split into other "
            f"tokens than in training: give the tokenizer of the original model with --tokenizer DIR"
        )
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return tokenizer


def _given(folder: Path) -> Any:
    if not folder.is_dir():
        raise ModelError(f"there is no tokenizer at {folder}: give the folder of the original model's tokenizer")
    return LanguageModel(str(folder.resolve())).tokenizer()


def _reason(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:  # in place of a usage of several lines and exit code 2
        self.exit(1, f"error: {message}; see `{self.prog} --help`\n")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = _Parser(prog="python -m social_provenance.convert_gguf", description=__doc__)
    parser.add_argument("source", type=Path, help="GGUF file, or a folder that has exactly one")
    parser.add_argument("target", type=Path, help="new folder, to be given as --params model=TARGET")
    parser.add_argument("--dtype", choices=DTYPES, default=DTYPES[0], help="of the written weights")
    parser.add_argument("--tokenizer", type=Path, help="folder with the tokenizer of the original model")
    given = parser.parse_args(words)
    try:
        file = convert(given.source, given.target, given.dtype, given.tokenizer)
    except ProvenanceError as error:
        parser.exit(1, f"error: {error}\n")
    sys.stdout.write(f"{file} is unpacked: give --params model={given.target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
