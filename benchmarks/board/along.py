"""Methods that follow the training itself (unrolling and ensembles over checkpoints, MAGIC), and recall and rerank."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from board.ensemble import score_ensemble
from board.magic import SPANS, score_magic
from board.replay import Replay
from board.rerank import RECALL, RERANK, rerank
from board.studies import ALONG, COSTS, ENSEMBLES, MAGIC, NULLS, RANKS, RERANKING, TOPICS, UNROLLING, mean_rank, step
from board.unrolling import Unrolling, score_unrolling
from social_provenance.errors import ProvenanceError
from social_provenance.fingerprint import digest_of_code, digest_of_path
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import GradientSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from board.studies import Study
    from board.worlds import Truth

CODE = (
    "social_provenance.pretraining.pretrain",
    "social_provenance.gradients.studies.trajectory",
    "social_provenance.gradients.methods.bergson_ekfac",
)
FILES = ("replay.py", "magic.py", "unrolling.py", "ensemble.py", "rerank.py", "along.py")
RECALLED = 0.1
"""Share of the documents that is recalled."""
VERSIONS = ("bergson", "torch", "torchopt", "transformers")


@dataclass(frozen=True)
class Along:
    """A method with its settings.

    Attributes:
        method: One of ``ALONG``.
        settings: Checkpoints and segments; of ``magic`` one of ``SPANS``.
    """

    method: str
    settings: Unrolling | str

    @property
    def label(self) -> str:
        """Its name in tables, with the settings on which it depends."""
        own = self.settings
        if isinstance(own, str):
            return f"{self.method} {own}"
        settings = {
            UNROLLING: f"{own.variant} checkpoints={own.checkpoints} segments={own.segments}",
            RERANKING: f"recall={RECALLED}",
            **dict.fromkeys(ENSEMBLES, f"checkpoints={own.checkpoints}"),
        }
        return f"{self.method} {settings[self.method]}"

    def score(self, study: Study, truth: Truth) -> Path:
        """Score the topics of a study, once, and return the folder of its tables."""
        folder = study.own / "scores" / self.label.replace(" ", "-").replace("=", "-")
        with step(folder, self._identity()) as waiting:
            if waiting:
                replay = Replay.of(study)
                start = time.perf_counter()
                scores, items = self._scores(study, replay, folder)
                seconds = time.perf_counter() - start
                (folder / COSTS).write_text(json.dumps({self.method: seconds}))
                sum_topics(scores, replay.topics).assign(method=self.method).to_parquet(folder / TOPICS)
                rank_own(replay, items, truth).assign(method=self.method).to_parquet(folder / RANKS)
        return folder

    def _identity(self) -> dict[str, Any]:
        here = Path(__file__).parent
        return {
            "method": self.method,
            "settings": self.settings if isinstance(self.settings, str) else asdict(self.settings),
            "versions": {name: version(name) for name in VERSIONS},
            "code": [digest_of_code(*CODE), *(digest_of_path(here / name) for name in FILES)],
        }

    def _scores(self, study: Study, replay: Replay, folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Return benchmark -> score of each document, and those of each item, documents x items, where there are any.

        MAGIC walks back through the training once for each outcome, so an outcome is a whole benchmark.
        """
        if isinstance(self.settings, str):
            return score_magic(replay, self.settings), None
        if self.method == RERANKING:
            return rerank(_document_scores(study), list(replay.doc_ids), RECALLED), None
        if self.method in ENSEMBLES:
            settings = _of_store(study, ENSEMBLES[self.method])
            return score_ensemble(replay, _queries(study), settings, self.settings.checkpoints, folder), None
        items = score_unrolling(replay, self.settings, folder)
        asked = replay.items["benchmark"].to_numpy()
        return {name: items[:, asked == name].mean(axis=1) for name in dict.fromkeys(asked)}, items


def plan_along(methods: Sequence[str], settings: Unrolling, spans: Sequence[str]) -> list[Along]:
    """Return the methods that follow the training, of those that are asked for.

    Raises:
        ProvenanceError: If a span is unknown.
    """
    for span in spans:
        if span not in SPANS:
            raise ProvenanceError(f"--magic: {span!r} is no part of a training: choose among {', '.join(SPANS)}")
    asked = [method for method in dict.fromkeys(methods) if method in ALONG]
    return [Along(method, each) for method in asked for each in (spans if method == MAGIC else [settings])]


def _of_store(study: Study, method: str) -> tuple[GradientSettings, ScoringSettings]:
    params = study.params()
    alone = {**params["scoring"], "methods": [method], "default_method": method}
    return GradientSettings.model_validate(params["gradients"]), ScoringSettings.model_validate(alone)


def _queries(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(study.root / "04_feature/queries.parquet")


def _document_scores(study: Study) -> pd.DataFrame:
    import pandas as pd

    scoring = {**study.params()["scoring"], "methods": [RECALL, RERANK], "default_method": RECALL}
    study.run(["attribution"], {"scoring": scoring, "attribution": {"nulls": NULLS}}, outputs=["document_scores"])
    return pd.read_parquet(study.root / "07_model_output/document_scores.parquet")


def sum_topics(scores: Mapping[str, np.ndarray], topics: Sequence[str]) -> pd.DataFrame:
    """Return the sum of the scores of each topic's documents, standardised over topics: leaving out adds up.

    Args:
        scores: Benchmark -> score of each document.
        topics: Topic of each document.

    Returns:
        ``benchmark``, ``topic``, ``z``.
    """
    import pandas as pd

    sums = pd.DataFrame(scores).groupby(np.asarray(topics, str)).sum()
    standard = (sums - sums.mean()) / sums.std(ddof=0)
    return standard.rename_axis("topic").reset_index().melt("topic", var_name="benchmark", value_name="z")


def rank_own(replay: Replay, scores: np.ndarray | None, truth: Truth) -> pd.DataFrame:
    """Return ``benchmark`` and ``rank``, the mean rank of the items' own documents; no row without any."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    if truth.own and scores is not None:
        for benchmark, asked in replay.items.groupby("benchmark", sort=False):
            ordered = asked.sort_values("block")
            scored = pd.DataFrame({"doc_id": replay.doc_ids, "blocks": list(scores[:, ordered.index])})
            rows.append({"benchmark": benchmark, "rank": mean_rank(scored, ordered, truth)})
    return pd.DataFrame(rows, columns=["benchmark", "rank"])
