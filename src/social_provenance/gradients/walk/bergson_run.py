"""The adapter of Bergson: fresh configurations in, plain arrays out.

Bergson mutates the configurations that it is given, looks relative model paths up on the hub, and
its ``trackstar`` command passes over the corpus twice for every benchmark. Here its collector computes
the projected gradients of a tokenised dataset, in Bergson's own index format: its ``Attributor``,
``query`` and FAISS tools open each shard.
"""

from __future__ import annotations

import contextlib
import io
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.gradients.walk.bergson_index import INDEX, STATES
from social_provenance.gradients.walk.coverage import named_errors
from social_provenance.language_model import max_tokens
from social_provenance.processes import follow_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import torch
    from datasets import Dataset

    from social_provenance.gradients.settings import Distributed, GradientSettings
    from social_provenance.language_model import LanguageModel


def _nobody(rows: int) -> None:
    del rows


@dataclass
class Walker:
    """Collects gradients with one model, which is loaded once.

    Attributes:
        model: The model, whose loss is differentiated.
        settings: Projection and batches; a batch never exceeds the model's longest sequence.
        distributed: Processes; with more than one, Bergson starts new ones for each call.
        watch: Called with the number of rows of each batch, if they are processed in this process.
    """

    model: LanguageModel
    settings: GradientSettings
    distributed: Distributed
    watch: Callable[[int], None] = _nobody
    _loaded: Any = field(default=None, init=False)

    def collect(self, sequences: Dataset, folder: Path) -> None:
        """Write the projected loss gradient and the mean hidden state of each sequence.

        Args:
            sequences: Rows with ``input_ids`` and ``length``; ``labels`` (-100 where no loss is
                taken) where not every token counts; other columns are kept beside the gradients.
            folder: Gets ``index``, a Bergson index (``gradients.bin``, rows x dimensions), and
                ``embeddings.npy`` (rows x hidden size, fp32), the mean last hidden state.
        """
        import_bergson()
        from bergson.distributed import launch_distributed_run
        from numpy.lib.format import open_memmap

        shape = (len(sequences), int(self.model.config().hidden_size))
        config = self._config(folder)
        shares = deal_batches(sequences["length"], config.token_batch_size, config.distributed.world_size, config.fsdp)
        if config.distributed.rank == 0:  # another node may come here before the first has made the folder
            open_memmap(folder / STATES, "w+", "float32", shape).flush()
        with quiet():
            if config.distributed.world_size == 1:
                if self._loaded is None:
                    self._loaded = load_frozen(config)
                with named_errors(self.model.path):
                    _walk(self._loaded, config, sequences, folder / STATES, _Batches(shares[0], self.watch))
            else:
                job = (config, sequences, folder / STATES)
                launch_distributed_run("collect", _work, [job, shares], config.distributed)
        if config.distributed.rank == 0:
            config.partial_run_path.rename(folder / INDEX)

    def _config(self, folder: Path) -> Any:
        return index_config(self.model, self.settings, folder / INDEX, self.distributed)


def deal_batches(lengths: Sequence[int], batch_tokens: int, processes: int, fsdp: bool) -> list[list[list[int]]]:
    """Return the batches of each process: those of a single process, assigned round-robin.

    So what is stored does not depend on the number of processes, and a process may have no batch. The
    processes of a sharded model run in step: there every one has a batch, and those with one batch less
    process their last one twice, which writes the same values twice.

    Args:
        lengths: Tokens of each sequence.
        batch_tokens: Upper bound on the tokens of a batch, padding included.
        processes: Number of processes.
        fsdp: Whether the model is sharded over them; then each needs a sequence.
    """
    import_bergson()
    from bergson.data import allocate_batches

    most = len(lengths) // processes if fsdp else None
    with quiet():
        batches = allocate_batches(list(lengths), batch_tokens, max_batch_size=most)
    shares = [batches[process::processes] for process in range(processes)]
    if not fsdp:
        return shares
    return [share + share[-1:] * (len(shares[0]) - len(share)) for share in shares]


def index_config(model: LanguageModel, settings: GradientSettings, run_path: Path, distributed: Distributed) -> Any:
    """Return a fresh Bergson ``IndexConfig``, without data."""
    from bergson import IndexConfig
    from bergson.config.config import DistributedConfig

    config = IndexConfig(
        run_path=str(run_path.resolve()),
        model=model.path,
        revision=model.revision,
        tokenizer=model.path,
        precision="bf16" if settings.precision == "bf16" else "fp32",
        model_kwargs="" if settings.attention == "auto" else f"attn_implementation={settings.attention}",
        projection_dim=settings.projection_dim,
        projection_type=settings.projection_type,
        loss_reduction=settings.loss_reduction,
        token_batch_size=min(settings.token_batch, max_tokens(model.config())),
        moe_experts=settings.moe_experts,
        fsdp=distributed.fsdp,
        distributed=DistributedConfig(nnode=distributed.nnode, nproc_per_node=distributed.nproc_per_node),
    )
    config.use_tf32_matmuls = settings.precision == "tf32"  # given to it, it would change this process for good
    return config


