"""Pipeline ``counterfactual``."""

from social_provenance.pipelines.counterfactual.pipeline import create_pipeline

__all__ = ["create_pipeline"]
