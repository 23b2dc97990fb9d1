"""One run at a time in a data folder: the second is refused while the first one lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.artifacts import leads
from social_provenance.datasets.identity import identity_of
from social_provenance.errors import ArtifactError

if TYPE_CHECKING:
    from kedro.io import DataCatalog

LOCK = ".lock"
LEDGER = "lineage"


class LockHooks:
    """Hold a lock on the folder of the ledger while a pipeline runs.

    The lock is the system's own (``flock``), so it ends with its process, however that ends. Of several
    nodes that work on one folder together, the first holds it.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self._file: Any = None

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Take the lock.

        Raises:
            ArtifactError: If another run has it.
        """
        ledger = identity_of(catalog[LEDGER]) if LEDGER in catalog else None
        place = ledger.location() if ledger else None
        if not isinstance(place, Path) or not leads():
            return
        self.release()
        self._file = take(place.parent)

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Let go."""
        self.release()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Let go."""
        self.release()

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._file is not None:
            self._file.close()
            self._file = None


def take(folder: Path) -> Any:
    """Lock a folder; it is let go by closing what is returned, or by the end of the process.

    Raises:
        ArtifactError: If another process has it, naming that one.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise ArtifactError(
            f"another run is using {folder} ({holder}): wait until it ends, or use a separate folder "
            f"with --params root=DIR"
        ) from error
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    file.flush()
    return file
