"""Training and evaluation of the classifier for documents without labels."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from social_provenance.artifacts import OneByOne, Parts
from social_provenance.errors import LabelError
from social_provenance.fingerprint import digest_of, digest_of_path
from social_provenance.labelling.calibration import fit_calibration
from social_provenance.labelling.given import GivenLabels, has_both
from social_provenance.labelling.linear import AXES, LinearLabeller, Training
from social_provenance.labelling.measure import QUALITY, Quality, compare
from social_provenance.labelling.official import OfficialLabeller, identity

if TYPE_CHECKING:
    from pathlib import Path

    import ibis.expr.types as ir
    import pandas as pd

    from social_provenance.labelling.settings import Labelling, Light

logger = logging.getLogger(__name__)

PARTS = 5
"""Number of folds of documents; confidences in each are calibrated on the others."""


def plan_classifier(documents: ir.Table, settings: Labelling) -> Parts:
    """Describe the classifier as one part, named as the source of its labels; no part if no document needs it.

    Args:
        documents: Table of the corpus pipeline.
        settings: Choice of classifier, and its training.

    Returns:
        The part ``linear`` has the classifier (see :meth:`LinearLabeller.save`); both it and the part
        ``official`` have the tables of :class:`Quality`.

    Raises:
        LabelError: If a given label is outside the taxonomy, labels are missing and there is no classifier, or
            no document has both labels to train on.
    """
    given = GivenLabels.read(documents)
    missing = documents if not settings.keep_given else documents.filter(~has_both(documents))
    count = int(missing.count().execute())
    if not count:
        return Parts({}, OneByOne({}))
    if settings.classifier is None:
        raise LabelError(
            f"{count:,} documents lack a topic or a format and labelling.classifier is null: label them, or set it "
            f"to light or official"
        )
    if settings.classifier == "official":
        return _plan_official(documents, given, settings)
    if settings.light.saved is not None:
        LinearLabeller.load(settings.light.saved)
        return Parts(
            {LinearLabeller.source: digest_of(digest_of_path(settings.light.saved))},
            OneByOne({LinearLabeller.source: partial(_copy, settings.light.saved)}),
        )
    return _plan_training(documents, given, settings)


def train(documents: pd.DataFrame, settings: Light, bins: int) -> tuple[LinearLabeller, Quality]:
    """Train the light classifier on all documents, and evaluate it by cross-validation over web sites.

    Each document is scored by a classifier trained on all documents of other sites. Confidences are
    calibrated on these scores; for the evaluation, on those of other folds.

    Args:
        documents: Rows with ``doc_id``, ``cluster_id``, ``text``, ``url`` and true ``topic`` and ``format``.
        settings: Settings of the classifier.
        bins: Number of bins of confidence in the evaluation.

    Raises:
        LabelError: If there are too few documents or classes.
    """
    import pandas as pd

    sites = number_sites(documents)
    part = deal(sites, settings.seed)
    training = Training.of(documents, sites, settings)
    said: dict[str, Any] = {}
    calibrations = {}
    for axis, scores in training.held.items():
        place, confidence = training.places[axis], np.zeros(len(documents))
        for number in range(PARTS):
            own = part == number
            confidence[own] = fit_calibration(scores[~own], place[~own]).confidence(scores[own])
        names = np.array(training.labeller.classes[axis], dtype=object)
        said[axis], said[f"{axis}_confidence"] = names[scores.argmax(axis=1)], confidence
        calibrations[axis] = fit_calibration(scores, place)
    n_train = len(documents) - round(float(np.bincount(sites)[sites].mean()))
    quality = compare(documents, pd.DataFrame(said), LinearLabeller.source, n_train, bins)
    return replace(training.labeller, calibrations=calibrations), quality


def number_sites(documents: pd.DataFrame) -> np.ndarray:
    """Number the web sites of documents; number documents instead if there are fewer than ``PARTS`` sites.

    Raises:
        LabelError: If there are fewer documents than ``PARTS``.
    """
    if len(documents) < PARTS:
        raise LabelError(f"{len(documents)} labelled documents are too few to train on: label {PARTS} or more")
    names = documents["cluster_id"]
    numbers: np.ndarray = np.unique(names.astype(str), return_inverse=True)[1]
    return numbers if numbers.max() + 1 >= PARTS else np.arange(len(documents))


def deal(sites: np.ndarray, seed: int) -> np.ndarray:
    """Return the fold of each document, 0 to ``PARTS`` - 1; a site is in one fold.

    Args:
        sites: Number of each document's site.
        seed: Seed of the order in which sites are assigned, each to the smallest fold so far.
    """
    sizes = np.bincount(sites)
    filled, home = np.zeros(PARTS, dtype=int), np.zeros(len(sizes), dtype=int)
    for site in np.random.default_rng(seed).permutation(len(sizes)):
        home[site] = filled.argmin()
        filled[home[site]] += sizes[site]
    parts: np.ndarray = home[sites]
    return parts


def _plan_training(documents: ir.Table, given: GivenLabels, settings: Labelling) -> Parts:
    light = settings.light
    chosen = _first(documents, light.max_train)
    named = chosen.select("doc_id", "content_hash", "n_chars", "url", "given_topic", "given_format").execute()
    if named.empty:
        raise LabelError(
            "no document has both a topic and a format, so no classifier can be trained: give both in some shards "
            "(raw_documents.fields), a trained classifier (labelling.light.saved), or labelling.classifier: official"
        )

    rows = [digest_of(named[column].fillna("").astype(str).tolist()) for column in named]
    libraries = [version(name) for name in ("numpy", "scipy")]
    inputs = digest_of(rows, light, settings.reliability_bins, libraries)
    write = partial(_write_trained, chosen, given, settings)
    return Parts({LinearLabeller.source: inputs}, OneByOne({LinearLabeller.source: write}))


def _write_trained(chosen: ir.Table, given: GivenLabels, settings: Labelling, folder: Path) -> None:
    columns = ("doc_id", "cluster_id", "text", "url", *(f"given_{axis}" for axis in AXES))
    frame = chosen.select(*columns, *(f"given_{axis}_confidence" for axis in AXES)).execute()
    frame = frame.join(given.of(frame)[list(AXES)])
    logger.info("training the light classifier on %d documents", len(frame))
    labeller, quality = train(frame, settings.light, settings.reliability_bins)
    labeller.save(folder)
    quality.save(folder)


def _plan_official(documents: ir.Table, given: GivenLabels, settings: Labelling) -> Parts:
    official = settings.official
    chosen = _first(documents, official.measured)
    named = chosen.select("doc_id", "content_hash", "given_topic", "given_format").execute()
    rows = [digest_of(named[column].astype(str).tolist()) for column in named]
    inputs = digest_of(identity(official), rows, settings.reliability_bins)
    write = partial(_write_measured, chosen, given, settings)
    return Parts({OfficialLabeller.source: inputs}, OneByOne({OfficialLabeller.source: write}))


def _write_measured(chosen: ir.Table, given: GivenLabels, settings: Labelling, folder: Path) -> None:
    (folder / "classifiers.json").write_text(json.dumps(identity(settings.official), indent=1))
    frame = chosen.execute()
    if frame.empty:
        Quality.load([]).save(folder)
        return
    said = OfficialLabeller.load(settings.official).predict(frame)
    compare(given.of(frame), said, OfficialLabeller.source, 0, settings.reliability_bins).save(folder)


def _first(documents: ir.Table, limit: int) -> ir.Table:
    """Select the first documents with both labels, by content hash."""
    return documents.filter(has_both(documents)).order_by("content_hash", "doc_id").limit(limit)


def _copy(saved: Path, folder: Path) -> None:
    for file in sorted(saved.iterdir()):
        if file.suffix in {".json", ".safetensors", ".parquet"} and file.name != "done.json":
            shutil.copyfile(file, folder / file.name)
    if not (folder / QUALITY).exists():
        Quality.load([]).save(folder)
