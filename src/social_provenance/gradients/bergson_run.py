"""The adapter of Bergson: fresh configurations in, plain arrays out.

Bergson mutates the configurations that it is given, looks relative model paths up on the hub, and
its ``trackstar`` command walks the corpus twice for every benchmark. Here ``build`` is used for
one thing, the projected gradients of a tokenised dataset, and what it writes stays in its own
index format.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import shutil
from typing import TYPE_CHECKING, Any

from social_provenance.language_model import max_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    import torch
    from datasets import Dataset

    from social_provenance.gradients.settings import GradientSettings
    from social_provenance.language_model import LanguageModel

INDEX, SEQUENCES = "index", "sequences"


def build_index(sequences: Dataset, model: LanguageModel, settings: GradientSettings, folder: Path) -> None:
    """Write the projected loss gradient of each sequence as a Bergson index.

    Args:
        sequences: Rows with ``input_ids``, ``labels`` (-100 where no loss is taken), ``length``;
            other columns are kept beside the gradients.
        model: Whose loss.
        settings: Projection and batches; a batch never exceeds the model's longest sequence.
        folder: Gets ``index``, a Bergson index.
    """
    _import_bergson()
    from bergson import DataConfig, IndexConfig, PreprocessConfig
    from bergson.build import build
    from bergson.config.config import DistributedConfig

    with _quiet():
        sequences.save_to_disk(str(folder / SEQUENCES))
    config = IndexConfig(
        run_path=str((folder / INDEX).resolve()),
        model=model.path,
        revision=model.revision,
        tokenizer=model.path,
        data=DataConfig(dataset=str((folder / SEQUENCES).resolve())),
        precision="fp32",
        projection_dim=settings.projection_dim,
        projection_type=settings.projection_type,
        loss_reduction=settings.loss_reduction,
        token_batch_size=min(settings.token_batch, max_tokens(model.config())),
        drop_columns=False,
        distributed=DistributedConfig(nproc_per_node=1),
    )
    with _quiet():
        build(config, PreprocessConfig())
    shutil.rmtree(folder / SEQUENCES)


def read_index(folder: Path) -> tuple[np.ndarray, dict[str, int], Dataset]:
    """Open an index without reading it.

    Returns:
        The gradients (memory map, rows x numbers), the numbers of each module in column order, and
        the rows' other columns with ``loss`` (nats, reduced as set).
    """
    _import_bergson()
    from bergson.data import load_gradients
    from datasets import load_from_disk

    index = folder / INDEX
    sizes = json.loads((index / "info.json").read_text())["grad_sizes"]
    return load_gradients(index), sizes, load_from_disk(str(index / "data.hf"))


def mixing_coefficient(
    query: Mapping[str, torch.Tensor], corpus: Mapping[str, torch.Tensor], target_component: int
) -> float:
    """Return lambda so that both spectra cross at a component (Chang et al. 2025, A.1.3).

    Args:
        query: Module -> eigenvalues of the queries' second moment.
        corpus: Module -> eigenvalues of the corpus's second moment.
        target_component: Place in the pooled, sorted spectra, from 1.
    """
    _import_bergson()
    from bergson.utils.math import compute_lambda

    def pairs(eigenvalues: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        return {name: (values, None) for name, values in eigenvalues.items()}

    return float(compute_lambda(pairs(query), pairs(corpus), target_component))


def inverse_root(moment: torch.Tensor, damping: float) -> torch.Tensor:
    """Return ``(moment + damping * mean eigenvalue * I) ** (-1/2)``."""
    _import_bergson()
    from bergson.hessians.inversion import invert_psd_matrix

    root: torch.Tensor = invert_psd_matrix(moment, inversion="damped_inverse", damping_factor=damping, power=-0.5)
    return root


def _import_bergson() -> None:
    """Import Bergson without what it and its dependencies do to the log."""
    with _quiet(logging.WARNING):
        import bergson.build
        import bergson.hessians.inversion  # noqa: F401


@contextlib.contextmanager
def _quiet(upto: int = logging.INFO) -> Iterator[None]:
    """Keep Bergson's prints, progress bars and messages up to a level out of the log.

    The format of the root logger's handlers, which it replaces, is put back. Errors still rise.
    """
    previous = logging.root.manager.disable
    handlers = [(handler, handler.formatter, handler.level) for handler in logging.root.handlers]
    level = logging.root.level
    logging.disable(upto)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(previous)
        logging.root.handlers[:] = [handler for handler, _, _ in handlers]
        logging.root.setLevel(level)
        for handler, formatter, own in handlers:
            handler.setFormatter(formatter)
            handler.setLevel(own)
