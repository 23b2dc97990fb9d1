"""Catalog entries for data that Kedro has no dataset class for.

One surprise first. In most Kedro projects a node does the work and saving only writes its result. Here, a node that
makes an expensive artifact returns a *description* of it (:class:`social_provenance.artifacts.Parts`), and **the work
runs when the catalog saves it**: ``PartsFolder.save`` compares the description with the parts on disk and computes
only the missing, changed or damaged ones. So a killed run resumes, and an unchanged study costs nothing. ::

    node -> Parts (inputs, code, write) -> PartsFolder.save -> write(missing parts) -> sealed folders
                                                                                           |
    next node <- part -> folder <---------------------------------- PartsFolder.load <-----+

Modules, inputs first:

- ``shards``, ``hub``: a corpus as shards, from files or from the Hugging Face hub (``ShardFolder``, ``HubCorpus``)
- ``benchmarks``, ``reference``: benchmark items; published bin tables (``BenchmarkFolder``, ``ReferenceFolder``)
- ``models``, ``checkpoints``: language models (``LanguageModelFolder``, ``OptionalModelFolder``,
  ``CheckpointFolder``)
- ``parts``: artifacts in parts (``PartsFolder``); ``records``: parts that load as one table (``RecordFolder``)
- ``literal``, ``tables``: tables on any Ibis backend, from the path as written (``TableFile``)
- ``arrays``: results made of arrays (``ArraysFile``)
- ``arrow``: rows that are written batch after batch and read from disk (``ArrowFile``)
- ``optional``: a dataset that may be missing (``OptionalDataset``)
- ``identity``: location and digest of any dataset, for lineage
- ``folders``, ``spread``: atomic replacement of folders; tasks in several processes or on Spark
"""

from social_provenance.datasets.arrays import ArraysFile
from social_provenance.datasets.arrow import ArrowFile
from social_provenance.datasets.benchmarks import BenchmarkFolder
from social_provenance.datasets.checkpoints import CheckpointFolder
from social_provenance.datasets.hub import HubCorpus
from social_provenance.datasets.models import LanguageModelFolder, OptionalModelFolder
from social_provenance.datasets.optional import OptionalDataset
from social_provenance.datasets.parts import PartsFolder
from social_provenance.datasets.records import RecordFolder
from social_provenance.datasets.reference import ReferenceFolder
from social_provenance.datasets.shards import ShardFolder
from social_provenance.datasets.tables import TableFile

__all__ = [
    "ArraysFile",
    "ArrowFile",
    "BenchmarkFolder",
    "CheckpointFolder",
    "HubCorpus",
    "LanguageModelFolder",
    "OptionalDataset",
    "OptionalModelFolder",
    "PartsFolder",
    "RecordFolder",
    "ReferenceFolder",
    "ShardFolder",
    "TableFile",
]
