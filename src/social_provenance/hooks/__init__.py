"""What happens around a run: checks before, records after."""

PROJECT_HOOKS = ()
