"""Social Provenance: where in its training corpus a language model's abilities come from."""

from social_provenance.study import open_study as open

__all__ = ["open"]
__version__ = "0.1.0"
