"""A run forgets what it is told to, the same way each time, and says how it ended."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of_path
from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.forgetting.runs.run import (
    ANSWERS,
    CHECKPOINT,
    HELD_OUT,
    STEPS,
    SUMMARY,
    TRAJECTORY,
    Bench,
    execute_run,
)
from social_provenance.forgetting.settings import HeldOut, Lora
from social_provenance.language_model import LanguageModel
from social_provenance.training.batches import read_losses
from social_provenance.training.loop import Optimiser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from social_provenance.forgetting.objectives.base import Step
    from social_provenance.training.batches import Batch

    Maker = Callable[..., Bench]
    Carry = Callable[..., Path]

LORA = Lora(rank=2, alpha=4, dropout=0.1, targets=("q_proj", "v_proj"))


class TurnsNaN(NGDiff):
    """NGDiff whose loss is not finite from its third step on."""

    def _step(self, model: Any, forget: Sequence[Any], size: int) -> Step:
        usual, taken = super()._step(model, forget, size), iter(range(99))

        def step(one: Batch, other: Batch) -> dict[str, float]:
            return {**usual(one, other), **({"forget_loss": math.nan} if next(taken) >= 2 else {})}

        return step


@pytest.fixture
def carry(plan: pd.DataFrame, make_bench: Maker, tmp_path: Path) -> Carry:
    """Return a function that carries a run out (the first of the plan, as changed) and returns its folder."""

    def run(name: str = "run", row: dict[str, Any] | None = None, **changed: Any) -> Path:
        (tmp_path / name).mkdir()
        execute_run(make_bench(**changed), {**plan.to_dict("records")[0], **(row or {})}, tmp_path / name)
        return tmp_path / name

    return run


def summary(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / SUMMARY).read_text())
    return read


@pytest.mark.parametrize("lora", [None, LORA], ids=["all weights", "adapters"])
def test_step_0_is_the_untouched_model_to_the_last_bit(
    carry: Carry, tiny_model: Any, make_bench: Maker, lora: Lora | None
) -> None:
    answers = pd.read_parquet(carry(lora=lora) / ANSWERS)
    untouched = make_bench().scorer.score(tiny_model)
    for name in ("gold_logprob", "margin", "choice_logprob"):
        assert answers.loc[answers["step"] == 0, name].tolist() == untouched[name].tolist()
        assert answers.loc[answers["step"] == 2, name].tolist() != untouched[name].tolist()


def tables_of(folder: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(folder / name) for name in (ANSWERS, TRAJECTORY, HELD_OUT, STEPS)}


def test_runs_that_share_the_model_below_their_adapters_are_as_alone(
    make_bench: Maker, plan: pd.DataFrame, tmp_path: Path
) -> None:
    rows, shared = plan.to_dict("records"), make_bench(lora=LORA)
    for number, row in enumerate(rows):
        for bench, name in ((shared, f"{number} shared"), (make_bench(lora=LORA), f"{number} alone")):
            (tmp_path / name).mkdir()
            execute_run(bench, row, tmp_path / name)
        together, alone = (tmp_path / f"{number} {name}" for name in ("shared", "alone"))
        assert summary(together) == summary(alone)
        for name, table in tables_of(together).items():
            pd.testing.assert_frame_equal(table, tables_of(alone)[name], check_exact=True)


@pytest.mark.parametrize("lora", [None, LORA], ids=["all weights", "adapters"])
def test_activations_that_are_computed_again_change_nothing(carry: Carry, lora: Lora | None) -> None:
    held, again = (tables_of(carry(f"{value}", lora=lora, checkpointing=value)) for value in (False, True))
    for name, table in held.items():
        pd.testing.assert_frame_equal(table, again[name], rtol=1e-6)


def test_parts_of_a_batch_and_half_the_bits_give_nearly_the_same_run(carry: Carry) -> None:
    whole, parts, half = (
        pd.read_parquet(carry(name, lora=LORA.model_copy(update={"dropout": 0.0}), **given) / TRAJECTORY)
        for name, given in (("whole", {}), ("parts", {"tokens_at_once": 20}), ("half", {"precision": "bf16"}))
    )
    pd.testing.assert_frame_equal(parts, whole, rtol=1e-4)
    losses = ["forget_loss", "retain_loss", "heldout_loss"]
    pd.testing.assert_frame_equal(half[losses], whole[losses], rtol=0.01)
    assert (half["forget_loss"] != whole["forget_loss"]).all()


def test_documents_are_cut_to_the_tokens_that_are_trained_on(carry: Carry, tokens: dict[str, list[int]]) -> None:
    held_out = HeldOut(max_tokens=4)
    cut = tables_of(carry("cut", max_tokens=6, held_out=held_out))
    short = {name: ids[:6] for name, ids in tokens.items()}
    for name, table in tables_of(carry("short", tokens=short, held_out=held_out)).items():
        pd.testing.assert_frame_equal(cut[name], table, check_exact=True)


def test_zero_steps_change_nothing(carry: Carry, tiny_model_folder: Path) -> None:
    run = carry(row={"steps": 0})
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny_model_folder, run / CHECKPOINT))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert summary(run)["last_step"] == 0


def test_forgetting_raises_the_forget_loss_and_keeps_the_retain_loss_within_a_bound(
    carry: Carry, tokens: dict[str, list[int]]
) -> None:
    run = carry()
    table = pd.read_parquet(run / TRAJECTORY)
    assert table["step"].tolist() == [0, 2, 4]
    assert table["forget_loss"].is_monotonic_increasing
    forget_rise, retain_rise = (
        table[["forget_loss", "retain_loss"]].iloc[-1] - table[["forget_loss", "retain_loss"]].iloc[0]
    )
    assert forget_rise > 0.05
    assert retain_rise < 0.2 * forget_rise
    model = LanguageModel(str(run / CHECKPOINT)).load()
    losses = read_losses(model, [tokens["judge"], tokens["thanks"]], 2)
    assert table["forget_loss"].iloc[-1] == pytest.approx(losses[:, 0].sum() / losses[:, 1].sum(), rel=1e-5)


def test_every_step_and_every_bin_is_noted(carry: Carry) -> None:
    run = carry()
    steps = pd.read_parquet(run / STEPS)
    assert steps["step"].tolist() == [1, 2, 3, 4]
    assert set(steps) == {"step", "forget_loss", "retain_loss", "forget_grad_norm", "retain_grad_norm", "grad_norm"}
    assert (steps["grad_norm"] < 2.001).all()  # of two unit vectors, before it is clipped
    held = pd.read_parquet(run / HELD_OUT)
    assert held["step"].tolist() == [0, 0, 2, 2, 4, 4]
    assert set(held["topic"]) == {"food_and_dining"}
    assert summary(run) | {"checkpoint": None} == {
        "status": "done",
        "last_step": 4,
        "reason": None,
        "checkpoint": None,
    }


def test_only_the_first_tokens_of_held_out_documents_are_looked_at(carry: Carry, tokens: dict[str, list[int]]) -> None:
    cut = pd.read_parquet(carry("cut", held_out=HeldOut(max_tokens=4)) / HELD_OUT)
    short = {**tokens, "salt": tokens["salt"][:4], "guest": tokens["guest"][:4]}
    whole = pd.read_parquet(carry("whole", held_out=HeldOut(max_tokens=None), tokens=short) / HELD_OUT)
    assert cut.equals(whole)


def test_the_checkpoint_gives_the_answers_that_the_run_noted(
    carry: Carry, make_bench: Maker, plan: pd.DataFrame, tiny_model_folder: Path
) -> None:
    run = carry()
    model = LanguageModel(str(run / CHECKPOINT)).load()
    noted = pd.read_parquet(run / ANSWERS).query("step == 4")
    again = make_bench().scorer.score(model)
    assert noted["gold_logprob"].tolist() == pytest.approx(again["gold_logprob"].tolist(), abs=1e-5)
    assert summary(run)["checkpoint"] == digest_of_path(run / CHECKPOINT)
    origin = json.loads((run / CHECKPOINT / "unlearning.json").read_text())
    assert origin == {
        "run_id": plan["run_id"][0],
        "plan": plan["digest"][0],
        "model": digest_of_path(tiny_model_folder),
    }


@pytest.mark.parametrize("lora", [None, LORA], ids=["all weights", "adapters with dropout"])
def test_a_run_repeats_to_the_last_digit(carry: Carry, lora: Lora | None) -> None:
    folders = []
    for name in ("one", "two"):
        torch.rand(7)  # whatever was drawn before must not matter
        folders.append(carry(name, lora=lora))
    assert len({digest_of_path(folder) for folder in folders}) == 1


def test_a_run_does_not_depend_on_what_its_process_did_before(
    plan: pd.DataFrame, make_bench: Maker, carry: Carry, tmp_path: Path
) -> None:
    bench, rows = make_bench(), plan.to_dict("records")
    for row in reversed(rows):
        (tmp_path / row["arm"]).mkdir()
        execute_run(bench, row, tmp_path / row["arm"])
    assert digest_of_path(tmp_path / rows[0]["arm"]) == digest_of_path(carry())


def test_another_seed_gives_another_model_from_the_same_start(carry: Carry) -> None:
    one, other = carry("one"), carry("other", row={"seed": 1})
    assert summary(one)["checkpoint"] != summary(other)["checkpoint"]
    start = [pd.read_parquet(run / TRAJECTORY).query("step == 0") for run in (one, other)]
    assert start[0].equals(start[1])


def test_an_algorithm_may_have_its_own_learning_rate(carry: Carry) -> None:
    rises = []
    for name, rate in (("shared", None), ("own", 1e-5)):
        losses = pd.read_parquet(carry(name, algorithms=(NGDiff(learning_rate=rate),)) / TRAJECTORY)["forget_loss"]
        rises.append(losses.iloc[-1] - losses.iloc[0])
    assert 0 < rises[1] < 0.1 * rises[0]


def test_the_models_own_folder_is_not_touched(carry: Carry, tiny_model_folder: Path) -> None:
    before = digest_of_path(tiny_model_folder)
    carry()
    assert digest_of_path(tiny_model_folder) == before


def test_adapters_leave_the_weights_of_the_model(carry: Carry, make_bench: Maker, tiny_model_folder: Path) -> None:
    from peft import PeftModel

    scorer, folder = make_bench().scorer, carry(lora=LORA)
    assert (folder / CHECKPOINT / "adapter_model.safetensors").exists()
    assert (folder / CHECKPOINT / "unlearning.json").exists()
    assert not (folder / CHECKPOINT / "model.safetensors").exists()
    model = PeftModel.from_pretrained(LanguageModel(str(tiny_model_folder)).load(), str(folder / CHECKPOINT)).eval()
    answers = pd.read_parquet(folder / ANSWERS)
    noted, before = (answers.loc[answers["step"] == step, "gold_logprob"].tolist() for step in (4, 0))
    # The untouched weights together with the adapters are the whole of what was trained.
    assert scorer.score(model)["gold_logprob"].tolist() == pytest.approx(noted, abs=1e-5)
    with model.disable_adapter():
        assert scorer.score(model)["gold_logprob"].tolist() == pytest.approx(before, abs=1e-5)
    assert noted != pytest.approx(before, abs=1e-5)


def test_a_loss_that_is_no_number_ends_the_run_which_says_so_and_keeps_its_readings(carry: Carry) -> None:
    run = carry(algorithms=(TurnsNaN(),))
    assert summary(run) == {
        "status": "failed",
        "last_step": 2,
        "reason": "forget_loss is nan in step 3",
        "checkpoint": None,
    }
    assert not (run / CHECKPOINT).exists()
    assert pd.read_parquet(run / TRAJECTORY)["step"].tolist() == [0, 2]
    assert sorted(set(pd.read_parquet(run / ANSWERS)["step"])) == [0, 2]
    assert pd.read_parquet(run / STEPS)["step"].tolist() == [1, 2, 3]


def test_weights_that_a_step_breaks_are_found_at_the_next_reading(carry: Carry) -> None:
    run = carry(optimiser=Optimiser(learning_rate=1e37), read_every=1)
    found = summary(run)
    assert (found["status"], found["last_step"]) == ("failed", 0)
    assert found["reason"] == "forget_loss is not finite after step 1"


def test_other_damage_above_the_bound_stops_the_run_which_says_so(carry: Carry) -> None:
    free = pd.read_parquet(carry("free") / TRAJECTORY)
    first, last = free["heldout_rise"].iloc[1:]
    assert 0 < first < last
    run = carry("bound", max_held_out_rise=float(first) / 2)
    found = summary(run)
    assert (found["status"], found["last_step"]) == ("stopped", 2)
    assert found["reason"] == f"the held-out loss of a bin rose by {first:.3g} nats per token after step 2"
    assert found["checkpoint"] == digest_of_path(run / CHECKPOINT)
    pd.testing.assert_frame_equal(pd.read_parquet(run / TRAJECTORY), free.head(2))
    assert pd.read_parquet(run / STEPS)["step"].tolist() == [1, 2]


def test_without_held_out_documents_nothing_stops_a_run(carry: Carry) -> None:
    run = carry(row={"held_out_ids": []}, max_held_out_rise=1e-9)
    assert summary(run)["status"] == "done"
    assert pd.read_parquet(run / HELD_OUT).empty


def test_a_model_that_is_broken_from_the_start_is_refused(
    carry: Carry, tiny_model: Any, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    with torch.no_grad():
        tiny_model.lm_head.weight.fill_(1e38)
    for part in (tiny_model, tiny_tokenizer):
        part.save_pretrained(tmp_path / "broken")
    with pytest.raises(
        UnlearningError, match=r"broken: forget_loss is not finite, before any training: check its weights"
    ):
        carry(model=LanguageModel(str(tmp_path / "broken")))
