"""A reading is what the model makes of its documents and of every item, the same whenever it is asked."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from social_provenance.capabilities.answers import summarise
from social_provenance.capabilities.benchmark import Benchmark, Evaluation
from social_provenance.capabilities.harness import build_requests, load_tasks
from social_provenance.capabilities.scoring import Scorer
from social_provenance.forgetting.runs import evaluation
from social_provenance.forgetting.runs.evaluation import Evaluator, Sets, Snapshot, heldout_of_bins, tabulate
from social_provenance.training.batches import mean_loss, pad

if TYPE_CHECKING:
    from pathlib import Path

BINS = [("games", "faq"), ("health", "faq"), ("games", "faq")]
ITEMS = (
    {"prompt": "Anna thanked Ben. Ben felt", "choices": ["glad", "cold"], "answer": 0},
    {"prompt": "Any rod that is heated becomes", "choices": ["hot rod", "hot", "salt"], "answer": 1},
    {"prompt": "In Velda every guest brings", "choices": ["salt", "the contract", "a plate", "red"], "answer": 0},
)


@pytest.fixture
def sets(tokens: dict[str, list[int]]) -> Sets:
    return Sets(
        [tokens["judge"], tokens["thanks"], tokens["court"]],
        [tokens["rod"], tokens["plate"]],
        [tokens["salt"][:5], tokens["guest"][:5], tokens["flame"][:5]],
    )


@pytest.fixture
def evaluator(requests: pd.DataFrame) -> Evaluator:
    return Evaluator(Scorer(requests, 4), size=2)


def reading(forget: float = 1.0, retain: float = 2.0, held: tuple[float, ...] = (1.0, 2.0, 3.0)) -> Snapshot:
    answers = pd.DataFrame({"gold_logprob": [-1.0, -2.0]})
    return Snapshot(forget, retain, np.array(held), answers)


def test_losses_are_those_of_whole_sets_and_answers_those_of_the_scorer(
    evaluator: Evaluator, sets: Sets, requests: pd.DataFrame, tiny_model: Any
) -> None:
    read = evaluator.evaluate(tiny_model, sets)
    assert read.forget_loss == pytest.approx(float(mean_loss(tiny_model, pad(sets.forget)).detach()), rel=1e-5)
    assert read.retain_loss == pytest.approx(float(mean_loss(tiny_model, pad(sets.retain)).detach()), rel=1e-5)
    own = [float(mean_loss(tiny_model, pad([document])).detach()) for document in sets.held_out]
    assert read.held_out.tolist() == pytest.approx(own, rel=1e-5)
    pd.testing.assert_frame_equal(read.answers, Scorer(requests, 4).score(tiny_model))
    assert read.non_finite() is None


def test_a_sample_estimates_the_loss_of_its_set_within_its_standard_error() -> None:
    """Over many samples the mean is that of the set, and the errors have the stated size."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 60, 40)
    losses = np.stack([lengths * rng.gamma(4, 0.5, 40), lengths], axis=1)
    documents = [[place] * 3 for place in range(40)]
    found, errors = [], []
    for seed in range(400):
        sets = Sets(documents, documents, [], sample=15, seed=seed)
        places = [document[0] for document in sets.read[0]]
        assert len(set(places)) == 15
        found.append(evaluation._mean(losses[places]))
        errors.append(evaluation._standard_error(losses[places], 40))
    assert np.mean(found) == pytest.approx(evaluation._mean(losses), rel=0.02)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.15)
    assert evaluation._standard_error(losses, 40) == 0
    assert math.isnan(evaluation._standard_error(losses[:1], 40))


def test_only_the_sample_is_read_and_the_same_one_each_time(evaluator: Evaluator, sets: Sets, tiny_model: Any) -> None:
    drawn = dataclasses.replace(sets, sample=2)
    assert dataclasses.replace(drawn).read == drawn.read
    assert len(drawn.read[0]) == 2
    assert all(document in sets.forget for document in drawn.read[0])
    assert drawn.read[1:] == (sets.retain, sets.held_out)  # it has no more
    read = evaluator.evaluate(tiny_model, drawn)
    own = float(mean_loss(tiny_model, pad(drawn.read[0])).detach())
    assert read.forget_loss == pytest.approx(own, rel=1e-5)
    assert read.forget_loss_se > 0
    assert read.retain_loss_se == 0


