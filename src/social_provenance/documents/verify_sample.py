"""Command that verifies a working set against a corpus: presence, texts and draw of its documents.

Usage: python -m social_provenance.documents.verify_sample MANIFEST CONTRACT CORPUS

The manifest and the contract are ``sampling_manifest.parquet`` and ``sampling_contract.json`` of a
study, yours or another one. The corpus is a table of labelled documents
(``labelled_documents.parquet``: everything is checked) or raw shards (presence and texts are checked).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.documents.fields import FIELDS, compile_fields
from social_provenance.documents.rows import Broken, Damage
from social_provenance.documents.sampling import RULE, corpus_digest, sample_digest, seeded_order
from social_provenance.documents.shards import find_shards
from social_provenance.documents.text import content_hash, normalise
from social_provenance.documents.values import Unreadable
from social_provenance.errors import ProvenanceError, SamplingError, excerpt
from social_provenance.paths import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

SHOWN = 3
"""Documents listed per finding."""


@dataclass
class Verdict:
    """Result of a verification.

    Attributes:
        checked: Statements that were checked.
        findings: Statements that do not hold, with the first documents.
    """

    checked: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def note(self, what: str, wrong: Sequence[str]) -> None:
        """Record a checked statement and the documents that violate it."""
        self.checked.append(what)
        if wrong:
            more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
            named = ", ".join(excerpt(name) for name in wrong[:SHOWN])
            self.findings.append(f"not so: {what}: {named}{more}")


def verify(manifest: Path, contract: Path, corpus: str) -> Verdict:
    """Verify a manifest against its contract and a corpus.

    Raises:
        SamplingError: If a file is missing, or of another kind.
        CorpusError: If the corpus cannot be read.
    """
    rows, terms = _read(manifest), _terms(contract)
    verdict = Verdict()
    verdict.note(
        "the manifest is that of the contract", [] if sample_digest(rows) == terms["digest"] else [terms["digest"]]
    )
    verdict.note("no bin has more documents than the contract allows", _too_full(rows, terms["per_bin"]))
    labelled = _labelled(corpus)
    if labelled is None:
        _against(verdict, rows, _raw_hashes(corpus, set(rows["doc_id"])))
    else:
        own = labelled.select("doc_id", "content_hash").execute()
        _against(verdict, rows, dict(zip(own["doc_id"], own["content_hash"], strict=True)))
        _drawn_again(verdict, rows, labelled, terms)
    return verdict


def _read(manifest: Path) -> pd.DataFrame:
    import pandas as pd

    if not manifest.exists():
        raise SamplingError(f"there is no manifest {manifest}: name sampling_manifest.parquet of a study")
    rows = pd.read_parquet(manifest)
    missing = {"doc_id", "topic", "format", "bin_rank", "content_hash"} - set(rows.columns)
    if missing:
        raise SamplingError(f"{manifest} has no column {min(missing)!r}: name sampling_manifest.parquet of a study")
    return rows


def _terms(contract: Path) -> dict[str, Any]:
    if not contract.exists():
        raise SamplingError(f"there is no contract {contract}: name sampling_contract.json of the same study")
    terms: dict[str, Any] = json.loads(contract.read_text())
    if terms.get("rule") != RULE:
        raise SamplingError(
            f"{contract} was drawn by another rule, {excerpt(terms.get('rule'))}, and cannot be checked: use the "
            f"version of this project that drew it"
        )
    return terms


def _labelled(corpus: str) -> Any | None:
    """Return a table of labelled documents; None if ``corpus`` is not one."""
    import ibis

    if not corpus.endswith(".parquet") or not Path(corpus).exists():
        return None
    # Paths are literal: DuckDB would read a folder's name as a pattern, or as a column and its value.
    files = literal(corpus) if Path(corpus).is_file() else f"{literal(corpus)}/*.parquet"
    table = ibis.duckdb.connect().read_parquet(files, hive_partitioning=False)
    return table if {"doc_id", "content_hash", "topic", "format"} <= set(table.columns) else None


def _raw_hashes(corpus: str, wanted: set[str]) -> dict[str, str]:
    """Return id -> content hash of the wanted documents in raw shards."""
    hashes: dict[str, str] = {}
    for shard in find_shards(corpus):
        readers = compile_fields(FIELDS, shard.name)
        try:
            for row in shard.rows():
                if type(row) is Broken or (name := _text_of(readers["doc_id"], row)) not in wanted:
                    continue
                hashes[name] = content_hash(normalise(_text_of(readers["text"], row)))
        except Damage as error:
            raise SamplingError(
                f"shard {shard.place} is damaged ({error}), so its documents cannot be checked: fetch it again"
            ) from error
    return hashes


def _text_of(read: Callable[[Any], Any], row: Any) -> str:
    """Return the text of a field; empty if there is none."""
    try:
        return read(row) or ""
    except Unreadable:
        return ""


def _against(verdict: Verdict, rows: pd.DataFrame, hashes: Mapping[str, str]) -> None:
    present = rows["doc_id"].isin(list(hashes))
    verdict.note("every document is in the corpus", rows["doc_id"][~present].tolist())
    kept = rows[present]
    changed = kept["doc_id"].map(hashes) != kept["content_hash"]
    verdict.note("every document has the text that was drawn", kept["doc_id"][changed].tolist())


def _drawn_again(verdict: Verdict, rows: pd.DataFrame, labelled: Any, terms: Mapping[str, Any]) -> None:
    same = corpus_digest(labelled) == terms["corpus_digest"]
    verdict.note("the corpus is the one that was drawn from", [] if same else [terms["corpus_digest"]])
    ranked = seeded_order(labelled, terms["seed"])
    again = ranked.filter(ranked.bin_rank < terms["per_bin"]).select("doc_id", "topic", "format", "bin_rank").execute()
    key = ["doc_id", "topic", "format", "bin_rank"]
    merged = rows[key].merge(again[key], how="outer", on=key, indicator=True)
    differing = merged.loc[merged["_merge"] != "both", "doc_id"]
    verdict.note("drawing again gives the same documents in the same order", sorted(set(differing)))


def _too_full(rows: pd.DataFrame, per_bin: int) -> list[str]:
    sizes = rows.groupby(["topic", "format"]).size()
    return [f"{topic}/{form}" for topic, form in sizes.index[sizes > per_bin]]


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m social_provenance.documents.verify_sample", description=__doc__)
    parser.add_argument("manifest", type=Path, help="sampling_manifest.parquet")
    parser.add_argument("contract", type=Path, help="sampling_contract.json")
    parser.add_argument("corpus", help="labelled_documents.parquet, or a folder, glob or address of raw shards")
    given = parser.parse_args(words)
    try:
        verdict = verify(given.manifest, given.contract, given.corpus)
    except ProvenanceError as error:
        parser.exit(2, f"error: {error}\n")
    for line in (*(f"checked: {what}" for what in verdict.checked), *verdict.findings):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write("the sample holds\n" if not verdict.findings else "the sample does not hold\n")
    return 1 if verdict.findings else 0


if __name__ == "__main__":
    sys.exit(main())