def load_frozen(config: Any) -> tuple[Any, Any]:
    """Load the model of a configuration and the names of its modules, None for all.

    Of its weights only the embeddings have gradients, so that a backward pass reaches every module.
    """
    from bergson.utils.worker_utils import setup_model_and_peft

    loaded: tuple[Any, Any] = setup_model_and_peft(config)
    return loaded


@contextlib.contextmanager
def matmul_precision(config: Any) -> Iterator[None]:
    """Round the factors of matrix products as a configuration says, inside the block."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if config.use_tf32_matmuls else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _work(
    rank: int, local_rank: int, world_size: int, job: tuple[Any, Dataset, Path], shares: list[list[list[int]]]
) -> None:
    """Collect gradients as one of several processes."""
    from bergson.distributed import init_dist

    follow_parent()
    init_dist(rank, local_rank, world_size)
    with quiet():
        _walk(load_frozen(job[0]), *job, _Batches(shares[rank], _nobody))


def _walk(loaded: tuple[Any, Any], config: Any, sequences: Dataset, states: Path, batches: _Batches) -> None:
    from bergson import PreprocessConfig
    from bergson.collection import collect_gradients
    from bergson.utils.worker_utils import create_processor

    model, targets = loaded
    pooling = _MeanStates(batches, list(sequences["length"]), states)
    handle = model.base_model.register_forward_hook(pooling)
    try:
        with matmul_precision(config):
            collect_gradients(
                model=model,
                data=sequences,
                processor=create_processor(model, config, targets),
                cfg=config,
                batches=batches,
                target_modules=targets,
                preprocess_cfg=PreprocessConfig(),
            )
    finally:
        handle.remove()
    pooling.close()


class _Batches(list[list[int]]):
    """Batches that record which of them the model is processing."""

    def __init__(self, batches: list[list[int]], watch: Callable[[int], None]) -> None:
        super().__init__(batches)
        self._watch = watch
        self.current: list[int] = []

    def __iter__(self) -> Iterator[list[int]]:
        for self.current in super().__iter__():
            yield self.current
            self._watch(len(self.current))


class _MeanStates:
    """Forward hook on the model's body: the mean last hidden state over each row's own tokens."""

    def __init__(self, batches: _Batches, lengths: list[int], path: Path) -> None:
        self._batches, self._lengths = batches, lengths
        self._states = np.load(path, mmap_mode="r+")

    def __call__(self, module: Any, args: Any, output: Any) -> None:
        import torch

        del module, args
        states = output[0].detach()
        rows = self._batches.current
        lengths = torch.tensor([self._lengths[row] for row in rows], device=states.device)
        mask = torch.arange(states.shape[1], device=states.device)[None, :] < lengths[:, None]
        self._states[rows] = ((states * mask[..., None]).sum(dim=1) / lengths[:, None]).float().cpu().numpy()

    def close(self) -> None:
        self._states.flush()


def mixing_coefficient(
    query: Mapping[str, torch.Tensor], corpus: Mapping[str, torch.Tensor], target_component: int
) -> float:
    """Return lambda so that both spectra cross at a component (Chang et al. 2025, A.1.3).

    Args:
        query: Module -> eigenvalues of the queries' second moment.
        corpus: Module -> eigenvalues of the corpus's second moment.
        target_component: Index in the pooled, sorted spectra, from 1.
    """
    import_bergson()
    from bergson.utils.math import compute_lambda

    def pairs(eigenvalues: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        return {name: (values, None) for name, values in eigenvalues.items()}

    return float(compute_lambda(pairs(query), pairs(corpus), target_component))


def inverse_root(moment: torch.Tensor, damping: float) -> torch.Tensor:
    """Return ``(moment + damping * mean eigenvalue * I) ** (-1/2)``."""
    import_bergson()
    from bergson.hessians.inversion import invert_psd_matrix

    root: torch.Tensor = invert_psd_matrix(moment, inversion="damped_inverse", damping_factor=damping, power=-0.5)
    return root


def import_bergson() -> None:
    """Import Bergson; the messages of it and its dependencies are suppressed."""
    with quiet(logging.WARNING):
        import bergson.build
        import bergson.hessians.inversion  # noqa: F401


@contextlib.contextmanager
def quiet(upto: int = logging.INFO) -> Iterator[None]:
    """Suppress Bergson's prints, progress bars and messages up to a level.

    The format of the root logger's handlers, which Bergson replaces, is restored. Errors propagate.
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
