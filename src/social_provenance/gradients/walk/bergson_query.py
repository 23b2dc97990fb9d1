"""Prepare a shard for Bergson's ``query`` command.

``bergson query`` needs a ``config.yaml`` beside the gradients with the paths of the model and the texts.
A sealed shard contains no path, so that it can be moved; the folder that is made here does, and
consists of links and texts only.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from social_provenance.errors import AttributionError, ProvenanceError
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.walk.bergson_index import INDEX
from social_provenance.gradients.walk.bergson_run import index_config
from social_provenance.gradients.walk.store import ROWS, STORE
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = "texts"


def lay_out(shard: Path, model: LanguageModel, documents: Path, target: Path) -> Path:
    """Make a folder that ``bergson query --index`` opens.

    Args:
        shard: Folder of a shard of a gradient store.
        model: The model that its gradients are of.
        documents: Parquet file with ``doc_id`` and ``text`` of the shard's documents: ``working_set``.
        target: New folder: links to the shard's index, its texts in the index's order, ``config.yaml``.

    Returns:
        ``target``.

    Raises:
        AttributionError: If the folder is no shard, the gradients are of another model, a document has no text,
            or ``target`` exists.
    """
    import pandas as pd
    import yaml
    from datasets import Dataset

    if not (shard / STORE).exists():
        raise AttributionError(f"{shard} is no shard of a gradient store, it has no {STORE}: name a folder that has")
    if target.exists():
        raise AttributionError(f"{target} exists: name a new folder")
    identity = json.loads((shard / STORE).read_text())
    if identity["model"] != model.digest():
        raise AttributionError(f"the gradients of {shard} are of another model than {model.path}: name that one")
    ids = pd.read_parquet(shard / ROWS, columns=["id"])["id"]
    texts = pd.read_parquet(documents, columns=["doc_id", "text"]).set_index("doc_id")["text"]
    missing = ids[~ids.isin(texts.index)]
    if len(missing):
        raise AttributionError(f"document {missing.iloc[0]!r} of {shard} is not in {documents}: name its working set")
    target.mkdir(parents=True)
    for file in (shard / INDEX).resolve().iterdir():
        (target / file.name).symlink_to(file)
    Dataset.from_dict({"doc_id": ids.tolist(), "text": texts[ids].tolist()}).save_to_disk(str(target / TEXTS))
    taken = {name: value for name, value in identity.items() if name in GradientSettings.model_fields}
    config = index_config(model, GradientSettings(**taken), target, Distributed())
    config.data = replace(config.data, dataset=str((target / TEXTS).resolve()))
    (target / "config.yaml").write_text(yaml.safe_dump({"steps": [{"build": {"index_cfg": config.to_dict()}}]}))
    return target


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m social_provenance.gradients.walk.bergson_query", description=__doc__
    )
    parser.add_argument("shard", type=Path, help="folder of a shard, below corpus_gradients")
    parser.add_argument("model", help="folder of the model that the gradients are of")
    parser.add_argument("documents", type=Path, help="Parquet file of the working set")
    parser.add_argument("target", type=Path, help="new folder")
    given = parser.parse_args(words)
    try:
        model = LanguageModel(str(Path(given.model).resolve()))
        target = lay_out(given.shard, model, given.documents, given.target)
    except ProvenanceError as error:
        parser.exit(1, f"{error}\n")
    sys.stdout.write(f"bergson query --index {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
