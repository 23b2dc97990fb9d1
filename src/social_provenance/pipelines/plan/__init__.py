"""Pipeline ``plan``."""

from social_provenance.pipelines.plan.pipeline import create_pipeline

__all__ = ["create_pipeline"]
