"""Hook that names what is missing before a run, and the pipeline that makes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError
from kedro.pipeline import Pipeline

from social_provenance.errors import ArtifactError, ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kedro.io import AbstractDataset, DataCatalog


class InputHooks:
    """Refuse a run whose inputs are not there, before it computes anything."""

    @hook_impl(trylast=True)  # a misspelled parameter or a damaged ledger is the better answer
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check that the inputs that no node of the run makes are there.

        Raises:
            ArtifactError: With the first that is missing, its place, and the pipeline that makes it.
            ProvenanceError: That of the dataset itself, if it has one for this.
        """
        missing = {name: place for name in sorted(pipeline.inputs()) if (place := missing_at(catalog, name))}
        for name, place in missing.items():
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise ArtifactError(f"there is no {name} at {place}{more}: {_cure(name)}")


def missing_at(catalog: DataCatalog, name: str) -> Path | None:
    """Return the place on this machine at which a dataset is missing; None if it is there, or may be missing.

    Raises:
        ProvenanceError: If the dataset has an error of its own for this.
    """
    from social_provenance.datasets import BenchmarkFolder, OptionalDataset
    from social_provenance.datasets.identity import identity_of  # which load Ibis

    if name not in catalog or name.startswith("params:") or name == "parameters":
        return None
    dataset = catalog[name]
    identity = identity_of(dataset)
    place = identity.location() if identity else None
    # All benchmarks may have their data on the hub; optional datasets are read as None.
    if not isinstance(place, Path) or isinstance(dataset, OptionalDataset | BenchmarkFolder) or dataset.exists():
        return None
    own = _own_error(dataset)
    if own is not None and not isinstance(own, ArtifactError):  # which does not know what makes it
        raise own
    return place


def _own_error(dataset: AbstractDataset[Any, Any]) -> ProvenanceError | None:
    try:
        dataset.load()
    except ProvenanceError as error:
        return error
    except DatasetError as error:
        return error.__cause__ if isinstance(error.__cause__, ProvenanceError) else None
    return None


def _cure(name: str) -> str:
    makers = pipelines_of([name])
    return f"run --pipelines {makers[0]}, which makes it" if makers else "put it there"


def pipelines_of(names: Iterable[str]) -> list[str]:
    """Return the smallest pipelines that make some datasets, in their order; nothing makes the user's own."""
    from kedro.framework.project import pipelines

    made = {key: {each.partition("@")[0] for each in one.all_outputs()} for key, one in pipelines.items()}
    by_size = sorted(made, key=lambda key: len(pipelines[key].nodes))
    whole = (name.partition("@")[0] for name in names)
    makers = (next((key for key in by_size if name in made[key]), None) for name in whole)
    return list(dict.fromkeys(key for key in makers if key is not None))


def with_makers(asked: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the pipelines of a run and those that make some datasets, in the order of the data; none without makers.

    Args:
        asked: Pipelines of the run.
        names: Datasets that have to be made again.
    """
    from kedro.framework.project import pipelines

    makers = pipelines_of(names)
    has = {node for name in asked for node in pipelines[name].nodes}
    every = [*asked, *(name for name in makers if name not in asked and not has.issuperset(pipelines[name].nodes))]
    nodes = sum((pipelines[name] for name in every), Pipeline([])).nodes
    return sorted(every, key=lambda name: max(nodes.index(node) for node in pipelines[name].nodes)) if makers else []
