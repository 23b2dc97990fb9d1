"""One line for an error of a library: what could not be read, written or found, and what helps."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

from click import ClickException, Context, Group, NoSuchOption, UsageError
from kedro.io import DatasetError
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from social_provenance.errors import among, did_you_mean
from social_provenance.hooks.inputs import pipelines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_ROOM = re.compile(r"no space left on device|disk quota exceeded|database or disk is full", re.IGNORECASE)
TOO_LARGE = re.compile(r"file too large", re.IGNORECASE)
NO_SPILL = re.compile(r"failed to offload data block of size .*?\((?P<used>[^()]*) used\)", re.S)
NO_MEMORY = re.compile(
    r"(could not allocate block of size|failed to allocate data of size).*?\((?P<used>[^()]*) used\)", re.S
)
_DATASET = re.compile(
    r"^(?:(?P<name>[\w.@#-]+): )?Failed while (?P<verb>loading|saving) data (?:from|to) dataset ", re.S
)
_PATH = re.compile(r"(?:filepath|path)=(?:Pure\w*Path\()?(['\"])(?P<path>.+?)\1")
_NO_PIPELINE = re.compile(r"Failed to find the pipeline named '(?P<name>.*?)'")
_NOT_IN_PIPELINE = re.compile(
    r"Pipeline does not contain (?P<what>nodes|datasets?|data_sets|namespaces?).*?\[(?P<names>.*)\]", re.S
)
_NO_SUCH_PIPELINE = re.compile(r"^'(?P<name>.*)' pipeline not found")
_NO_COMMAND = re.compile(r"^No such command '(?P<name>.*?)'")
_NO_VALUE = re.compile(r"^Option '(?P<name>\S+)' requires an argument")
_EXTRA = re.compile(r"^Got unexpected extra arguments? \((?P<name>\S+).*\)")
_NO_NODES = "Pipeline contains no nodes"
_MOVE = "move it away, or give another folder with --params root=DIR"
_ELSE = "check that place, or give another folder with --params root=DIR"
_MORE_ROOM = "free space, or give another folder with --params root=DIR, and run again: finished parts are kept"
_LIMIT = (
    "raise the limit (ulimit -f), or give another folder with --params root=DIR, and run again: finished parts are kept"
)


def phrase(chain: Sequence[BaseException]) -> str | None:
    """Return one line for the errors of a chain, outermost first; None if none of them is known.

    A full disk, a path that cannot be used, a file that cannot be read or written, what the command line does not take,
    a configuration that cannot be read and a name that nothing has are known.
    """
    for error in chain:
        if line := _of_configuration(error):
            return line
    dataset = next((error for error in chain if isinstance(error, DatasetError)), None)
    for error in reversed(chain):  # the innermost error has the path, the ones around it the dataset
        if isinstance(error, OSError) and (line := _of_system(error)):
            return line
    if dataset is not None:
        return _of_dataset(dataset, chain[-1])
    for error in chain:
        if line := _of_selection(error):
            return line
    if short := next((line for error in chain if (line := _of_room(error, f" ({squeeze(error)})"))), None):
        return short
    system = next((error for error in reversed(chain) if isinstance(error, OSError) and error.filename), None)
    return f"{system.filename} cannot be used ({system.strerror}): {_ELSE}" if system else None


def squeeze(error: object, limit: int = 240) -> str:
    """Return the text of an error on one line, truncated."""
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _of_room(error: BaseException, place: str) -> str | None:
    """Return one line for a disk that is full, or a file that may not grow, in the words of any library."""
    if NO_ROOM.search(str(error)):
        return f"the disk{place} is full: {_MORE_ROOM}"
    if spill := NO_SPILL.search(str(error)):
        return (
            f"the engine has no room on disk for what exceeds its memory ({spill['used']}): free space at "
            f"connection.temp_directory (else .spill in the data folder), name another place in globals.yml of the "
            f"environment, or raise connection.memory_limit there"
        )
    if memory := NO_MEMORY.search(str(error)):
        return (
            f"the engine has too little memory ({memory['used']}): raise connection.memory_limit in globals.yml of the "
            f"environment, or lower connection.threads there"
        )
    return f"a file{place} is larger than a file may be there: {_LIMIT}" if TOO_LARGE.search(str(error)) else None


def _of_system(error: OSError) -> str | None:
    """Return one line for an error of the operating system that has a path."""
    path = error.filename2 or error.filename
    if path is None:
        return None
    lines = {
        errno.ENOSPC: f"the disk of {path} is full: {_MORE_ROOM}",
        errno.EDQUOT: f"the disk of {path} is full: {_MORE_ROOM}",
        errno.EFBIG: f"{path} is larger than a file may be there: {_LIMIT}",
        errno.EEXIST: f"{path} is {_kind(path)} and a folder is needed there: {_MOVE}",
        errno.ENOTDIR: f"{path} is below a file where a folder is needed: {_MOVE}",
        errno.EISDIR: f"{path} is a folder and a file is needed there: move it away, and run again",
        errno.EROFS: f"{path} cannot be written, its file system is read-only: give another folder with "
        f"--params root=DIR",
        errno.EACCES: f"{path} cannot be used, permission denied: change its permissions, or give another folder with "
        f"--params root=DIR",
        errno.ENAMETOOLONG: f"{path} cannot be used, its name is too long: give a shorter path",
    }
    lines |= {errno.EPERM: lines[errno.EACCES]}
    return lines.get(error.errno or 0)


def _kind(path: str | bytes) -> str:
    """Return what is at a path where no folder is."""
    return "a link that leads nowhere" if os.path.islink(path) and not os.path.exists(path) else "a file"


def _of_dataset(error: DatasetError, cause: BaseException) -> str | None:
    """Return one line for a dataset that cannot be loaded or saved; None if the work that saving starts has failed."""
    text = str(error)
    found, path = _DATASET.match(text), _PATH.search(text)
    if found is None:
        return squeeze(text)
    what = found["name"] or "a dataset"
    place = f" at {path['path']}" if path else ""
    first = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
    reason = squeeze(first if cause is not error else text.partition("\n")[2].partition("\n")[0], 160)
    if short := _of_room(cause, f" of {path['path'] if path else what}"):
        return short
    if "is a directory" in str(cause).lower():
        return f"{what}{place} is a folder and a file is needed there: move it away, and run again"
    if found["verb"] == "saving":
        if not isinstance(cause, OSError) and not str(cause).startswith("IO Error"):
            return None
        return f"{what}{place} cannot be written ({reason}): check that folder, or give another with --params root=DIR"
    makers = ",".join(pipelines_of([found["name"]] if found["name"] else []))
    again = f", or run --pipelines {makers} again" if makers else ""
    return f"{what}{place} cannot be read ({reason}): restore it{again}"


def _of_configuration(error: BaseException) -> str | None:
    """Return one line for a command line or a configuration that cannot be read."""
    if isinstance(error, ClickException):
        return _of_usage(error)
    if isinstance(error, OmegaConfBaseException | YAMLError):
        return f"the configuration cannot be read ({squeeze(error).removesuffix('.')}): fix it in the folder conf"
    return None


def _of_usage(error: ClickException) -> str:
    """Return one line for an argument that a command does not take."""
    text = squeeze(error.format_message().partition("\n")[0]).removesuffix(".")
    context = error.ctx if isinstance(error, UsageError) else None
    command = " ".join(["kedro", *_below(context)])
    if isinstance(error, NoSuchOption):
        near = did_you_mean(error.option_name, error.possibilities or ()) or f"; see `{command} --help`"
        return f"{command}: there is no option {error.option_name!r}{near}"
    if (found := _NO_COMMAND.search(text)) and context is not None and isinstance(context.command, Group):
        known = context.command.list_commands(context)
        return f"{command}: there is no command {found['name']!r}{among(found['name'], known)}"
    if found := _NO_SUCH_PIPELINE.search(text):
        return f"{command}: there is no pipeline {found['name']!r}{among(found['name'], _pipelines())}"
    if found := _NO_VALUE.search(text):
        return f"{found['name']} has no value: give it one, or leave it out"
    if found := _EXTRA.search(text):
        option = "--params" if "=" in found["name"] else "--pipelines"
        takes = {name for each in (context.command.params if context else ()) for name in each.opts}
        cure = f"write {option} {found['name']}" if option in takes else f"see `{command} --help`"
        return f"{command}: {found['name']!r} belongs to no option: {cure}"
    return f"{command}: {text[:1].lower()}{text[1:]}; see `{command} --help`"


def _below(context: Context | None) -> list[str]:
    """Return the names of commands below the outermost, whose name is how Python was called."""
    if context is None or context.parent is None:
        return []
    return [*_below(context.parent), str(context.info_name)]


def _of_selection(error: BaseException) -> str | None:
    """Return one line for a pipeline, tag, node or dataset of the command line that nothing has."""
    text = str(error)
    if not isinstance(error, ValueError):
        return None
    if found := _NO_PIPELINE.search(text):
        return f"--pipelines: there is no pipeline {found['name']!r}{among(found['name'], _pipelines())}"
    if found := _NOT_IN_PIPELINE.search(text):
        names = [name.strip().strip("'\"") for name in found["names"].split(",")]
        of_nodes = found["what"] == "nodes"
        known = _nodes() if of_nodes else _datasets()
        option = "--nodes, --namespaces, --from-nodes, --to-nodes" if of_nodes else "--from-inputs, --to-outputs"
        hint = did_you_mean(names[0], known) or "; see `kedro registry describe PIPELINE`"
        return f"{option}: the pipeline has no {'node' if of_nodes else 'dataset'} {names[0]!r}{hint}"
    if text.startswith(_NO_NODES):
        return (
            "no node is left to run: --tags, --nodes, --from-nodes, --to-nodes, --from-inputs, --to-outputs and "
            "--namespaces select none together; check their names, or leave one out"
        )
    return None


def _pipelines() -> list[str]:
    from kedro.framework.project import pipelines

    return list(pipelines)


def _nodes() -> list[str]:
    from kedro.framework.project import pipelines

    return [node.name for pipeline in pipelines.values() for node in pipeline.nodes]


def _datasets() -> list[str]:
    from kedro.framework.project import pipelines

    return sorted({name for pipeline in pipelines.values() for name in pipeline.datasets()})
