"""Hooks around a run: checks before it, records after it.

::

    settings.py registers CHECKS and RECORDS
    before a run:  errors -> guard -> lock -> spark
    per dataset:   lineage (check inputs, record outputs)
    after a run:   tracking -> announce

Modules:

- ``errors``: errors that the user can fix are printed as one line
- ``guard``, ``typed_paths``: unknown parameters are errors, paths are as typed; no network unless configured
- ``lock``: one run at a time in a data folder
- ``spark``: the Spark session, in environments that use it
- ``lineage``: the ledger of the data folder (see ``social_provenance.lineage``)
- ``tracking``: unlearning studies in MLflow, from ``study_record`` and ``study_curves`` through ``mlflow_store``
- ``announce``: the path of the report as the last log line

Public names: ``CHECKS``, ``RECORDS``.
"""

from social_provenance.hooks.announce import AnnounceHooks
from social_provenance.hooks.errors import ErrorHooks
from social_provenance.hooks.guard import GuardHooks
from social_provenance.hooks.lineage import LineageHooks
from social_provenance.hooks.lock import LockHooks
from social_provenance.hooks.spark import SparkHooks
from social_provenance.hooks.tracking import TrackingHooks

CHECKS = (ErrorHooks(), GuardHooks(), LockHooks(), SparkHooks())
RECORDS = (LineageHooks(), TrackingHooks(), AnnounceHooks())
