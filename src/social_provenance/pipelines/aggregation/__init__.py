"""Pipeline ``aggregation``."""

from social_provenance.pipelines.aggregation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
