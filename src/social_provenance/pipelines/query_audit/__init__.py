"""Pipeline ``query_audit``."""

from social_provenance.pipelines.query_audit.pipeline import create_pipeline

__all__ = ["create_pipeline"]
