"""Pipeline ``trajectory``."""

from social_provenance.pipelines.trajectory.pipeline import create_pipeline

__all__ = ["create_pipeline"]
