"""Worlds whose provenance is known: the miniature under any seed, and TOFU as ``tofu.py`` prepares it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from board.measures import DECOY, OTHER, PLANTED
from social_provenance.errors import ProvenanceError
from social_provenance.fingerprint import digest_of_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

MINIATURE, TOFU = "miniature", "tofu"
TRUTH = "01_raw/miniature_truth.parquet"
TOFU_TRUTH = "truth.json"


@dataclass(frozen=True)
class Truth:
    """What is known about the provenance in a world.

    Attributes:
        planted: Topic -> benchmark that it is planted for.
        decoys: Topic -> benchmark that it is a decoy for.
        authors: Document -> author, where items have documents of their own.
        own: Benchmark -> document of each item, in the order of the items; empty where items have none.
    """

    planted: Mapping[str, str]
    decoys: Mapping[str, str] = field(default_factory=dict)
    authors: Mapping[str, int] = field(default_factory=dict)
    own: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def role(self, benchmark: str, topic: str) -> str:
        """Return the role of a topic for a benchmark."""
        if self.planted.get(topic) == benchmark:
            return PLANTED
        return DECOY if self.decoys.get(topic) == benchmark else OTHER

    def together(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return (role, benchmark) -> all its topics, in alphabetical order, for planted topics and decoys."""
        sets: dict[tuple[str, str], tuple[str, ...]] = {}
        for role, topics in ((PLANTED, self.planted), (DECOY, self.decoys)):
            for benchmark in sorted(set(topics.values())):
                sets[role, benchmark] = tuple(sorted(topic for topic, own in topics.items() if own == benchmark))
        return sets


@dataclass(frozen=True)
class World:
    """A corpus and benchmarks, and how Kedro is asked for them.

    Attributes:
        name: Name in tables, and of its folder.
        environment: Kedro environment.
        params: Runtime parameters.
        pipelines: Pipelines that make the corpus and a model trained on it.
        files: Folder of given data, None if the pipelines make them.
    """

    name: str
    environment: str
    params: Mapping[str, Any]
    pipelines: tuple[str, ...]
    files: Path | None = None

    def identity(self) -> dict[str, Any]:
        """Return what distinguishes the world's data."""
        data = digest_of_path(self.files) if self.files else None
        return {"world": self.name, "environment": self.environment, "data": data}

    def truth(self, root: Path) -> Truth:
        """Return what is known about the provenance, of a world that was made below ``root``."""
        import pandas as pd

        if self.files is None:
            return read_miniature(pd.read_parquet(root / TRUTH))
        return read_tofu(json.loads((self.files / TOFU_TRUTH).read_text()))


def parse_world(text: str, environment: str | None = None) -> World:
    """Return the world that ``miniature:SEED`` or ``tofu:FOLDER`` names.

    Args:
        text: Name of the world.
        environment: Environment of the miniature instead of ``base``.

    Raises:
        ProvenanceError: If it names no world.
    """
    kind, _, rest = text.partition(":")
    trained = ("corpus", "taxonomy", "pretraining")
    if kind == MINIATURE and rest.isdigit():
        params = {"miniature": {"seed": int(rest)}}
        return World(f"{MINIATURE}-{rest}", environment or "base", params, (MINIATURE, *trained))
    folder = Path(rest)
    if kind == TOFU and rest and (folder / TOFU_TRUTH).is_file():
        params = {"corpus": str((folder / "corpus").resolve()), "benchmarks": str((folder / "benchmarks").resolve())}
        return World(f"{TOFU}-{folder.resolve().name}", TOFU, params, trained, folder)
    raise ProvenanceError(
        f"--worlds: {text!r} is no world: name miniature:SEED, or tofu:FOLDER, a folder that benchmarks/tofu.py wrote"
    )


def read_miniature(truth: pd.DataFrame) -> Truth:
    """Return what table ``miniature_truth`` says of topics."""
    named = {
        column: truth.dropna(subset=column).groupby("topic")[column].first().to_dict() if column in truth else {}
        for column in (PLANTED, DECOY)
    }
    return Truth(named[PLANTED], named[DECOY])


def read_tofu(record: Mapping[str, Any]) -> Truth:
    """Return what ``truth.json`` of a TOFU study says."""
    planted = {topic: benchmark for benchmark, topics in record["planted"].items() for topic in topics}
    return Truth(planted, {}, record["author"], record["own"])
