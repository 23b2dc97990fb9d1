"""Dataset for artifacts in parts, each complete or absent, so that a killed run resumes where it stopped."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DatasetError

from social_provenance.artifacts import (
    SEAL,
    Parts,
    Work,
    checksum,
    damage,
    leads,
    part_digest,
    seal,
    sealed_checksums,
    sealed_digest,
    sealed_origin,
)
from social_provenance.datasets.folders import DRAFT
from social_provenance.errors import ArtifactError, excerpt
from social_provenance.fingerprint import HASH_LIMIT, digest_of
from social_provenance.lineage import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

logger = logging.getLogger(__name__)

ACCEPTED = ".accepted.json"
"""File that lists accepted parts of other code. It is hidden, because it is not part of the content."""

CURRENT = "current.json"
"""File that lists the current parts. It is written last, so that an interrupted save keeps the earlier list."""

RESERVE = 1 << 28
"""Bytes that must remain free on the disk."""


class PartsFolder(AbstractDataset[Parts, dict[str, Path]]):
    """A folder with one folder per part: gradient stores, scores, unlearning runs.

    Saving a :class:`~social_provenance.artifacts.Parts` computes the parts that are missing or damaged;
    parts made from other inputs are replaced. With ``keep``, the name of a part's folder includes its
    digest, and parts made from other inputs stay on disk in case those inputs return. Loading returns the
    folder of each current part.

    A part that other code computed from the same inputs is recomputed, unless ``accept`` has the digest of
    that code: then it is reused, and :meth:`accepted` reports it.

    Example:
        .. code-block:: yaml

            corpus_gradients:
              type: social_provenance.datasets.PartsFolder
              path: data/04_feature/corpus_gradients
              keep: true

    >>> from social_provenance.artifacts import OneByOne
    >>> folder = PartsFolder(path=str(tmp_path / "parts"))
    >>> folder.save(Parts({"a": "1"}, OneByOne({"a": lambda path: (path / "x").write_text("hello")})))
    >>> (folder.load()["a"] / "x").read_text()
    'hello'
    """

    def __init__(
        self, *, path: str, keep: bool = False, accept: str | Sequence[str] = (), metadata: dict[str, Any] | None = None
    ) -> None:
        """Describe the folder."""
        self._path = Path(path)
        self._keep = keep
        self._accept = accept.split() if isinstance(accept, str) else [str(code) for code in accept]
        self.metadata = metadata

    def save(self, data: Parts) -> None:
        folders = {name: self._path / self._folder(name, digest) for name, digest in data.digests.items()}
        missing = {name for name, folder in folders.items() if not self._whole(folder, data.digests[name])}
        # Parts are compared first as they are, then as made by accepted code: identical code always takes precedence.
        adopted = {name: found for name in sorted(missing) if (found := self._adopt(data, name))}
        folders |= {name: folder for name, (folder, _) in adopted.items()}
        waiting = {name: folder for name, folder in folders.items() if name in missing - set(adopted)}
        drafts = {name: folder.with_name(folder.name + DRAFT) for name, folder in waiting.items()}
        if leads():
            self._warn_of_code(data, waiting)
            self._prepare(data, folders, drafts)
        for name in data.write(drafts) if drafts else ():
            if leads():
                seal(drafts[name], data.inputs[name], data.code[name])
                shutil.rmtree(folders[name], ignore_errors=True)
                # Renaming is atomic, so a part's folder is complete or absent whenever a run is killed.
                drafts[name].rename(folders[name])
        if leads():
            self._path.mkdir(parents=True, exist_ok=True)
            codes = {name: {"made_by": code, "accepted_as": data.code[name]} for name, (_, code) in adopted.items()}
            (self._path / ACCEPTED).unlink(missing_ok=True)
            if codes:
                (self._path / ACCEPTED).write_text(json.dumps(codes, indent=1))
            self._current.write_text(json.dumps({name: folder.name for name, folder in folders.items()}, indent=1))

    def load(self) -> dict[str, Path]:
        if not self._current.exists():
            return {}
        try:
            names = json.loads(self._current.read_bytes())
            return {str(name): self._path / folder for name, folder in names.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"{self._current} is not a list of parts ({type(error).__name__}: {excerpt(str(error), 120)}): run the "
                f"pipeline that writes {self._path.name} again, which reuses finished parts"
            ) from error

    def accepted(self) -> dict[str, str]:
        """Return digest of the code that made parts -> digest of the current code for which they were accepted."""
        file = self._path / ACCEPTED
        try:
            codes = json.loads(file.read_bytes()).values() if file.exists() else ()
            return {code["made_by"]: code["accepted_as"] for code in codes}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ArtifactError(
                f"{file} does not say which code was accepted ({type(error).__name__}): run the pipeline that writes "
                f"{self._path.name} again, which reuses finished parts"
            ) from error

    def location(self) -> Path:
        return self._path

    def digest(self) -> str:
        """Return the digest of the current parts: of what their seals say, and of what is there now.

        Up to ``HASH_LIMIT`` bytes are read, so that any damage changes the digest. Of a larger store only the file
        sizes are compared; bytes that changed in place are detected when a part is reused or its gradients are read.
        """
        try:
            folders = self.load()
        except DatasetError:  # current.json is damaged: what is there cannot be said
            return ABSENT
        if not self.exists():
            return ABSENT
        files = [path for folder in folders.values() for path in folder.rglob("*") if path.is_file()]
        is_read = sum(path.stat().st_size for path in files) <= HASH_LIMIT
        return digest_of({name: _content(folder, is_read=is_read) for name, folder in folders.items()})

    @property
    def _current(self) -> Path:
        return self._path / CURRENT

    def _prepare(self, data: Parts, folders: dict[str, Path], drafts: dict[str, Path]) -> None:
        """Remove obsolete folders, log the pending work, and check that it fits on the disk."""
        # First of all: a run that is killed below leaves parts without a list, which reads as incomplete.
        self._current.unlink(missing_ok=True)
        for folder in self._folders():
            stale = folder not in folders.values() and not self._keep
            if stale or sealed_digest(folder) is None or folder.suffix == DRAFT:
                shutil.rmtree(folder)
        if len(drafts) < len(folders):
            n_complete = len(folders) - len(drafts)
            logger.info("%s: %d of %d parts exist already", self._path.name, n_complete, len(folders))
        self._announce([data.work[name] for name in drafts if name in data.work], data)
        for draft in drafts.values():
            draft.mkdir(parents=True)

    def _adopt(self, data: Parts, name: str) -> tuple[Path, str] | None:
        """Find the folder of a part that accepted code made from the same inputs, and the digest of that code."""
        for code in self._accept:
            digest = part_digest(data.inputs[name], code)
            folder = self._path / self._folder(name, digest)
            if self._whole(folder, digest):
                return folder, code
        return None

    def _warn_of_code(self, data: Parts, waiting: Mapping[str, Path]) -> None:
        """Warn of parts that exist, but of other code: only their owner knows whether the difference matters."""
        sealed: dict[tuple[str, str | None], str] = {}
        for folder in self._folders():
            inputs, code = sealed_origin(folder)
            if code is not None:
                sealed[folder.name.removesuffix(f"-{sealed_digest(folder)}"), inputs] = code
        codes = {name: sealed.get((name, data.inputs[name])) for name in waiting}
        changed = {name: code for name, code in codes.items() if code not in {None, data.code[name]}}
        if changed:
            logger.warning(
                "%s: %d parts were computed from the same inputs by other code (%s; the present code is %s) and are "
                "computed again. If the change of the code is harmless, stop and keep them with --params "
                '"accepted_code=%s"',
                *(self._path.name, len(changed), _listed(changed.values())),
                *(_listed(data.code[name] for name in changed), _listed(changed.values())),
            )

    def _announce(self, costs: list[Work], data: Parts) -> None:
        work = sum(costs, Work())
        if not work.bytes:
            return
        self._path.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._path).free
        if work.bytes + RESERVE > free:
            raise ArtifactError(
                f"{self._path} needs {_size(work.bytes)} for {work.documents:,} documents, {_size(RESERVE)} to spare, "
                f"and its disk has {_size(free)} free: make room, move it with --params root=DIR, or store less "
                f"(gradients.store: fp16, a smaller gradients.projection_dim or attribution.per_bin)"
            )
        pace = data.pace() if data.pace and work.tokens else None
        time = "" if pace is None else f", about {_duration(pace * work.tokens)}"
        logger.info(
            "%s: %s documents, %s tokens, %s on disk%s",
            *(self._path.name, f"{work.documents:,}", f"{work.tokens:,}", _size(work.bytes), time),
        )

    def _folder(self, name: str, digest: str) -> str:
        return f"{name}-{digest}" if self._keep else name

    def _whole(self, folder: Path, digest: str) -> bool:
        sealed = sealed_digest(folder)
        if sealed is None and (folder / SEAL).exists():
            logger.warning("%s is recomputed: its seal %s cannot be read", folder, SEAL)
        if sealed != digest:
            return False
        file = damage(folder)
        if file is not None:
            logger.warning("%s is damaged (%s differs from its sealed checksum) and is recomputed", folder, file)
        return file is None

    def _folders(self) -> list[Path]:
        return sorted(p for p in self._path.iterdir() if p.is_dir()) if self._path.exists() else []

    def _exists(self) -> bool:
        return self._current.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}


def _listed(codes: Iterable[str | None]) -> str:
    return " ".join(sorted({str(code) for code in codes}))


def _content(folder: Path, *, is_read: bool) -> dict[str, tuple[str, int] | None] | None:
    """Return file -> (checksum, size), of a part that is not read the sealed checksum; None for what is not there."""
    sealed = sealed_checksums(folder)
    if sealed is None:
        return None
    present = {name: folder / name for name in sealed if (folder / name).is_file()}
    return {
        name: (checksum(present[name]) if is_read else sealed[name], present[name].stat().st_size)
        if name in present
        else None
        for name in sealed
    }


def _size(count: float) -> str:
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while count >= 1000 and len(units) > 1:
        count /= 1000
        units.pop(0)
    return f"{count:.0f} bytes" if units[0] == "bytes" else f"{count:.1f} {units[0]}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"
