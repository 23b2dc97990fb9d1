"""Pipeline ``worlds``."""

from social_provenance.pipelines.worlds.pipeline import create_pipeline

__all__ = ["create_pipeline"]
