"""Hook that allows one run at a time in a data folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from social_provenance.artifacts import leads
from social_provenance.errors import ArtifactError
from social_provenance.processes import hold, let_go

if TYPE_CHECKING:
    from kedro.io import DataCatalog

LOCK = ".lock"
LEDGER = "lineage"


class LockHooks:
    """Hold a lock on the folder of the ledger while a pipeline runs.

    The lock is the operating system's (``flock``), so it is released with its process and the last of its workers,
    however they end. Of several nodes that share a folder, the first holds it.
    """

    def __init__(self) -> None:
        """Start without a lock."""
        self._file: Any = None

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, catalog: DataCatalog) -> None:
        """Acquire the lock.

        Raises:
            ArtifactError: If another run has it.
        """
        from social_provenance.datasets.identity import identity_of

        ledger = identity_of(catalog[LEDGER]) if LEDGER in catalog else None
        place = ledger.location() if ledger else None
        if not isinstance(place, Path) or not leads():
            return
        self.release()
        self._file = take(place.parent)
        hold(self._file.fileno())

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Release the lock."""
        self.release()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Release the lock."""
        self.release()

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self._file is not None:
            let_go(self._file.fileno())
            self._file.close()
            self._file = None


def take(folder: Path) -> Any:
    """Lock a folder until the returned file is closed or the process ends.

    Raises:
        ArtifactError: If another process holds it, with its number and host.
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
