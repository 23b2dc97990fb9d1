"""Pipeline ``reporting``."""

from social_provenance.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
