"""Pipeline ``validation``."""

from social_provenance.pipelines.validation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
