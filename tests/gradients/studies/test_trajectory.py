"""A checkpoint in a trajectory has the gradients and scores that it has alone; tokens mean the same to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch

from social_provenance.artifacts import Parts, join
from social_provenance.datasets import PartsFolder
from social_provenance.errors import AttributionError
from social_provenance.gradients.methods.score_files import SCORES
from social_provenance.gradients.methods.scoring import plan_scores
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.gradients.studies.trajectory import (
    SAMPLE,
    by_checkpoint,
    plan_gradients,
    plan_trajectory,
    refuse_other_tokenizers,
    sample_sequences,
)
from social_provenance.gradients.walk.collect import plan_corpus
from social_provenance.gradients.walk.store import GradientStore, query_stores
from social_provenance.language_model import LanguageModel, TrainedModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datasets import Dataset

    Saved = dict[str, Path]

SETTINGS = GradientSettings(projection_dim=4, token_batch=128, max_tokens=128, ranks_per_shard=4)
SCORING = ScoringSettings(methods=("trackstar", "influence"), damping=0.1, target_component=3)


@pytest.fixture(scope="session")
def tokens(sequences: Dataset) -> Dataset:
    return sequences.add_column("bin_rank", list(range(len(sequences))))


@pytest.fixture(scope="session")
def queries(tiny_tokenizer: Any) -> pd.DataFrame:
    """Return two items of each of two benchmarks, and a null of them."""
    items = [("social", "Anna felt", " glad"), ("social", "Ben felt", " glad")]
    items += [("stem", "The plate became", " cold"), ("stem", "The flame is", " red")]
    rows = [
        {
            "benchmark": benchmark,
            "variant": variant,
            "item": prompt,
            "block": 0,
            "prompt_ids": tiny_tokenizer(prompt)["input_ids"],
            "answer_ids": tiny_tokenizer(answer)["input_ids"],
        }
        for variant in ("items", "shuffled_answers")
        for benchmark, prompt, answer in items
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, model: LanguageModel) -> dict[str, LanguageModel]:
    """Return a model and the same one with other weights, the later first by name."""
    changed = model.load()
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.mul_(1.5)
    folder = tmp_path_factory.mktemp("later")
    TrainedModel(changed, model.tokenizer()).save(folder)
    return {"z-early": model, "a-late": LanguageModel(str(folder))}


@pytest.fixture(scope="session")
def save(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Parts], Saved]:
    def write(parts: Parts) -> Saved:
        folder = PartsFolder(path=str(tmp_path_factory.mktemp("parts")))
        folder.save(parts)
        return folder.load()

    return write


@pytest.fixture(scope="session")
def collected(
    checkpoints: dict[str, LanguageModel], tokens: Dataset, queries: pd.DataFrame, save: Any
) -> tuple[Saved, Saved]:
    corpus, asked = plan_gradients(checkpoints, tokens, queries, SETTINGS, Distributed())
    return save(corpus), save(asked)


def test_every_checkpoint_has_all_shards_and_the_benchmarks_own_items(collected: tuple[Saved, Saved]) -> None:
    corpus, asked = (by_checkpoint(parts) for parts in collected)
    assert list(corpus) == list(asked) == ["z-early", "a-late"]
    assert all(list(shards) == ["ranks-000000", "ranks-000004"] for shards in corpus.values())
    assert all(list(sets) == ["social.items", "stem.items"] for sets in asked.values())


def test_the_gradients_of_a_checkpoint_are_those_that_it_has_alone(
    collected: tuple[Saved, Saved], checkpoints: dict[str, LanguageModel], tokens: Dataset, save: Any, by_id: Any
) -> None:
    found = {label: by_id(GradientStore(shards)) for label, shards in by_checkpoint(collected[0]).items()}
    for label, own in checkpoints.items():
        alone = by_id(GradientStore(save(plan_corpus(tokens, own, SETTINGS, Distributed()))))
        assert all((found[label][name] == gradient).all() for name, gradient in alone.items())
    assert not any((found["z-early"][name] == found["a-late"][name]).all() for name in found["z-early"])


def test_the_scores_of_a_checkpoint_are_those_that_it_has_alone(collected: tuple[Saved, Saved], save: Any) -> None:
    scores = save(plan_trajectory(*collected, SCORING))
    assert list(scores) == ["z-early.social", "z-early.stem", "a-late.social", "a-late.stem"]
    corpus, asked = (by_checkpoint(parts)["a-late"] for parts in collected)
    alone = save(plan_scores(GradientStore(corpus), query_stores(asked), SCORING))
    for benchmark, folder in alone.items():
        table = pd.read_parquet(scores[f"a-late.{benchmark}"] / SCORES)
        assert set(table["benchmark"]) == {benchmark}
        assert table.equals(pd.read_parquet(folder / SCORES))


def test_a_checkpoint_more_leaves_the_others_as_they_are(
    checkpoints: dict[str, LanguageModel], tokens: Dataset, queries: pd.DataFrame
) -> None:
    both = plan_gradients(checkpoints, tokens, queries, SETTINGS, Distributed())
    one = plan_gradients({"z-early": checkpoints["z-early"]}, tokens, queries, SETTINGS, Distributed())
    for more, fewer in zip(both, one, strict=True):
        assert set(fewer.digests.items()) < set(more.digests.items())


def test_a_trajectory_needs_a_method_on_gradients(collected: tuple[Saved, Saved]) -> None:
    with pytest.raises(AttributionError, match="none that compares stored gradients"):
        plan_trajectory(*collected, ScoringSettings(methods=("bm25",), default_method="bm25"))


def test_joined_parts_are_told_apart_again() -> None:
    own = {"step-1": {"quiz.items": "1", "ranks-000": "2"}, "step-2": {"quiz.items": "3"}}
    joined = join({label: Parts(digests, lambda _: iter(())) for label, digests in own.items()})
    assert by_checkpoint(joined.inputs) == own


def test_the_sample_is_of_documents_and_queries_from_end_to_end(tokens: Dataset, queries: pd.DataFrame) -> None:
    sample = sample_sequences(tokens, queries)
    assert len(sample) == len(tokens) + len(queries)
    assert sample[2] == tokens[2]["input_ids"]
    assert sample[-1] == [*queries.iloc[-1]["prompt_ids"], *queries.iloc[-1]["answer_ids"]]
    many = tokens.select([0] * SAMPLE + [1] * (SAMPLE - 1))
    drawn = sample_sequences(many, queries)
    assert len(drawn) == SAMPLE + len(queries)
    assert drawn[0] == tokens[0]["input_ids"]
    assert drawn[SAMPLE - 1] == tokens[1]["input_ids"]


def test_the_same_tokenizer_elsewhere_is_accepted(
    checkpoints: dict[str, LanguageModel], model: LanguageModel, tokens: Dataset, queries: pd.DataFrame
) -> None:
    refuse_other_tokenizers(checkpoints, model, sample_sequences(tokens, queries))


def test_a_checkpoint_with_other_tokens_is_refused_by_name(
    checkpoints: dict[str, LanguageModel], model: LanguageModel, tokens: Dataset, queries: pd.DataFrame, tmp_path: Path
) -> None:
    from social_provenance.pretraining.tokenizer import load_tokenizer, train_tokenizer

    model.load().save_pretrained(tmp_path)
    load_tokenizer(train_tokenizer(["other words make other merges"], 300)).save_pretrained(tmp_path)
    strange = {**checkpoints, "strange": LanguageModel(str(tmp_path))}
    said = r"checkpoint 'strange' \(.*\) has another tokenizer than the study's model: it turns 'Anna thanked Ben"
    with pytest.raises(AttributionError, match=said):
        refuse_other_tokenizers(strange, model, sample_sequences(tokens, queries))
