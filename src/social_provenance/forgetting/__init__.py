"""Unlearning as a causal check: plan matched arms, forget, evaluate, compare."""
