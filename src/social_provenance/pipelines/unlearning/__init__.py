"""Pipeline ``unlearning``."""

from social_provenance.pipelines.unlearning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
