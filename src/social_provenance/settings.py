"""Project settings: hooks and configuration files."""

from social_provenance.artifacts import leads
from social_provenance.hooks import CHECKS, RECORDS
from social_provenance.hooks.loader import CheckedConfigLoader, spilling

HOOKS = CHECKS + RECORDS if leads() else CHECKS  # of several nodes, the first keeps the records
CONFIG_LOADER_CLASS = CheckedConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "merge_strategy": {"parameters": "soft"},
    "custom_resolvers": {"spilling": spilling},
    "config_patterns": {"mlflow": ["mlflow*"], "engines": ["engines*"]},
}
