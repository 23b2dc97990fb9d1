"""Pipeline ``attribution``."""

from social_provenance.pipelines.attribution.pipeline import create_pipeline

__all__ = ["create_pipeline"]
