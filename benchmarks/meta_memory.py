"""Peak GPU memory of a 7B study, found on a machine without a GPU. Prints one JSON object.

Usage: python benchmarks/meta_memory.py [--layers 4,8] [--whole]

The architecture is that of OLMo3-7B, the settings are those of ``conf/olmo3``, of
``conf/olmo3_one_gpu`` and of alternatives. Every stage is
followed on tensors without content (``social_provenance.device_memory``). Memory is linear in the number of layers, so
models of ``--layers`` are followed and extrapolated to all; ``--whole`` follows the whole model too, in minutes.
Nothing here was compared with a GPU: the workspaces of CUDA and fragmentation come on top.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.device_memory import GIGABYTE, RESERVE
from social_provenance.forgetting.runs.memory import run_memory
from social_provenance.forgetting.settings import Unlearning
from social_provenance.gradients.settings import GradientSettings
from social_provenance.gradients.walk.bergson_trial import walk_memory
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CONF = Path(__file__).resolve().parents[1] / "conf"
ENVIRONMENTS = ("olmo3", "olmo3_one_gpu")
LAYERS = 32
PATTERN = 4
"""Layers after which attention over a window and over everything repeats."""
CARD = 80 * GIGABYTE
FILLING = (
    *("algorithms", "lora", "precision", "checkpointing"),
    *("batch_documents", "read_documents", "max_tokens", "tokens_at_once"),
)
"""Parameters of unlearning on which the memory of a run depends."""


@dataclass(frozen=True)
class Olmo3(LanguageModel):
    """OLMo3-7B (config.json of allenai/Olmo-3-1025-7B) with any number of layers, without weights."""

    layers: int = LAYERS

    def config(self) -> Any:
        from transformers import Olmo3Config

        return Olmo3Config(
            vocab_size=100278,
            hidden_size=4096,
            intermediate_size=11008,
            num_hidden_layers=self.layers,
            num_attention_heads=32,
            num_key_value_heads=32,
            max_position_embeddings=65536,
            sliding_window=4096,
            layer_types=[
                "full_attention" if layer % PATTERN == PATTERN - 1 else "sliding_attention"
                for layer in range(self.layers)
            ],
        )


def read_parameters(environment: str) -> dict[str, Any]:
    """Return the parameters of an environment."""
    from kedro.config import OmegaConfigLoader

    from social_provenance.settings import CONFIG_LOADER_ARGS

    loader = OmegaConfigLoader(str(CONF), env=environment, runtime_params={"root": "data"}, **CONFIG_LOADER_ARGS)
    read: dict[str, Any] = loader["parameters"]
    return read


def that_take_memory(
    gradients: GradientSettings, unlearning: Unlearning | None
) -> tuple[GradientSettings, Unlearning | None]:
    """Return the settings with all that takes no memory of a GPU as it is by default; tf32 takes what fp32 takes."""
    own = gradients.model_dump(exclude={"ranks_per_shard", "store"})
    walk = GradientSettings(**(own | {"precision": "bf16" if gradients.precision == "bf16" else "fp32"}))
    return walk, unlearning and Unlearning(**unlearning.model_dump(include=set(FILLING)))


def peaks(model: Olmo3, gradients: GradientSettings, unlearning: Unlearning | None) -> dict[str, int]:
    """Return stage -> bytes at its peak; what settings have in common is followed once."""
    walk, runs = that_take_memory(gradients, unlearning)
    found = {"walk": walk_memory(model, walk)}
    return found | (_of_runs(model, runs.model_dump_json(), walk.max_tokens) if runs else {})


@functools.lru_cache(maxsize=64)
def _of_runs(model: Olmo3, settings: str, tokens: int) -> dict[str, int]:
    return run_memory(model.config(), Unlearning.model_validate_json(settings), tokens)


def extrapolate(measure: Callable[[int], Mapping[str, int]], layers: Sequence[int]) -> dict[str, int]:
    """Return what a measure linear in the layers is at :data:`LAYERS`, from its values at two numbers of layers."""
    fewer, more = layers
    low, high = measure(fewer), measure(more)
    return {name: round(low[name] + (high[name] - low[name]) * (LAYERS - fewer) / (more - fewer)) for name in low}


def settings_of() -> dict[str, tuple[GradientSettings, Unlearning | None]]:
    """Return settings by name: those of the environments, and what ``conf/olmo3`` would take otherwise."""
    environments = {
        name: (GradientSettings(**own["gradients"]), Unlearning(**own["unlearning"]))
        for name, own in ((name, read_parameters(name)) for name in ENVIRONMENTS)
    }
    gradients, unlearning = environments["olmo3"]
    whole = {"precision": "fp32", "checkpointing": False, "tokens_at_once": None, "batch_documents": 8}
    whole |= {"read_documents": 8, "max_tokens": 1024}

    def walk(tokens: int, precision: str) -> tuple[GradientSettings, None]:
        return gradients.model_copy(update={"token_batch": tokens, "precision": precision}), None

    def unlearn(**given: Any) -> tuple[GradientSettings, Unlearning]:
        return gradients, unlearning.model_copy(update={**whole, **given})

    return {
        **environments,
        "walk, fp32, 8,192 tokens": walk(8192, "fp32"),
        "walk, bf16, 4,096 tokens": walk(4096, "bf16"),
        "walk, bf16, 8,192 tokens": walk(8192, "bf16"),
        "unlearning, fp32, 8 x 1,024 tokens": unlearn(),
        "unlearning, fp32, 8 x 4,096 tokens": unlearn(max_tokens=4096),
        "unlearning, fp32, all weights, 8 x 1,024 tokens": unlearn(lora=None),
    }


def main() -> None:
    """Print the memory of each stage under each setting, and whether it fits a card of 80 GB."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=lambda text: [int(one) for one in text.split(",")], default=[4, 8])
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    result: dict[str, Any] = {"card": CARD, "left_to_cuda": RESERVE, "settings": {}}
    for name, (gradients, unlearning) in settings_of().items():
        found = extrapolate(
            lambda layers, own=gradients, runs=unlearning: peaks(Olmo3(f"olmo3-{layers}", None, layers), own, runs),
            given.layers,
        )
        row: dict[str, Any] = {"bytes": found, "fits": max(found.values()) + RESERVE <= CARD}
        if given.whole:
            row["bytes_of_the_whole"] = peaks(Olmo3(f"olmo3-{LAYERS}"), gradients, unlearning)
        result["settings"][name] = row
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
