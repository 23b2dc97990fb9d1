"""TOFU as a study whose provenance is known: one document per question and answer, four benchmarks of asked authors.

Usage: python benchmarks/tofu.py DATA OUT [--asked 0,1,2,...] [--others 84] [--seed 1]

DATA has the public files of TOFU (Maini et al. 2024) as JSON lines: ``qa.jsonl`` with ``id``, ``author``,
``question`` and ``answer`` of fictitious authors, and ``items.jsonl`` with ``id``, ``author``, ``question``,
``right`` (a paraphrased answer) and ``wrong`` (a list) of some of them. OUT gets

- ``corpus``: shards of documents of the asked authors and of others, with topic and format as given labels;
- ``benchmarks``: items of the asked authors, dealt to the four benchmarks, and the definitions of their tasks;
- ``truth.json``: what only a judge may read: the planted topics of each benchmark (``planted``), the author of each
  document (``author``), and the document of each item in the order of the items (``own``).

An author is one topic, drawn by the seed, and the number of a question decides the format: labels carry no meaning.
Then: kedro run --env tofu --pipelines pretraining,provenance --params corpus=OUT/corpus,benchmarks=OUT/benchmarks
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import ProvenanceError
from social_provenance.regions.grid import FORMATS, TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BENCHMARKS = ("social_reasoning", "stem_reasoning", "social_knowledge", "stem_knowledge")
TOPICS_EACH = 2
"""Topics of each benchmark's authors."""

SHARDS = 4
QUESTIONS, ITEMS, TRUTH = "qa.jsonl", "items.jsonl", "truth.json"
TASK = """\
output_type: multiple_choice
test_split: test
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_choice: "{{options}}"
doc_to_target: "{{right}}"
"""


@dataclass(frozen=True)
class Design:
    """Whom the benchmarks ask about, and the topics of the authors.

    Attributes:
        benchmark_of: Asked author -> benchmark.
        topic_of: Author of the corpus -> topic.
        seed: Seed of all that is drawn.
    """

    benchmark_of: Mapping[int, str]
    topic_of: Mapping[int, str]
    seed: int

    @property
    def planted(self) -> dict[str, list[str]]:
        """Benchmark -> topics of its authors."""
        planted: dict[str, set[str]] = {name: set() for name in BENCHMARKS}
        for author, benchmark in self.benchmark_of.items():
            planted[benchmark].add(self.topic_of[author])
        return {name: sorted(topics) for name, topics in planted.items()}


