"""Social Provenance: where in its training corpus a language model's abilities come from."""

__version__ = "0.1.0"
