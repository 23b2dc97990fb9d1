"""What a run would mix, as far as it is known before the first node: inputs made for other parameters or data.

A node that makes an ancestor of an input again, from other values of parameters or other data than the history of the
input has, makes another version of it, and whatever reads both mixes runs. It may be the same bytes after all, which
nobody knows before: so nothing is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_provenance.lineage import PARAMETER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kedro.pipeline.node import Node

    from social_provenance.lineage import Ledger, Record


@dataclass(frozen=True)
class Clash:
    """An input of a run that does not fit what the run makes.

    Attributes:
        name: The input.
        ancestor: Ancestor of it that the run makes again.
        node: First node that rests on both.
        early: Whether a node reads the input before all of its ancestors are made again, when nothing shows yet.
        stale: The input and those of its ancestors that the run does not make and that do not fit either.
    """

    name: str
    ancestor: str
    node: str
    early: bool
    stale: tuple[str, ...]


@dataclass(frozen=True)
class Foresight:
    """A run before its first node.

    Attributes:
        nodes: Nodes in their order.
        ledger: Ledger of the data folder.
        version_of: Function: input of the run -> its digest; empty if it has none.
    """

    nodes: Sequence[Node]
    ledger: Ledger
    version_of: Callable[[str], str]

    def clashes(self) -> list[Clash]:
        """Return the inputs that would be mixed with what the run makes, in the order of their names."""
        made = {name: place for place, node in enumerate(self.nodes) for name in _whole(node.outputs)}
        readers: dict[str, list[int]] = {}
        behind: dict[str, set[str]] = {}  # dataset -> itself, and what it is made of in this run
        meeting: list[set[str]] = []
        for place, node in enumerate(self.nodes):
            for name in _whole(node.inputs):
                readers.setdefault(name, []).append(place)
            met = {each for name in _whole(node.inputs) for each in behind.get(name, {name})}
            behind |= {name: met | {name} for name in _whole(node.outputs)}
            meeting.append(met)
        found = []
        for name in sorted(set(readers) - set(made)):
            again = self._again(name, made)
            meets = next((n for n, met in enumerate(meeting) if name in met and met & set(again)), None)
            if meets is not None:
                ancestor = next(each for each in again if each in meeting[meets])
                early = min(readers[name]) < max(made[each] for each in again)
                stale = tuple(each for each in self._behind(name) if each not in made and self._again(each, made))
                found.append(Clash(name, ancestor, self.nodes[meets].name, early, stale))
        return found

    def _again(self, name: str, made: dict[str, int]) -> list[str]:
        """Return the ancestors of a dataset that the run makes from other parameters or data, in the run's order."""
        record = self.ledger.record_of(name)
        if record is None:
            return []
        places = sorted({made[each] for each in record.ancestors if each in made})
        others = [self.nodes[place] for place in places if self._differs(self.nodes[place], record, made)]
        return [each for node in others for each in _whole(node.outputs) if each in record.ancestors]

    def _differs(self, node: Node, record: Record, made: dict[str, int]) -> bool:
        """Return whether a node reads another value or version than the history of a record has."""
        for name in _whole(node.inputs):
            parameter = name.startswith(PARAMETER)
            known = (record.parameters if parameter else record.ancestors).get(name)
            now = self.ledger.value_of(name) if parameter else "" if name in made else self.version_of(name)
            if known and now and known != now:
                return True
        return False

    def _behind(self, name: str) -> list[str]:
        record = self.ledger.record_of(name)
        return [name, *(record.ancestors if record else ())]


def _whole(names: Sequence[str]) -> list[str]:
    """Return datasets, whose views (``@``) count once, and parameters."""
    return list(dict.fromkeys(name.partition("@")[0] for name in names))
