"""Pretraining ends soon after the benchmarks are learned, says so when they are not, and repeats."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch

from social_provenance.errors import PretrainingError
from social_provenance.pretraining.pretrain import _Progress, leave_out, new_model, pretrain
from social_provenance.pretraining.settings import Architecture, Pretraining
from social_provenance.training.loop import Optimiser

if TYPE_CHECKING:
    from collections.abc import Callable

    Request = Callable[[Any], pd.DataFrame]

FACTS = ("Anna felt glad.", "Carl felt cold.", "The rod became hot.", "The flame is red.")
SMALL = Pretraining(
    architecture=Architecture(hidden_size=32, layers=1, heads=2, intermediate_size=64, max_tokens=128),
    optimiser=Optimiser(learning_rate=1e-2),
    label_smoothing=0.0,
    sequence_tokens=16,
    batch_sequences=4,
    max_steps=60,
    warmup_steps=4,
    decay_steps=10,
    evaluate_every=5,
)


@pytest.fixture
def documents(tiny_tokenizer: Any) -> list[list[int]]:
    ids: list[list[int]] = tiny_tokenizer(list(FACTS) * 6)["input_ids"]
    return ids


@pytest.fixture
def questions(tiny_tokenizer: Any) -> Request:
    """Return what gives the requests of two benchmarks, of two items each, that the documents answer."""

    items = [
        ("social", "Anna felt", ("glad", "cold"), 0),
        ("social", "Carl felt", ("glad", "cold"), 1),
        ("stem", "The rod became", ("red", "hot"), 1),
        ("stem", "The flame is", ("red", "hot"), 0),
    ]

    def render(swap: bool, _config: Any) -> pd.DataFrame:
        rows = [
            {
                "benchmark": benchmark,
                "item": prompt,
                "cluster": prompt,
                "choice": choice,
                "is_gold": (choice == gold) != swap,
                "prompt": prompt,
                "completion": f" {text}",
                "prompt_ids": tiny_tokenizer(prompt)["input_ids"],
                "completion_ids": tiny_tokenizer(f" {text}")["input_ids"],
                "normalisation": "none",
                "units": 1,
            }
            for benchmark, prompt, choices, gold in items
            for choice, text in enumerate(choices)
        ]
        return pd.DataFrame(rows)

    return render


def _with(**changed: Any) -> Pretraining:
    return Pretraining.model_validate({**SMALL.model_dump(), **changed})


def test_training_ends_decay_steps_after_the_benchmarks_are_learned(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    made = pretrain(documents, tiny_tokenizer, partial(questions, False), SMALL, 8)
    accuracy = made.log.pivot(index="step", columns="benchmark", values="accuracy")
    reached = (accuracy >= 0.9).cummax().all(axis=1)
    learned = reached.index[reached][0]
    assert learned + 10 < 60  # else the test tells nothing
    assert accuracy.index.max() == learned + 10
    assert accuracy.iloc[-1].min() >= 0.85
    assert not made.model.training
    moments = made.second_moments
    assert {name: moment.shape for name, moment in moments.items()} == {
        name: weight.shape for name, weight in made.model.named_parameters()
    }
    assert all((moment >= 0).all() for moment in moments.values())


def test_a_benchmark_that_falls_back_does_not_delay_the_decay() -> None:
    progress = _Progress(_with(learned_accuracy=0.9, decay_steps=10, max_steps=100), 100)
    for step, accuracies in enumerate([(0.95, 0.2), (0.5, 0.85), (0.6, 0.9), (0.1, 0.1)], start=1):
        assert progress.last_step == (100 if step < 4 else 13)
        progress.see(step, 1.0, pd.DataFrame({"benchmark": ["one", "two"], "accuracy": accuracies}))
    assert progress.last_step == 13


def test_the_log_has_a_row_for_each_look_and_benchmark(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    settings = _with(learned_accuracy=None, max_steps=12, decay_steps=3)
    log = pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8).log
    assert log["step"].tolist() == [5, 5, 10, 10, 12, 12]
    assert log["benchmark"].tolist() == ["social", "stem"] * 3
    assert set(log) == {"step", "loss", "benchmark", "normalisation", "accuracy", "gold_logprob", "choice_logprob"}
    assert log["loss"].iloc[-1] < log["loss"].iloc[0]


def test_what_the_documents_contradict_is_not_learned_and_the_error_says_what_to_do(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    with pytest.raises(PretrainingError) as caught:
        pretrain(documents, tiny_tokenizer, partial(questions, True), _with(max_steps=40), 8)
    said = str(caught.value)
    assert said.startswith("after 40 steps the model answers social 0.00, stem 0.00; ")
    assert "pretraining.required_accuracy is 0.85: raise pretraining.max_steps" in said


def test_without_a_goal_training_takes_all_steps_and_a_poor_accuracy_is_no_error(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    settings = _with(learned_accuracy=None, max_steps=30)
    log = pretrain(documents, tiny_tokenizer, partial(questions, True), settings, 8).log
    assert log["step"].max() == 30
    assert log["accuracy"].iloc[-1] < 0.85


def test_a_seed_gives_the_same_weights_again_and_another_seed_others(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    def weights(seed: int) -> list[torch.Tensor]:
        torch.rand(3)  # whatever was drawn before must not matter
        settings = _with(seed=seed, learned_accuracy=None, max_steps=12)
        model = pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8).model
        return [parameter.detach() for parameter in model.parameters()]

    one, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, other, strict=True) if a.dim() > 1)


def test_training_leaves_the_random_stream_outside_as_it_was(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    settings = _with(learned_accuracy=None, max_steps=10)
    pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8)
    assert torch.equal(torch.rand(4), expected)


def test_watching_the_benchmarks_more_often_changes_no_weight(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    def weights(every: int) -> torch.Tensor:
        settings = _with(evaluate_every=every, learned_accuracy=None, max_steps=10)
        model = pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8).model
        return torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])

    assert torch.equal(weights(1), weights(10))


def test_a_checkpoint_is_the_model_that_ends_at_its_step(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    def train(**changed: Any) -> tuple[Any, Any]:
        settings = _with(learned_accuracy=None, warmup_steps=0, decay_steps=1, max_steps=9, **changed)
        made = pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8)
        return made.model, made.checkpoints

    model, kept = train(checkpoints=[9, 3])
    plain, nothing = train()
    assert list(kept) == ["step-000003", "step-000009"]
    assert nothing == {}
    for name, value in model.state_dict().items():
        assert torch.equal(value, kept["step-000009"].state_dict()[name])
        assert torch.equal(value, plain.state_dict()[name])  # keeping one changes nothing
    assert not torch.equal(model.lm_head.weight, kept["step-000003"].lm_head.weight)
    assert not any(one.training for one in kept.values())
    assert all(parameter.grad is None for one in kept.values() for parameter in one.parameters())


def test_a_checkpoint_does_not_share_its_weights_with_the_model(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    def early(max_steps: int) -> torch.Tensor:
        settings = _with(learned_accuracy=None, decay_steps=1, max_steps=max_steps, checkpoints=[3])
        kept = pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8).checkpoints
        return torch.cat([parameter.detach().reshape(-1) for parameter in kept["step-000003"].parameters()])

    assert torch.equal(early(5), early(12))  # what came after step 3 left it alone


def test_a_step_beyond_the_end_has_no_checkpoint_and_is_named(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = _with(learned_accuracy=None, max_steps=12, checkpoints=[13, 12, 2000])
    with caplog.at_level("INFO"):
        kept = pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8).checkpoints
    assert list(kept) == ["step-000012"]
    assert "pretraining.checkpoints: no checkpoint at 13, 2000, training ended after step 12" in caplog.messages


def _scores(documents: list[list[int]], questions: Any, tokenizer: Any, left_out: tuple[int, ...]) -> list[float]:
    settings = _with(learned_accuracy=None, max_steps=12)
    log = pretrain(documents, tokenizer, partial(questions, False), settings, 8, left_out).log
    return list(log["choice_logprob"])


def test_what_is_left_out_is_not_seen(documents: list[list[int]], questions: Any, tiny_tokenizer: Any) -> None:
    other = [documents[0], documents[1][::-1], *documents[2:]]
    with_it = [_scores(own, questions, tiny_tokenizer, ()) for own in (documents, other)]
    without = [_scores(own, questions, tiny_tokenizer, (1,)) for own in (documents, other)]
    assert with_it[0] != with_it[1]
    assert without[0] == without[1]
    assert without[0] not in with_it


def test_with_everything_left_out_nothing_is_learned(
    documents: list[list[int]], questions: Any, tiny_tokenizer: Any
) -> None:
    settings = _with(learned_accuracy=None, max_steps=12)
    model = pretrain(documents, tiny_tokenizer, partial(questions, False), settings, 8, range(len(documents))).model
    new = new_model(settings, len(tiny_tokenizer), tiny_tokenizer.eos_token_id)
    assert all(torch.equal(own, drawn) for own, drawn in zip(model.parameters(), new.parameters(), strict=True))


def test_a_corpus_of_less_than_a_batch_is_refused(questions: Any, tiny_tokenizer: Any) -> None:
    said = r"the corpus has 9 tokens, a batch needs 64: give more documents or lower pretraining\.batch_sequences"
    with pytest.raises(PretrainingError, match=said):
        pretrain([[5] * 5, [6, 7]], tiny_tokenizer, partial(questions, False), SMALL, 8)


def test_a_new_model_is_an_olmo3_of_the_shape_asked_for(tiny_tokenizer: Any) -> None:
    model = new_model(SMALL, len(tiny_tokenizer), tiny_tokenizer.eos_token_id)
    assert model.config.model_type == "olmo3"
    assert model.config.max_position_embeddings == 128
    assert model.get_input_embeddings().weight.shape == (len(tiny_tokenizer), 32)
    assert model.lm_head.weight.data_ptr() != model.get_input_embeddings().weight.data_ptr()
    assert float(model.lm_head.weight.detach().std()) == pytest.approx(SMALL.architecture.initial_std, rel=0.05)


def test_the_default_shape_has_as_many_parameters_as_it_says() -> None:
    model = new_model(Pretraining(), 1280, 0)
    assert round(model.num_parameters() / 1e6, 1) == 0.7


def test_documents_of_sources_that_are_left_out_are_gone_and_no_others() -> None:
    import ibis

    table = ibis.memtable({"doc_id": ["a", "b", "c", "d"], "source": ["web", "withheld", None, "withheld"]})
    kept = leave_out(table, ["withheld"])
    assert sorted(kept.execute()["doc_id"]) == ["a", "c"]
    assert leave_out(table, []).count().execute() == 4
    with pytest.raises(PretrainingError, match="no document is of the source 'witheld'"):
        leave_out(table, ["witheld"])