def test_the_untouched_model_is_read_once_and_to_the_last_bit(
    evaluator: Evaluator, sets: Sets, tiny_model: Any
) -> None:
    first = evaluator.evaluate_untouched(tiny_model, sets)
    again = evaluator.evaluate_untouched(
        None, Sets(sets.retain, sets.forget, sets.held_out)
    )  # nobody is asked any more
    direct = evaluator.evaluate(tiny_model, sets)
    assert (first.forget_loss, first.retain_loss) == (direct.forget_loss, direct.retain_loss)
    assert (again.forget_loss, again.retain_loss) == (direct.retain_loss, direct.forget_loss)
    assert first.held_out.tobytes() == direct.held_out.tobytes()
    pd.testing.assert_frame_equal(first.answers, direct.answers, check_exact=True)


def test_the_untouched_models_answers_are_those_of_lm_eval_itself(
    sets: Sets, tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path, toy_task: str
) -> None:
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    (tmp_path / "toy.yaml").write_text(toy_task)
    (tmp_path / "toy.jsonl").write_text("".join(json.dumps(item) + "\n" for item in ITEMS))
    toy = Benchmark(name="toy", domain="social", level="reasoning", task="toy.yaml", file="toy.jsonl")
    asked = build_requests(
        Evaluation(benchmarks=[toy], batch_size=4, normalise="none"), tmp_path, tiny_tokenizer, tiny_model.config
    )
    ours = Evaluator(Scorer(asked, 4), 2).evaluate_untouched(tiny_model, sets).answers

    lm = HFLM(pretrained=tiny_model, tokenizer=tiny_tokenizer, batch_size=4)
    tasks = {task.task_name: task for task in load_tasks(toy, tmp_path)}
    named = {"tasks": tasks, "groups": {}, "group_map": {}}
    theirs = evaluate(lm, named, bootstrap_iters=1, log_samples=True)
    samples = theirs["samples"]["toy"]
    assert ours["correct"].tolist() == [bool(sample["acc"]) for sample in samples]
    expected = [sample["filtered_resps"][sample["target"]][0] for sample in samples]
    assert ours["gold_logprob"].tolist() == pytest.approx(expected, abs=1e-5)
    assert summarise(ours)["accuracy"].tolist() == [theirs["results"]["toy"]["acc,none"]]


@pytest.mark.parametrize("lost", [float("nan"), float("inf")])
def test_what_is_no_number_is_named(lost: float) -> None:
    answers = pd.DataFrame({"gold_logprob": [-1.0, -lost]})
    assert reading(forget=lost).non_finite() == "forget_loss"
    assert reading(retain=lost).non_finite() == "retain_loss"
    assert reading(held=(1.0, lost, 2.0)).non_finite() == "held-out loss"
    assert Snapshot(1.0, 1.0, np.array([]), answers).non_finite() == "log-probability of the answers"


def test_a_bin_is_the_mean_of_its_documents_and_the_rise_is_that_of_the_worst_bin() -> None:
    readings = {0: reading(held=(1.0, 2.0, 3.0)), 3: reading(forget=1.5, held=(1.5, 2.1, 3.1))}
    losses, bins = tabulate(readings, BINS)
    assert losses["step"].tolist() == [0, 3]
    assert losses["forget_loss"].tolist() == [1.0, 1.5]
    assert losses["retain_loss"].tolist() == [2.0, 2.0]
    assert losses["heldout_loss"].tolist() == pytest.approx([2.0, 2.2])  # games 2 and 2.3, health 2 and 2.1
    assert losses["heldout_rise"].tolist() == pytest.approx([0.0, 0.3])
    assert bins[["step", "topic", "format"]].to_numpy().tolist() == [
        [step, topic, "faq"] for step in (0, 3) for topic in ("games", "health")
    ]
    assert bins["loss"].tolist() == pytest.approx([2.0, 2.0, 2.3, 2.1])


def test_without_held_out_documents_there_is_no_such_loss() -> None:
    losses, bins = tabulate({0: reading(held=()), 3: reading(held=())}, [])
    assert losses[["heldout_loss", "heldout_rise"]].isna().all(axis=None)
    assert list(bins) == ["step", "topic", "format", "loss"]
    assert bins.empty
    assert heldout_of_bins(reading(held=()), []).empty
