"""A run forgets what it is told to, the same way each time, and is done once for its inputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from social_provenance.capabilities.harness import Scorer
from social_provenance.errors import UnlearningError
from social_provenance.fingerprint import digest_of_path
from social_provenance.forgetting.batches import corpus_loss
from social_provenance.forgetting.run import ANSWERS, CHECKPOINT, STEPS, SUMMARY, UNTOUCHED, Bench, plan_parts
from social_provenance.forgetting.settings import Lora
from social_provenance.language_model import LanguageModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    Maker = Callable[..., Bench]

INFLUENCE, RANDOM = (f"social.crime_and_law.{arm}_in_topic.ngdiff.0" for arm in ("influence", "random"))
LORA = Lora(rank=2, alpha=4, dropout=0.1, targets=("q_proj", "v_proj"))


def _carry_out(plan: pd.DataFrame, bench: Bench, run_id: str, folder: Path) -> Path:
    folder.mkdir(parents=True)
    list(plan_parts(plan, bench).write({run_id: folder}))
    return folder


def _digests(plan: pd.DataFrame, bench: Bench) -> dict[str, str]:
    return dict(plan_parts(plan, bench).digests)


@pytest.fixture
def run(plan: pd.DataFrame, make_bench: Maker, tmp_path: Path) -> Path:
    """Return the folder of a finished run."""
    return _carry_out(plan, make_bench(), INFLUENCE, tmp_path / "run")


def test_the_untouched_model_and_every_run_are_parts(plan: pd.DataFrame, make_bench: Maker) -> None:
    digests = _digests(plan, make_bench())
    assert list(digests) == [UNTOUCHED, INFLUENCE, RANDOM]
    assert len(set(digests.values())) == 3


def test_the_untouched_model_is_answered_as_it_is(
    plan: pd.DataFrame, make_bench: Maker, tmp_path: Path, tiny_model: Any, tiny_tokenizer: Any
) -> None:
    import pandas as pd

    bench = make_bench()
    folder = _carry_out(plan, bench, UNTOUCHED, tmp_path / "untouched")
    pd.testing.assert_frame_equal(
        pd.read_parquet(folder / ANSWERS), bench.scorer.score(tiny_model, tiny_tokenizer), check_dtype=False
    )


def test_losses_before_are_those_of_the_untouched_model_and_forgetting_raises_them(
    run: Path, tokens: dict[str, list[int]], tiny_model: Any
) -> None:
    summary = json.loads((run / SUMMARY).read_text())
    forget, retain = [tokens["judge"], tokens["thanks"]], [tokens["rod"], tokens["plate"], tokens["flame"]]
    assert summary["forget_loss_before"] == pytest.approx(corpus_loss(tiny_model, forget, 2), rel=1e-5)
    assert summary["retain_loss_before"] == pytest.approx(corpus_loss(tiny_model, retain, 2), rel=1e-5)
    assert summary["forget_loss_after"] > summary["forget_loss_before"] + 0.01
    assert summary["retain_loss_after"] < summary["forget_loss_after"]


def test_every_step_is_noted(run: Path) -> None:
    import pandas as pd

    steps = pd.read_parquet(run / STEPS)
    assert steps["step"].tolist() == [1, 2, 3, 4]
    assert set(steps) == {"step", "forget_loss", "retain_loss", "forget_grad_norm", "retain_grad_norm", "grad_norm"}
    assert (steps["grad_norm"] < 2.001).all()  # of two unit vectors, before it is clipped


def test_the_checkpoint_gives_the_answers_that_the_run_noted(run: Path, make_bench: Maker, tiny_tokenizer: Any) -> None:
    import pandas as pd

    scorer = make_bench().scorer
    model = LanguageModel(str(run / CHECKPOINT)).load()
    noted = pd.read_parquet(run / ANSWERS)
    again = scorer.score(model, tiny_tokenizer)
    assert noted["gold_logprob"].tolist() == pytest.approx(again["gold_logprob"].tolist(), abs=1e-5)
    assert json.loads((run / SUMMARY).read_text())["checkpoint"] == digest_of_path(run / CHECKPOINT)


@pytest.mark.parametrize("lora", [None, LORA], ids=["all weights", "adapters with dropout"])
def test_a_run_repeats_to_the_last_digit(
    plan: pd.DataFrame, make_bench: Maker, tmp_path: Path, lora: Lora | None
) -> None:
    usual = make_bench()
    bench = make_bench(settings=usual.settings.model_copy(update={"lora": lora}))
    folders = []
    for name in ("one", "two"):
        torch.rand(7)  # whatever was drawn before must not matter
        folders.append(_carry_out(plan, bench, INFLUENCE, tmp_path / name))
    assert len({(folder / SUMMARY).read_text() for folder in folders}) == 1
    assert len({digest_of_path(folder) for folder in folders}) == 1


def test_another_seed_gives_another_model(plan: pd.DataFrame, make_bench: Maker, run: Path, tmp_path: Path) -> None:
    other = _carry_out(plan.assign(seed=1), make_bench(), INFLUENCE, tmp_path / "other")
    assert (other / SUMMARY).read_text() != (run / SUMMARY).read_text()


def test_the_models_own_folder_is_not_touched(
    plan: pd.DataFrame, make_bench: Maker, tmp_path: Path, tiny_model_folder: Path
) -> None:
    before = digest_of_path(tiny_model_folder)
    _carry_out(plan, make_bench(), RANDOM, tmp_path / "run")
    assert digest_of_path(tiny_model_folder) == before


def test_adapters_leave_the_weights_of_the_model(
    plan: pd.DataFrame, make_bench: Maker, tmp_path: Path, tiny_model_folder: Path, tiny_tokenizer: Any
) -> None:
    import pandas as pd
    from peft import PeftModel

    bench = make_bench(settings=make_bench().settings.model_copy(update={"lora": LORA}))
    folder = _carry_out(plan, bench, INFLUENCE, tmp_path / "run")
    assert (folder / CHECKPOINT / "adapter_model.safetensors").exists()
    assert not (folder / CHECKPOINT / "model.safetensors").exists()
    model = PeftModel.from_pretrained(LanguageModel(str(tiny_model_folder)).load(), str(folder / CHECKPOINT)).eval()
    noted = pd.read_parquet(folder / ANSWERS)["gold_logprob"].tolist()
    # The untouched weights together with the adapters are the whole of what was trained.
    assert bench.scorer.score(model, tiny_tokenizer)["gold_logprob"].tolist() == pytest.approx(noted, abs=1e-5)
    with model.disable_adapter():
        untouched = bench.scorer.score(model, tiny_tokenizer)["gold_logprob"].tolist()
    assert untouched != pytest.approx(noted, abs=1e-5)


def test_an_unknown_adapter_target_is_named(plan: pd.DataFrame, make_bench: Maker, tmp_path: Path) -> None:
    lora = LORA.model_copy(update={"targets": ("q_proj", "query")})
    bench = make_bench(settings=make_bench().settings.model_copy(update={"lora": lora}))
    with pytest.raises(UnlearningError, match=r"unlearning\.lora\.targets: the model has no module 'query'"):
        _carry_out(plan, bench, INFLUENCE, tmp_path / "run")


def test_a_document_cannot_be_forgotten_and_retained(plan: pd.DataFrame, make_bench: Maker) -> None:
    plan.at[1, "retain_ids"] = ["rod", "judge"]
    with pytest.raises(UnlearningError, match=f"run {RANDOM}: a document is both to be forgotten and to be retained"):
        plan_parts(plan, make_bench())


def test_the_same_study_has_the_same_digests(plan: pd.DataFrame, make_bench: Maker) -> None:
    assert _digests(plan, make_bench()) == _digests(plan, make_bench())


def test_what_a_run_depends_on_changes_its_digest(
    plan: pd.DataFrame, make_bench: Maker, requests: pd.DataFrame, llama_folder: Path
) -> None:
    usual = make_bench()
    before = _digests(plan, usual)
    gold = requests["is_gold"].to_numpy()
    changed = {
        "model": {"model": LanguageModel(str(llama_folder))},
        "settings": {"settings": usual.settings.model_copy(update={"batch_documents": 3})},
        "batch": {"scorer": Scorer(requests, batch_size=8)},
        "prompts": {"scorer": Scorer(requests.assign(prompt_ids=[[7, *ids] for ids in requests["prompt_ids"]]), 4)},
        "answers": {"scorer": Scorer(requests.assign(is_gold=gold[::-1]), 4)},
    }
    for what, change in changed.items():
        after = _digests(plan, make_bench(**change))
        assert all(after[name] != before[name] for name in before), what


def test_a_change_of_one_run_leaves_the_others_done(plan: pd.DataFrame, make_bench: Maker) -> None:
    before = _digests(plan, make_bench())
    tokens = make_bench().tokens
    after = _digests(plan, make_bench(tokens={**tokens, "thanks": [5, 6, 7]}))  # only the influence arm has it
    assert {name for name in before if after[name] != before[name]} == {INFLUENCE}
    after = _digests(plan, make_bench(tokens={**tokens, "flame": [5, 6, 7]}))  # both retain it
    assert {name for name in before if after[name] != before[name]} == {INFLUENCE, RANDOM}
    after = _digests(plan.assign(steps=9), make_bench())
    assert {name for name in before if after[name] != before[name]} == {INFLUENCE, RANDOM}
