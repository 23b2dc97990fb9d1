"""Pipeline ``taxonomy``."""

from social_provenance.pipelines.taxonomy.pipeline import create_pipeline

__all__ = ["create_pipeline"]
