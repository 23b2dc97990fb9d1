"""Catalog entries for what Kedro has no dataset class for."""

from social_provenance.datasets.arrays import ArraysFile
from social_provenance.datasets.benchmarks import BenchmarkFolder
from social_provenance.datasets.checkpoints import CheckpointFolder
from social_provenance.datasets.hub import HubCorpus
from social_provenance.datasets.models import LanguageModelFolder
from social_provenance.datasets.optional import OptionalDataset
from social_provenance.datasets.parts import PartsFolder
from social_provenance.datasets.records import RecordFolder
from social_provenance.datasets.reference import ReferenceFolder
from social_provenance.datasets.shards import ShardFolder
from social_provenance.datasets.tables import TableFile

__all__ = [
    "ArraysFile",
    "BenchmarkFolder",
    "CheckpointFolder",
    "HubCorpus",
    "LanguageModelFolder",
    "OptionalDataset",
    "PartsFolder",
    "RecordFolder",
    "ReferenceFolder",
    "ShardFolder",
    "TableFile",
]
