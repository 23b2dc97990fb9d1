"""Pipeline ``miniature``."""

from social_provenance.pipelines.miniature.pipeline import create_pipeline

__all__ = ["create_pipeline"]
