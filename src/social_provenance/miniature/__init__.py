"""A small world with planted provenance."""
