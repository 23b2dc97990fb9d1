"""Hooks around a run: checks before it, records after it.

::

    settings.py registers CHECKS and RECORDS, and loader; cli.py reads the command line
    before a run:  typed_params -> loader -> errors -> stop -> guard -> lock -> spark -> inputs
    per dataset:   lineage (check inputs, record outputs)
    after a run:   tracking -> announce

Modules:

- ``typed_params``: items of ``--params``, none of them dropped or misread
- ``loader``, ``typed_paths``: runtime parameters are plain values, and places are the folders that were typed
- ``errors``: errors are printed as one line; ``phrases``: the lines for errors of libraries
- ``stop``: SIGTERM and Ctrl-C end a run in one line
- ``guard``, ``selection``: unknown parameters, pipelines, nodes and datasets are errors; no network unless configured
- ``viz``: the same for ``kedro viz run``
- ``lock``: one run at a time in a data folder
- ``spark``: the Spark session, in environments that use it
- ``inputs``: what is missing, and the pipeline that makes it
- ``lineage``: the ledger of the data folder (see ``social_provenance.lineage``); ``foresight``: what would be mixed
- ``tracking``: unlearning studies in MLflow, from ``study_record`` and ``study_curves`` through ``mlflow_store``
- ``announce``: the path of the report as the last log line

Public names: ``CHECKS``, ``RECORDS``.
"""

from social_provenance.hooks.announce import AnnounceHooks
from social_provenance.hooks.errors import ErrorHooks
from social_provenance.hooks.guard import GuardHooks
from social_provenance.hooks.inputs import InputHooks
from social_provenance.hooks.lineage import LineageHooks
from social_provenance.hooks.lock import LockHooks
from social_provenance.hooks.spark import SparkHooks
from social_provenance.hooks.stop import StopHooks
from social_provenance.hooks.tracking import TrackingHooks

CHECKS = (ErrorHooks(), StopHooks(), GuardHooks(), LockHooks(), SparkHooks(), InputHooks())
RECORDS = (LineageHooks(), TrackingHooks(), AnnounceHooks())
