"""Modular pipelines; none imports another."""
