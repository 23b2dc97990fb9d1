"""Pipeline ``corpus``."""

from social_provenance.pipelines.corpus.pipeline import create_pipeline

__all__ = ["create_pipeline"]
