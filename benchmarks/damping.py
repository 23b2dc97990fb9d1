"""How does damping change what is found? Scores finished studies of miniature worlds anew.

Usage: python benchmarks/damping.py DATA_ROOT [DATA_ROOT ...]

Prints one JSON object: for each damping and method the smallest area under the ROC curve (planted
topics against the others) over worlds and benchmarks, and in how many worlds it is at least 0.95 for
every benchmark. ``null`` stands for no preconditioner.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from sklearn.metrics import roc_auc_score

from social_provenance.gradients.methods.preconditioner import mix, second_moment
from social_provenance.gradients.methods.scoring import TINY
from social_provenance.gradients.walk.store import GradientStore

DAMPINGS = (0.1, 1.0, 3.0, 10.0, None)
COMPONENT = 62
CHUNK = 8192
GOAL = 0.95


def gradients(store: GradientStore) -> torch.Tensor:
    """Return all gradients of a store, rows x numbers."""
    return torch.cat([torch.from_numpy(chunk.gradients) for chunk in store.chunks(CHUNK)])


def unit(rows: torch.Tensor) -> torch.Tensor:
    """Return rows of length one."""
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(TINY)


def parts(folder: Path) -> dict[str, Path]:
    """Return the finished parts of a store."""
    return {mark.parent.name: mark.parent for mark in sorted(folder.glob("*/done.json"))}


def areas(root: Path) -> list[dict[str, Any]]:
    """Return the area of each benchmark, damping and method in one world."""
    truth = pd.read_parquet(root / "01_raw/miniature_truth.parquet")
    home = truth.dropna(subset="planted").groupby("topic")["planted"].first()
    corpus = GradientStore(parts(root / "04_feature/corpus_gradients"), "doc_id")
    ids = [doc_id for chunk in corpus.chunks(CHUNK) for doc_id in chunk.ids]
    labels = pd.read_parquet(root / "03_primary/working_set.parquet").set_index("doc_id").loc[ids]
    documents, moment, rows = gradients(corpus), second_moment(corpus, CHUNK), []
    for benchmark, folder in parts(root / "04_feature/query_gradients").items():
        store = GradientStore({benchmark: folder}, "item")
        queries, own = gradients(store), second_moment(store, CHUNK)
        for damping in DAMPINGS:
            m, q = documents, queries
            if damping is not None:
                made = mix(own, moment, corpus.modules, target_component=COMPONENT, damping=damping)
                m, q = made.apply(documents), made.apply(queries)
            for method, scores in (("trackstar", unit(m) @ unit(q).mean(0)), ("influence", m @ q.mean(0))):
                bins = labels.assign(score=scores.numpy()).groupby(["topic", "format"])["score"].mean()
                topics = bins.groupby("topic").mean()
                area = roc_auc_score(topics.index.map(home) == benchmark, topics)
                rows.append({"damping": str(damping), "method": method, "world": str(root), "area": float(area)})
    return rows


def main(roots: list[str]) -> None:
    """Score every world with every damping."""
    table = pd.DataFrame([row for root in roots for row in areas(Path(root))])
    worst = table.groupby(["damping", "method", "world"], sort=False)["area"].min()
    found = [
        {
            "damping": damping,
            "method": method,
            "smallest_area": round(float(own.min()), 3),
            "worlds": int((own >= GOAL).sum()),
        }
        for (damping, method), own in worst.groupby(["damping", "method"], sort=False)
    ]
    print(json.dumps({"worlds": len(roots), "goal": GOAL, "found": found}))


if __name__ == "__main__":
    main(sys.argv[1:])
