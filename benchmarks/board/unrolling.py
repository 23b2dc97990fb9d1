"""SOURCE: influence by approximate unrolling over checkpoints (Bae et al. 2024, arXiv 2405.12186), through Bergson.

Training is cut into segments with a constant curvature (EK-FAC, averaged over a segment's checkpoints), over which a
query's gradient decays by ``exp(-lr * steps * curvature)``. Two variants: ``adam`` preconditions by AdamW's second
moments at the checkpoints and uses only the diagonal of the curvature in the exponential, ``sgd`` takes training for
plain descent.

Documents are sequences of their own here, without the label smoothing, weight decay and clipping of training; covered
are the linear layers of the model's body, as in the other gradient methods.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.errors import ProvenanceError
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.bergson_run import import_bergson, index_config, quiet
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from board.replay import Moment, Replay

logger = logging.getLogger(__name__)

ADAM, SGD = "adam", "sgd"
VARIANTS = (ADAM, SGD)


@dataclass(frozen=True)
class Unrolling:
    """Settings of approximate unrolling.

    Attributes:
        checkpoints: States of the training that are kept, evenly spaced; the last is its end.
        segments: Parts of the training; a divisor of ``checkpoints``.
        variant: ``adam`` or ``sgd``.
    """

    checkpoints: int = 6
    segments: int = 3
    variant: str = ADAM

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.segments < 1 or self.checkpoints % self.segments:
            raise ProvenanceError(
                f"--checkpoints: {self.checkpoints} cannot be dealt to {self.segments} segments: give a multiple of "
                f"--segments"
            )


def score_unrolling(replay: Replay, settings: Unrolling, folder: Path) -> np.ndarray:
    """Return the support of each document for each item, documents x items, positive where it lowers the item's loss.

    Up to a constant factor it predicts the rise of the loss without the document.

    Args:
        replay: The training.
        settings: Checkpoints and segments.
        folder: Folder of temporary files: weights, moments and factors of each checkpoint.

    Raises:
        ProvenanceError: If a score is not finite.
    """
    steps = even_steps(replay.steps, settings.checkpoints)
    moments = replay.record(steps)
    with TemporaryDirectory(prefix="unrolling-", dir=folder) as temporary:
        place = Path(temporary)
        checkpoints = [save_checkpoint(replay, moments[step], place / "checkpoints" / f"step_{step}") for step in steps]
        scores = _run(replay, settings, checkpoints, place)
    if not np.isfinite(scores).all():
        raise ProvenanceError(
            f"unrolling: scores over {settings.checkpoints} checkpoints are not finite: give other --checkpoints, or "
            f"leave unrolling out"
        )
    return scores


def even_steps(steps: int, count: int) -> list[int]:
    """Return ``count`` steps of a training, evenly spaced up to its end."""
    return [steps * (number + 1) // count for number in range(count)]


def rates(replay: Replay, segments: int) -> list[tuple[float, int]]:
    """Return the mean learning rate and the number of steps of each segment.

    Rates are divided by the mean number of predicted tokens of a document: the training's loss is a mean over tokens,
    and Bergson's curvature is that of a document's summed loss.
    """
    tokens = float(np.mean([len(ids) - 1 for ids in replay.tokens]))
    ends = [0, *even_steps(replay.steps, segments)]
    return [
        (float(np.mean([replay.rate(step) for step in range(first + 1, last + 1)])) / tokens, last - first)
        for first, last in pairwise(ends)
    ]


def save_checkpoint(replay: Replay, moment: Moment, folder: Path) -> Path:
    """Write a moment as a model with tokenizer and ``optimizer.pt``, as a trainer leaves it."""
    import torch

    model = replay.new_model()
    model.load_state_dict(moment.params)
    model.save_pretrained(folder)
    replay.reader.save_pretrained(folder)
    state = {
        number: {"step": moment.step, "param_name": name, "exp_avg": moment.first[name], "exp_avg_sq": second}
        for number, (name, second) in enumerate(moment.second.items())
    }
    group = {"betas": (0.9, replay.settings.optimiser.beta2), "eps": 1e-8, "params": list(state)}
    torch.save({"state": state, "param_groups": [group]}, folder / "optimizer.pt")
    return folder


def _run(replay: Replay, settings: Unrolling, checkpoints: Sequence[Path], place: Path) -> np.ndarray:
    import_bergson()
    from bergson.approx_unrolling.pipeline import approx_unrolling_pipeline
    from bergson.config import ApproxUnrollingConfig, DataConfig, HessianConfig
    from bergson.config.config import QuerySetConfig
    from bergson.data import load_scores

    documents = _save({"input_ids": [list(ids) for ids in replay.tokens]}, place / "documents")
    items = _save(_questions(replay), place / "items")
    last = LanguageModel.at(str(checkpoints[-1]))
    config = index_config(last, GradientSettings(), place / "run", Distributed())
    config.projection_dim = 0
    config.data = DataConfig(dataset=documents)
    lrs, lengths = zip(*rates(replay, settings.segments), strict=True)
    unrolling = ApproxUnrollingConfig(
        checkpoints=[str(checkpoint) for checkpoint in checkpoints],
        segments=settings.segments,
        lr_list=list(lrs),
        step_size_list=list(lengths),
        use_adam_preconditioner=settings.variant == ADAM,
        query=QuerySetConfig(dataset=items, aggregation="none"),
    )
    with quiet():
        approx_unrolling_pipeline(config, HessianConfig(method="kfac", ev_correction=True), unrolling)
        # Bergson's are negative where a document lowers the loss.
        return -np.array(load_scores(place / "run" / "scores")[:], np.float64)


def _questions(replay: Replay) -> dict[str, Any]:
    pairs = [
        (list(prompt), list(answer))
        for prompt, answer in zip(replay.items["prompt_ids"], replay.items["answer_ids"], strict=True)
    ]
    return {
        "input_ids": [prompt + answer for prompt, answer in pairs],
        "labels": [[-100] * len(prompt) + answer for prompt, answer in pairs],
    }


def _save(columns: dict[str, Any], folder: Path) -> str:
    from datasets import Dataset

    with quiet():
        rows = Dataset.from_dict({**columns, "length": [len(ids) for ids in columns["input_ids"]]})
        rows.save_to_disk(folder)
    return str(folder)
