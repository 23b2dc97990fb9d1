"""Bergson's own ``query`` opens a shard that was laid out for it, and finds a document by its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from social_provenance.errors import AttributionError
from social_provenance.gradients.walk.bergson_query import lay_out, main
from social_provenance.language_model import LanguageModel, TrainedModel

if TYPE_CHECKING:
    from pathlib import Path

    from datasets import Dataset

    from social_provenance.gradients.walk.store import GradientStore


@pytest.fixture
def shard(store: GradientStore) -> Path:
    return next(iter(store.shards.values()))


@pytest.fixture
def texts(model: LanguageModel, sequences: Dataset) -> list[str]:
    found: list[str] = model.tokenizer().batch_decode(list(sequences["input_ids"]))
    return found


@pytest.fixture
def documents(sequences: Dataset, texts: list[str], tmp_path: Path) -> Path:
    """Return a file of the documents' texts, in another order than the shard's."""
    table = pd.DataFrame({"doc_id": sequences["doc_id"], "text": texts})
    table.iloc[::-1].to_parquet(tmp_path / "documents.parquet")
    return tmp_path / "documents.parquet"


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")  # it maps the file for reading
def test_bergson_query_ranks_the_document_that_is_asked_for_first(  # noqa: PLR0917
    shard: Path,
    model: LanguageModel,
    documents: Path,
    texts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from bergson.config.config import QueryConfig
    from bergson.query.query_index import query

    assert main([str(shard), model.path, str(documents), str(tmp_path / "laid")]) == 0
    assert capsys.readouterr().out == f"bergson query --index {tmp_path / 'laid'}\n"
    asked = iter([texts[3], texts[5], "exit"])
    monkeypatch.setattr("builtins.input", lambda _: next(asked))
    record = tmp_path / "found.csv"
    query(QueryConfig(index=str(tmp_path / "laid"), top_k=2, record=str(record)))
    top = pd.read_csv(record).query("direction == 'Top'").iloc[::2]
    assert top["result_index"].tolist() == [3, 5]
    assert top["result"].tolist() == [texts[3], texts[5]]
    assert top["score"].tolist() == pytest.approx([1, 1], abs=1e-3)


def test_the_shard_stays_as_it_is(shard: Path, model: LanguageModel, documents: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in shard.rglob("*")}
    lay_out(shard, model, documents, tmp_path / "laid")
    assert {path: path.stat().st_mtime_ns for path in shard.rglob("*")} == before


def test_another_model_is_refused(
    shard: Path,
    tiny_model: Any,
    tiny_tokenizer: Any,
    documents: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tiny_model.model.norm.weight.data += 1
    TrainedModel(tiny_model, tiny_tokenizer).save(tmp_path / "other")
    with pytest.raises(SystemExit) as ended:
        main([str(shard), str(tmp_path / "other"), str(documents), str(tmp_path / "laid")])
    assert ended.value.code == 1
    said = f"the gradients of {shard} are of another model than {tmp_path / 'other'}: name that one\n"
    assert capsys.readouterr().err.endswith(said)
    assert not (tmp_path / "laid").exists()


def test_a_document_without_a_text_is_named(shard: Path, model: LanguageModel, documents: Path, tmp_path: Path) -> None:
    pd.read_parquet(documents).query("doc_id != 'doc-4'").to_parquet(documents)
    with pytest.raises(AttributionError, match=r"document 'doc-4' of .* is not in .*: name its working set"):
        lay_out(shard, model, documents, tmp_path / "laid")


def test_wrong_folders_are_refused(shard: Path, model: LanguageModel, documents: Path, tmp_path: Path) -> None:
    with pytest.raises(AttributionError, match="is no shard of a gradient store"):
        lay_out(tmp_path, model, documents, tmp_path / "laid")
    with pytest.raises(AttributionError, match="exists: name a new folder"):
        lay_out(shard, model, documents, tmp_path)
