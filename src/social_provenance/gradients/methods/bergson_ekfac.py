"""EKFAC influence through Bergson (Grosse et al. 2023, arXiv 2308.03296).

The curvature of each linear module is its Fisher information in the eigenbasis of Kronecker factors,
with eigenvalues refitted in that basis. It needs gradients that are not projected, so nothing is taken
from the gradient store: it makes one forward pass over the corpus (labels) and three forward and
backward passes (factors, eigenvalues, scores), in one process, with gradients of full length.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.errors import AttributionError
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.settings import Distributed
from social_provenance.gradients.walk.bergson_run import import_bergson, index_config, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch
    from datasets import Dataset

    from social_provenance.gradients.settings import GradientSettings
    from social_provenance.language_model import LanguageModel

    Block = tuple[str, int]

logger = logging.getLogger(__name__)

DRAWS = ("factor_labels", "eigenvalue_labels")
"""Columns that :meth:`Engine.draw_labels` adds."""
ROWS = 256
"""Documents whose labels are drawn at a time."""
SEED = 42


def score_ekfac(
    sequences: Dataset,
    queries: Mapping[str, Dataset],
    model: LanguageModel,
    settings: GradientSettings,
    *,
    damping: float,
    folder: Path,
) -> Iterator[tuple[str, np.ndarray]]:
    """Score documents by ``g(m) . (F + c mean(F) I)^(-1) g(q)``; a positive score lowers the query's loss.

    F is the Fisher information of a document's loss, a block for each linear module, and mean(F) the
    block's mean eigenvalue: c = 0.1 in Grosse et al. For large c it becomes an inner product
    of gradients in which each module has the weight 1 / mean(F). The inverse, being linear, is applied to
    the mean gradient of each block of queries; all benchmarks are scored in one pass over the corpus.

    Memory: blocks of all benchmarks x weights of the covered modules, 4 bytes each, on the model's
    device. Disk, below ``folder``: documents x blocks, two labels for each token, and the factors.

    Args:
        sequences: Documents: ``doc_id``, ``input_ids``, ``length``; loss on every token.
        queries: Benchmark -> ``block`` (int from 0), ``input_ids``, ``labels`` (-100 where no loss is
            taken), ``length``.
        model: The model, in fp32, on the GPU if there is one.
        settings: Reduction of losses and size of batches; the projection does not apply.
        damping: c, above 0: no document has a gradient in most directions of a large module.
        folder: Folder of temporary files, which are removed when the iterator ends or is closed.

    Yields:
        Benchmark and its scores, fp32, documents x blocks: the mean over the block's queries. The mean
        over blocks, weighted with their numbers of queries, is the mean over all queries.

    Raises:
        AttributionError: If the damping is not above 0, a block has no query, or a prediction, gradient
            or score is not finite.
    """
    if not damping > 0:
        raise AttributionError(f"ekfac cannot invert its curvature with damping {damping}: set scoring.damping above 0")
    blocks = _blocks(queries)
    with TemporaryDirectory(prefix="ekfac-", dir=folder) as temporary:
        engine = Engine.load(model, settings, Path(temporary))
        drawn = engine.draw_labels(sequences)
        logger.info("EKFAC: drew labels for the tokens of %d documents", len(sequences))
        engine.fit(drawn)
        logger.info("EKFAC: fitted the curvature on them")
        scores = engine.score(sequences, engine.aim(blocks, damping))
        for row in np.flatnonzero(~np.isfinite(scores).all(axis=1))[:1]:
            raise _not_finite(f"the gradient of document {sequences[int(row)]['doc_id']!r}")
        for benchmark in queries:
            yield benchmark, np.ascontiguousarray(scores[:, [name == benchmark for name, _ in blocks]])


@dataclass(frozen=True)
class Engine:
    """A model as Bergson loads it, once for all passes.

    Attributes:
        config: Bergson's ``IndexConfig``, without a projection.
        model: The model as Bergson loads it.
        targets: Modules that Bergson covers; None: every linear one of the model's body.
        folder: Folder of the factors and other files of a pass.
    """

    config: Any
    model: Any
    targets: Any
    folder: Path

    @classmethod
    def load(cls, model: LanguageModel, settings: GradientSettings, folder: Path) -> Engine:
        """Load the model, in fp32: its factors are inverted; files go below ``folder``."""
        import_bergson()
        from bergson.utils.worker_utils import setup_model_and_peft

        full = settings.model_copy(update={"precision": "fp32"})
        config = index_config(model, full, folder / "walk", Distributed())
        config.projection_dim = 0
        config.partial_run_path.mkdir()
        with quiet():
            loaded, targets = setup_model_and_peft(config)
        return cls(config, loaded, targets, folder)

    def draw_labels(self, sequences: Dataset) -> Dataset:
        """Draw two sets of labels for each document from the model's own predictions.

        The Fisher information is the second moment of gradients of the loss on labels that the model
        draws; with the document's own tokens it is the "empirical Fisher", another matrix (Kunstner et
        al. 2019). Bergson would draw from one stream of random numbers, and its factors would depend on
        batches and on the order of documents. Here a document's random numbers come from its id, and
        the token is the one at which the cumulative probability passes the number.

        Returns:
            ``input_ids``, ``length`` and :data:`DRAWS`, one for each walk that fits, in a file.
        """
        with quiet():
            return sequences.select_columns(["doc_id", "input_ids", "length"]).map(
                self._draw_rows,
                batched=True,
                batch_size=ROWS,
                remove_columns=["doc_id"],
                cache_file_name=str(self.folder / "labels.arrow"),
                new_fingerprint=digest_of(str(self.folder)),  # else it pickles the model to make one
            )

    def _draw_rows(self, rows: Mapping[str, Any]) -> dict[str, list[Any]]:
        labels: dict[str, list[Any]] = {name: [None] * len(rows["length"]) for name in DRAWS}
        for batch in self._batches(rows["length"]):
            drawn = self._draw([(rows["doc_id"][row], rows["input_ids"][row]) for row in batch])
            for position, row in enumerate(batch):
                first, *predicted = rows["input_ids"][row]
                for column, draw in zip(labels.values(), drawn[position].T, strict=True):
                    column[row] = [first, *draw[: len(predicted)]]
        return labels

    def _draw(self, documents: Sequence[tuple[str, Sequence[int]]]) -> np.ndarray:
        """Return documents x predicted positions x draws."""
        import torch
        from bergson.data import pad_and_tensor

        tokens, *_, predicts = pad_and_tensor([list(ids) for _, ids in documents], device=self.model.device)
        numbers = np.zeros((len(tokens), tokens.shape[1] - 1, len(DRAWS)), dtype=np.float32)
        for row, (doc_id, ids) in enumerate(documents):
            rng = np.random.default_rng(int(digest_of(doc_id, SEED), 16))
            numbers[row, : len(ids) - 1] = rng.random((len(ids) - 1, len(DRAWS)), dtype=np.float32)
        with torch.no_grad():
            logits = self.model(tokens).logits[:, :-1].float()
            unusable = (predicts[:, :-1] & ~logits.isfinite().all(dim=-1)).any(dim=-1)
            if unusable.any():
                raise _not_finite(f"the model's prediction for document {documents[int(unusable.int().argmax())][0]!r}")
            passed = logits.softmax(dim=-1).cumsum(dim=-1)
            sought = torch.from_numpy(numbers).to(passed.device) * passed[..., -1:]
            drawn = torch.searchsorted(passed, sought, right=True).clamp_max(passed.shape[-1] - 1)
        return np.asarray(drawn.cpu())

    def fit(self, drawn: Dataset) -> None:
        """Write the eigenvectors of each module's Kronecker factors and the eigenvalues in their basis.

        Factors: mean over tokens of ``a a^T`` (inputs) and ``d d^T`` (derivatives by the outputs).
        Eigenvalue of the pair (u, v): mean over documents of ``(u^T G v)^2``, with G the document's
        gradient (George et al. 2018; equation 20 of Grosse et al.). ``drawn``: of :meth:`draw_labels`.
        """
        with quiet():
            from bergson.config.config import HessianConfig
            from bergson.hessians.hessian_approximations import collect_hessians, fit_factored_hessians

            shared = {
                "model": self.model,
                "index_cfg": self.config,
                "hessian_cfg": HessianConfig(method="kfac", use_dataset_labels=True),
                "target_modules": self.targets,
                "attention_cfgs": {},
                "batches": self._batches(drawn["length"]),
                "path": str(self.folder / "factors"),
            }
            first, second = (drawn.rename_column(name, "labels") for name in DRAWS)
            fit_factored_hessians(**shared, data=first, do_eigendecomposition=True)
            collect_hessians(**shared, data=second, ev_correction=True, num_documents=len(second))

    def aim(self, blocks: Mapping[Block, Dataset], damping: float) -> dict[str, torch.Tensor]:
        """Return module -> blocks x weights: damped inverse curvature times mean gradient of the block."""
        import torch

        directions: dict[str, torch.Tensor] = {}
        with quiet():
            from bergson import PreprocessConfig
            from bergson.config.config import InversionConfig
            from bergson.hessians.preconditioner import FactoredPreconditioner

            curvature = FactoredPreconditioner.from_path(
                self.folder / "factors",
                inversion_cfg=InversionConfig(damping_factor=damping),
                ev_correction=True,
                device=self.model.device,
            )
            for position, ((benchmark, block), rows) in enumerate(blocks.items()):
                # The upper bound keeps the gradients of a batch below the memory of the directions.
                walked = self._walk(rows, most=len(blocks), preprocess_cfg=PreprocessConfig(aggregation="mean"))
                for name, mean in walked.gradients.items():
                    if not mean.isfinite().all():
                        raise _not_finite(f"the gradient of block {block} of benchmark {benchmark!r}")
                    direction = directions.setdefault(name, torch.zeros(len(blocks), mean.shape[1]))
                    if name in curvature.lambdas and curvature.lambdas[name].any():
                        # Otherwise no document has a gradient here: the mean eigenvalue, so the damping, is 0.
                        direction[position] = curvature.apply({name: mean})[name][0]
        return directions

    def score(self, sequences: Dataset, directions: Mapping[str, torch.Tensor]) -> np.ndarray:
        """Return documents x directions, a memory map: inner products with the documents' gradients."""
        import torch
        from numpy.lib.format import open_memmap

        shape = (len(sequences), len(next(iter(directions.values()))))
        scores: np.ndarray = open_memmap(self.folder / "scores.npy", "w+", np.float32, shape)
        with quiet():
            from bergson import Scorer

            options = {"device": self.model.device, "dtype": torch.float32, "writer": _Writer(scores)}
            scorer = Scorer(dict(directions), list(directions), **options)
            self._walk(sequences.select_columns(["input_ids", "length"]), scorer=scorer)
        return scores

    def _walk(self, rows: Dataset, *, most: int | None = None, **collecting: Any) -> Any:
        """Show the gradient of each row to a collector of Bergson, at most ``most`` rows in a batch."""
        from bergson import CollectorComputer, InMemoryCollector
        from bergson.utils.worker_utils import processor_for

        collector = InMemoryCollector(
            model=self.model.base_model,
            data=rows,
            cfg=self.config,
            processor=processor_for(self.config),
            target_modules=self.targets,
            **collecting,
        )
        shared = {"batches": self._batches(rows["length"], most), "cfg": self.config}
        CollectorComputer(self.model, rows, collector=collector, **shared).run_with_collector_hooks()
        return collector

    def _batches(self, lengths: Sequence[int], most: int | None = None) -> list[list[int]]:
        from bergson.data import allocate_batches

        batches: list[list[int]] = allocate_batches(list(lengths), self.config.token_batch_size, max_batch_size=most)
        return batches


@dataclass(frozen=True)
class _Writer:
    """Target of Bergson's scorer; its own writer on disk takes eight bytes per score."""

    scores: np.ndarray

    def __call__(self, indices: list[int], scores: torch.Tensor, query_offset: int = 0) -> None:
        self.scores[indices, query_offset : query_offset + scores.shape[1]] = scores.cpu().numpy()


def _blocks(queries: Mapping[str, Dataset]) -> dict[Block, Dataset]:
    """Return the queries of each block, in the order of benchmarks and of blocks."""
    blocks = {}
    for benchmark, rows in queries.items():
        numbers = np.array(rows["block"], dtype=np.int64)
        columns = rows.select_columns(["input_ids", "labels", "length"])
        for block, size in enumerate(np.bincount(numbers)):
            if not size:
                raise AttributionError(
                    f"block {block} of benchmark {benchmark!r} has no query: number the blocks from 0 without a gap"
                )
            blocks[benchmark, block] = columns.select(np.flatnonzero(numbers == block))
    return blocks


def _not_finite(what: str) -> AttributionError:
    return AttributionError(f"{what} is not finite: check the model's weights; if they are sound, leave that text out")