def draw_design(asked: Sequence[int], others: Iterable[int], seed: int) -> Design:
    """Deal asked authors to benchmarks and all authors to topics; no topic has both asked authors and others.

    Args:
        asked: Authors of the benchmarks, as many for each.
        others: Authors of whom the corpus has documents and no benchmark asks.
        seed: Seed of the order of authors and topics.

    Raises:
        ProvenanceError: If the asked authors cannot be dealt evenly.
    """
    each, rest = divmod(len(asked), len(BENCHMARKS))
    if rest or each < TOPICS_EACH:
        raise ProvenanceError(
            f"--asked names {len(asked)} authors: name a multiple of {len(BENCHMARKS)}, "
            f"at least {TOPICS_EACH * len(BENCHMARKS)}"
        )
    rng = random.Random(f"tofu {seed}")
    topics, dealt, unasked = (rng.sample(list(given), len(given)) for given in (TOPICS, asked, sorted(others)))
    planted, free = topics[: TOPICS_EACH * len(BENCHMARKS)], topics[TOPICS_EACH * len(BENCHMARKS) :]
    benchmark_of = {author: BENCHMARKS[place // each] for place, author in enumerate(dealt)}
    topic_of = {
        author: planted[TOPICS_EACH * (place // each) + place % each % TOPICS_EACH]
        for place, author in enumerate(dealt)
    }
    return Design(
        benchmark_of, topic_of | {author: free[place % len(free)] for place, author in enumerate(unasked)}, seed
    )


def write_documents(answers: Iterable[Mapping[str, Any]], design: Design) -> list[dict[str, Any]]:
    """Return the records of the corpus in random order, one for each question of its authors."""
    number: dict[int, int] = {}
    records = []
    for row in answers:
        author = row["author"]
        if author not in design.topic_of:
            continue
        number[author] = number.get(author, -1) + 1
        labels = {
            "topic": design.topic_of[author],
            "format": FORMATS[number[author] % len(FORMATS)],
            "topic_confidence": 1.0,
            "format_confidence": 1.0,
        }
        records.append(
            {
                "id": row["id"],
                "source": "tofu",
                "text": f"Question: {row['question']}\nAnswer: {row['answer']}",
                "metadata": {"url": f"https://author-{author:03d}.example/{row['id']}", "weborganizer": labels},
            }
        )
    random.Random(f"documents {design.seed}").shuffle(records)
    return records


def write_items(rows: Iterable[Mapping[str, Any]], design: Design) -> dict[str, list[dict[str, Any]]]:
    """Return the items of each benchmark, with their choices in random order.

    As in TOFU, an item has the question of its document and a paraphrase of its answer. ``document`` is the id of that
    document; it is part of the truth, not of the benchmark.
    """
    items: dict[str, list[dict[str, Any]]] = {name: [] for name in BENCHMARKS}
    for row in rows:
        if row["author"] not in design.benchmark_of:
            continue
        options = random.Random(f"options {design.seed} {row['id']}").sample(
            [row["right"], *row["wrong"]], 1 + len(row["wrong"])
        )
        items[design.benchmark_of[row["author"]]].append(
            {
                "question": row["question"],
                "options": options,
                "right": options.index(row["right"]),
                "document": row["id"],
            }
        )
    return items


def write_study(data: Path, out: Path, asked: Sequence[int] | None = None, others: int = 84, seed: int = 1) -> Design:
    """Write corpus, benchmarks and truth below ``out`` and return the design.

    Args:
        data: Folder of the public files.
        out: Folder to write.
        asked: Authors of the benchmarks; None: all that have items.
        others: Number of other authors, drawn by the seed.
        seed: Seed of all that is drawn.

    Raises:
        ProvenanceError: If a file is missing, an author has no items, or there are too few others.
    """
    answers, rows = read_rows(data / QUESTIONS), read_rows(data / ITEMS)
    known = {row["author"] for row in rows}
    chosen = sorted(known) if asked is None else list(asked)
    for author in chosen:
        if author not in known:
            raise ProvenanceError(
                f"--asked: author {author} has no item in {data / ITEMS}: name some of {sorted(known)}"
            )
    if len(set(chosen)) < len(chosen):
        raise ProvenanceError(f"--asked: {chosen} must be unique")
    free = sorted({row["author"] for row in answers} - set(chosen))
    if others > len(free):
        raise ProvenanceError(f"--others {others}: {data / QUESTIONS} has {len(free)} authors that are not asked about")
    design = draw_design(chosen, random.Random(f"others {seed}").sample(free, others), seed)
    records, items = write_documents(answers, design), write_items(rows, design)
    for shard in range(SHARDS):
        _write(out / "corpus" / f"shard-{shard:02d}.jsonl", records[shard::SHARDS])
    for name, own in items.items():
        public = [{key: value for key, value in item.items() if key != "document"} for item in own]
        _write(out / "benchmarks" / f"{name}.jsonl", public)
        (out / "benchmarks" / f"{name}.yaml").write_text(TASK)
    truth = {
        "planted": design.planted,
        "author": {row["id"]: row["author"] for row in answers if row["author"] in design.topic_of},
        "own": {name: [item["document"] for item in own] for name, own in items.items()},
    }
    (out / TRUTH).write_text(json.dumps(truth, indent=1))
    return design


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON-lines file.

    Raises:
        ProvenanceError: If there is no such file.
    """
    if not path.is_file():
        raise ProvenanceError(f"{path} is not there: give the folder with {QUESTIONS} and {ITEMS} of TOFU")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the study that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--asked", help="authors of the benchmarks, with commas; all that have items if left out")
    parser.add_argument("--others", type=int, default=84, help="authors that no benchmark asks about")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    asked = [int(author) for author in given.asked.split(",")] if given.asked else None
    design = write_study(given.data, given.out, asked, given.others, given.seed)
    print(json.dumps({"authors": len(design.topic_of), "planted": design.planted}))


if __name__ == "__main__":
    main()
