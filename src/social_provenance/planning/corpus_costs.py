"""Costs of the stages that see the whole corpus."""

from __future__ import annotations

from social_provenance.planning.found import By, Cost, Found, plus

WORKER = 400_000_000
"""Bytes of a process with the libraries of a study."""
OFFICIAL = 2 * 2 * 113_000_000
"""Floating-point operations per token of WebOrganizer's two classifiers, each of 113 million weights beside its
embeddings."""


def make_world(found: Found) -> Cost:
    """Return the cost of the miniature world."""
    return Cost(found.law("make_world"), disk=found.sizes.chars)


def read(found: Found) -> Cost:
    """Return the cost of reading shards, as fast as those of the survey."""
    sizes, shards = found.sizes, found.survey["shards"]
    processes = max(1, min(found.processes, shards))
    seconds = found.survey["seconds"] / processes + found.law("read")
    held = WORKER * processes
    return Cost(seconds, "trial", held, sizes.records_bytes, 0, sizes.records)


def clean(found: Found) -> Cost:
    """Return the cost of cleaning records, as fast as those of the survey."""
    sizes, tried = found.sizes, found.survey["clean_seconds"]
    grown = None if tried is None else tried * max(1.0, found.survey["scale"])
    disk = round(sizes.records_bytes * sizes.documents / max(1, sizes.records))
    held = sizes.chars + 200 * sizes.records
    return Cost(plus(grown, found.law("clean")), "trial", found.held(held), disk, found.spilled(held), sizes.documents)


def label(found: Found) -> Cost:
    """Return the cost of labels of the documents that have none."""
    sizes, survey, settings = found.sizes, found.survey, found.study.labelling
    disk = 140 * sizes.documents
    if not sizes.unlabelled:
        return Cost(found.law("label"), "law", 0, disk, 0, 0)
    if settings.classifier == "official":
        # Both classifiers are of 12 layers of a hidden size of 768 (docs/explanation/labels.md).
        tokens = sum(min(settings.official.max_tokens, length) for length in survey["lengths"])
        tokens = round(tokens * sizes.unlabelled / len(survey["lengths"]))
        passes = found.machine.passes(OFFICIAL * tokens)
        by: By = "unknown" if passes is None else "law"
        return Cost(plus(passes, found.law("label")), by, WORKER, disk, 0, sizes.unlabelled, tokens)
    trained = min(settings.light.max_train, sizes.documents - sizes.unlabelled)
    seconds = found.law("label")
    if survey["trained"]:
        seconds += survey["train_seconds"] * max(1.0, trained / survey["trained"])
    if survey["classified"]:
        seconds += survey["label_seconds"] * max(1.0, sizes.documents / survey["classified"]) / settings.processes
    # As settings.light says: n documents take 8 x n x n bytes, plus 100 kB each.
    return Cost(seconds, "trial", 8 * trained**2 + 100_000 * trained, disk, 0, sizes.unlabelled)


def draw(found: Found) -> Cost:
    """Return the cost of drawing the working set."""
    sizes = found.sizes
    text = round(sizes.chars * sizes.working_set / max(1, sizes.documents))
    held = 2 * text + 100 * sizes.documents
    disk = round(sizes.records_bytes * sizes.working_set / max(1, sizes.records)) + 80 * sizes.working_set
    return Cost(found.law("draw"), "law", found.held(held), disk, found.spilled(held), sizes.working_set)
