"""Pipeline ``tail_patch``."""

from social_provenance.pipelines.tail_patch.pipeline import create_pipeline

__all__ = ["create_pipeline"]
