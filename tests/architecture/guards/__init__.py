"""Guards of the project's conventions: each returns its findings, one line each, or nothing."""
