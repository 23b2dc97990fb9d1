"""The package reads its own source: ``names`` -> ``definitions`` -> ``reach``, for the identity of code."""
