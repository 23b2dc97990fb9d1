"""Pipeline ``pretraining``."""

from social_provenance.pipelines.pretraining.pipeline import create_pipeline

__all__ = ["create_pipeline"]
