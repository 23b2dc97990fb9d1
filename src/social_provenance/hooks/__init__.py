"""Hooks around a run: checks before it, records after it."""

from social_provenance.hooks.announce import AnnounceHooks
from social_provenance.hooks.errors import ErrorHooks
from social_provenance.hooks.guard import GuardHooks
from social_provenance.hooks.lineage import LineageHooks
from social_provenance.hooks.lock import LockHooks
from social_provenance.hooks.spark import SparkHooks
from social_provenance.hooks.tracking import TrackingHooks

CHECKS = (ErrorHooks(), GuardHooks(), LockHooks(), SparkHooks())
RECORDS = (LineageHooks(), TrackingHooks(), AnnounceHooks())
