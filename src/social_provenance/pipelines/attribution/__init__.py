"""Pipeline ``attribution``, and ``random_weights``, the same walk as a null."""

from social_provenance.pipelines.attribution.pipeline import create_pipeline
from social_provenance.pipelines.attribution.walk import create_random_weights

__all__ = ["create_pipeline", "create_random_weights"]
