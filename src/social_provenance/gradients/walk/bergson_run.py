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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.gradients.walk.bergson_adam import adam_normalizers, read_moments
from social_provenance.gradients.walk.bergson_index import INDEX, StatesOfRank, join_states
from social_provenance.gradients.walk.coverage import named_errors
from social_provenance.language_model import SECOND_MOMENTS, max_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import torch
    from datasets import Dataset

    from social_provenance.gradients.settings import Distributed, GradientSettings
    from social_provenance.language_model import LanguageModel


def _nobody(rows: int) -> None:
    del rows


@dataclass
class Walker:
    """Collects gradients in this process with one model, which is loaded once.

    Attributes:
        model: The model, whose loss is differentiated.
        settings: Projection and batches; a batch never exceeds the model's longest sequence.
        distributed: Processes, of which this is one.
        watch: Called with the number of rows of each batch.
    """

    model: LanguageModel
    settings: GradientSettings
    distributed: Distributed
    watch: Callable[[int], object] = _nobody
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
        config = index_config(self.model, self.settings, folder / INDEX, self.distributed)
        with quiet():
            if self._loaded is None:
                self._loaded = load_frozen(config)
            (batches,) = deal_batches(sequences["length"], config.token_batch_size, 1, fsdp=False)
            with named_errors(self.model.path):
                walk_batches(self._loaded, config, sequences, folder, Batches(batches, self.watch))
        join_states(folder, len(sequences))
        config.partial_run_path.rename(folder / INDEX)


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
        optimizer_state=str(Path(model.path) / SECOND_MOMENTS) if settings.normalizer == "adam" else "",
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


def walk_batches(
    loaded: tuple[Any, Any], config: Any, sequences: Dataset, folder: Path, batches: Batches, rank: int = 0
) -> None:
    """Write the gradients of some batches into an index that other processes may write to as well, and their states.

    Args:
        loaded: Of :func:`load_frozen`.
        config: Of :func:`index_config`.
        sequences: Rows of the shard.
        folder: Folder of the shard.
        batches: Batches of this process.
        rank: Number of this process.
    """
    from bergson import PreprocessConfig
    from bergson.collection import collect_gradients
    from bergson.utils.worker_utils import processor_for

    model, targets = loaded
    if rank == 0:
        processor_for(config).save(config.partial_run_path)  # without second moments, as large as the model
    moments = read_moments(Path(config.optimizer_state)) if config.optimizer_state else {}
    states = StatesOfRank(folder, rank, (batches.rows, int(model.config.hidden_size)))
    handle = model.base_model.register_forward_hook(_MeanStates(batches, list(sequences["length"]), states))
    try:
        with matmul_precision(config):
            collect_gradients(
                model=model,
                data=sequences,
                processor=processor_for(config, adam_normalizers(model, moments, targets)),
                cfg=config,
                batches=batches,
                target_modules=targets,
                preprocess_cfg=PreprocessConfig(),
            )
    finally:
        handle.remove()
    states.close()


class Batches(list[list[int]]):
    """Batches that record which of them the model is processing."""

    def __init__(self, batches: list[list[int]], watch: Callable[[int], object] = _nobody) -> None:
        """Take the batches, and what is called with the rows of each that is done."""
        super().__init__(batches)
        self.rows = sum(map(len, batches))
        self._watch = watch
        self.current: list[int] = []

    def __iter__(self) -> Iterator[list[int]]:
        for self.current in super().__iter__():
            yield self.current
            self._watch(len(self.current))


class _MeanStates:
    """Forward hook on the model's body: the mean last hidden state over each row's own tokens."""

    def __init__(self, batches: Batches, lengths: list[int], states: StatesOfRank) -> None:
        self._batches, self._lengths, self._states = batches, lengths, states

    def __call__(self, module: Any, args: Any, output: Any) -> None:
        import torch

        del module, args
        states = output[0].detach()
        rows = self._batches.current
        lengths = torch.tensor([self._lengths[row] for row in rows], device=states.device)
        mask = torch.arange(states.shape[1], device=states.device)[None, :] < lengths[:, None]
        self._states.add(rows, ((states * mask[..., None]).sum(dim=1) / lengths[:, None]).float().cpu().numpy())


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
