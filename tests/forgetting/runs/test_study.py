"""A run is done once for all that it depends on; a study that ends early goes on where it ended."""

from __future__ import annotations

import errno
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import torch
import transformers
from kedro.io import DatasetError
from safetensors import SafetensorError

import social_provenance
from social_provenance.capabilities.scoring import Scorer
from social_provenance.datasets import PartsFolder
from social_provenance.errors import UnlearningError
from social_provenance.forgetting.objectives.ngdiff import NGDiff
from social_provenance.forgetting.objectives.simnpo import SimNPO
from social_provenance.forgetting.runs import workers
from social_provenance.forgetting.runs.gather import StudyTables, gather_tables
from social_provenance.forgetting.runs.run import Bench
from social_provenance.forgetting.runs.study import plan_parts
from social_provenance.forgetting.settings import HeldOut, Lora
from social_provenance.language_model import LanguageModel
from social_provenance.source.reach import Code
from social_provenance.training.loop import Optimiser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from social_provenance.forgetting.objectives.base import Step
    from social_provenance.training.batches import Batch

    Maker = Callable[..., Bench]

INFLUENCE, RANDOM = (f"social.crime_and_law.{arm}_in_topic.0.ngdiff.0" for arm in ("influence", "random"))
LORA = Lora(rank=2, targets=("q_proj",))
PACKAGE = Path(social_provenance.__file__).parent


class LosesOne(NGDiff):
    """NGDiff whose loss is no number for runs that forget a certain document."""

    document: tuple[int, ...]

    def _step(self, model: Any, forget: Sequence[Any], size: int) -> Step:
        usual, lost = super()._step(model, forget, size), self.document in [tuple(one) for one in forget]

        def step(one: Batch, other: Batch) -> dict[str, float]:
            return {**usual(one, other), **({"forget_loss": math.nan} if lost else {})}

        return step


@pytest.fixture
def folder(tmp_path: Path) -> PartsFolder:
    return PartsFolder(path=str(tmp_path / "models"))


def digests(plan: pd.DataFrame, bench: Bench) -> dict[str, str]:
    return dict(plan_parts(plan, bench).digests)


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


def same(one: StudyTables, other: StudyTables) -> None:
    for name in StudyTables.__dataclass_fields__:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def test_every_run_is_a_part(plan: pd.DataFrame, make_bench: Maker) -> None:
    found = digests(plan, make_bench())
    assert list(found) == [INFLUENCE, RANDOM]
    assert len(set(found.values())) == 2
    assert digests(plan, make_bench()) == found


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_documents": 3},
        {"read_documents": 5},
        {"read_every": 4},
        {"max_held_out_rise": 2.0},
        {"held_out": HeldOut(max_tokens=3)},
        {"lora": LORA},
        {"optimiser": Optimiser(learning_rate=2e-3)},
        {"algorithms": (NGDiff(learning_rate=1e-5),)},
    ],
    ids=str,
)
def test_a_setting_that_a_run_depends_on_changes_its_digest(
    plan: pd.DataFrame, make_bench: Maker, settings: dict[str, Any]
) -> None:
    assert changed(digests(plan, make_bench()), digests(plan, make_bench(**settings))) == {INFLUENCE, RANDOM}


@pytest.mark.parametrize(
    "settings",
    [
        {"processes": 4},
        {"order_seeds": (0, 1, 2)},
        {"random_sets": 19},
        {"topics": 3},
        {"algorithms": (SimNPO(), NGDiff())},
    ],
    ids=str,
)
def test_what_other_runs_there_are_and_who_does_them_changes_none(
    plan: pd.DataFrame, make_bench: Maker, settings: dict[str, Any]
) -> None:
    assert digests(plan, make_bench(**settings)) == digests(plan, make_bench())


def test_what_is_read_from_the_runs_afterwards_changes_none(plan: pd.DataFrame, make_bench: Maker) -> None:
    effects = make_bench().settings.effects.model_copy(update={"forget_rises": (0.3,)})
    assert digests(plan, make_bench(effects=effects)) == digests(plan, make_bench())


def test_another_model_or_other_requests_change_every_digest(
    plan: pd.DataFrame, make_bench: Maker, requests: pd.DataFrame, llama_folder: Path
) -> None:
    before = digests(plan, make_bench())
    gold = requests["is_gold"].to_numpy()
    for change in (
        {"model": LanguageModel(str(llama_folder))},
        {"scorer": Scorer(requests, batch_size=8)},
        {"scorer": Scorer(requests.assign(prompt_ids=[[7, *ids] for ids in requests["prompt_ids"]]), 4)},
        {"scorer": Scorer(requests.assign(is_gold=gold[::-1]), 4)},
    ):
        assert changed(before, digests(plan, make_bench(**change))) == {INFLUENCE, RANDOM}


def test_a_document_changes_the_runs_that_have_it(plan: pd.DataFrame, make_bench: Maker) -> None:
    before, tokens = digests(plan, make_bench()), make_bench().tokens
    for doc_id, runs in (("thanks", {INFLUENCE}), ("flame", {INFLUENCE, RANDOM}), ("guest", {INFLUENCE, RANDOM})):
        assert changed(before, digests(plan, make_bench(tokens={**tokens, doc_id: [5, 6, 7]}))) == runs
    after = digests(plan.assign(digest=["another", plan["digest"][1]]), make_bench())
    assert changed(before, after) == {INFLUENCE}


@pytest.mark.parametrize(
    ("file", "old", "new", "runs"),
    [
        ("training/batches.py", "def mean_loss(", "def mean_loss(*_, ", {INFLUENCE, RANDOM}),
        ("training/loop.py", "def cpu_threads(", "def cpu_threads(*_, ", {INFLUENCE, RANDOM}),
        ("forgetting/objectives/ngdiff.py", "def _step(self, ", "def _step(self, *_, ", {INFLUENCE, RANDOM}),
        ("forgetting/objectives/npo.py", "class NPO(", "class NPO(int, ", set()),
        ("forgetting/runs/workers.py", "def execute_runs(", "def execute_runs(*_, ", set()),
        ("forgetting/runs/study.py", "PASSES = 3", "PASSES = 4", set()),
    ],
)
def test_the_code_of_a_run_is_its_own_and_that_of_its_objective(
    *,
    plan: pd.DataFrame,
    make_bench: Maker,
    monkeypatch: pytest.MonkeyPatch,
    edited: Callable[..., Code],
    file: str,
    old: str,
    new: str,
    runs: set[str],
) -> None:
    before = digests(plan, make_bench())
    monkeypatch.setattr(Code, "own", lambda: edited(file, old, new))
    assert changed(before, digests(plan, make_bench())) == runs


def test_the_cost_is_known_before(plan: pd.DataFrame, make_bench: Maker, tokens: dict[str, list[int]]) -> None:
    bench = make_bench()
    parts = plan_parts(plan, bench)
    work = parts.work[INFLUENCE]
    assert work.documents == 2
    parameters = sum(parameter.numel() for parameter in bench.model.load().parameters())
    assert work.bytes == 4 * parameters
    forget, retain = (
        [len(tokens[doc_id]) for doc_id in ids] for ids in (("judge", "thanks"), ("rod", "plate", "flame"))
    )
    asked = bench.scorer.requests["prompt_ids"].map(len).sum() + bench.scorer.requests["completion_ids"].map(len).sum()
    held = sum(min(32, len(tokens[doc_id])) for doc_id in ("salt", "guest"))
    batch = 2 * (sum(forget) / 2 + sum(retain) / 3)
    expected = 3 * 4 * batch + 2 * (sum(forget) + sum(retain) + held + asked)  # 4 steps, 2 readings
    assert work.tokens == pytest.approx(expected, abs=1)
    assert parts.pace is not None
    assert 0 < parts.pace() < 1
    assert parts.work[RANDOM].tokens != work.tokens


def test_the_trial_leaves_no_model_behind_that_workers_would_be_sent(plan: pd.DataFrame, make_bench: Maker) -> None:
    bench = make_bench(lora=Lora(rank=2, targets=("q_proj",)))
    before = set(vars(bench))
    parts = plan_parts(plan, bench)
    assert parts.pace is not None
    assert parts.pace()
    assert set(vars(bench)) - before <= {"algorithms"}


def test_a_step_that_does_not_fit_leaves_the_time_unknown(
    plan: pd.DataFrame, make_bench: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Bench) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Bench, "load", refuse)
    parts = plan_parts(plan, make_bench())
    assert parts.pace is not None
    assert parts.pace() is None
    assert "the time of the unlearning runs is unknown" in caplog.text


@pytest.mark.parametrize(
    ("column", "ids", "said"),
    [
        ("retain_ids", ["rod", "judge"], "document judge is in forget_ids and in retain_ids"),
        ("held_out_ids", ["salt", "court"], "document court is in forget_ids and in held_out_ids"),
        ("held_out_ids", ["rod"], "document rod is in retain_ids and in held_out_ids"),
        ("retain_ids", [], r"has no documents to retain: raise unlearning\.retain_per_topic"),
    ],
)
def test_sets_that_overlap_and_an_empty_retain_set_are_refused(
    plan: pd.DataFrame, make_bench: Maker, column: str, ids: list[str], said: str
) -> None:
    plan.at[1, column] = ids
    with pytest.raises(UnlearningError, match=f"run {RANDOM}:? {said}"):
        plan_parts(plan, make_bench())


def test_adapters_that_have_nowhere_to_go_are_refused_before_any_run(plan: pd.DataFrame, make_bench: Maker) -> None:
    lora = LORA.model_copy(update={"targets": ("q_proj", "query")})
    with pytest.raises(UnlearningError, match=r"unlearning\.lora\.targets: the model has no module 'query'"):
        plan_parts(plan, make_bench(lora=lora))


def test_a_run_whose_loss_is_lost_is_recorded_and_the_others_go_on(
    plan: pd.DataFrame, make_bench: Maker, folder: PartsFolder, tokens: dict[str, list[int]]
) -> None:
    broken = LosesOne(document=tuple(tokens["thanks"]))  # the influence arm alone forgets it
    folder.save(plan_parts(plan, make_bench(algorithms=(broken,))))
    tables = gather_tables(plan, folder.load())
    runs = tables.runs.set_index("run_id")
    assert runs.loc[INFLUENCE, ["status", "last_step", "reason"]].tolist() == [
        "failed",
        0,
        "forget_loss is nan in step 1",
    ]
    assert pd.isna(runs.loc[INFLUENCE, "checkpoint"])
    assert runs.loc[RANDOM, "status"] == "done"
    assert tables.trajectory.groupby("run_id")["step"].agg(list).to_dict() == {INFLUENCE: [0], RANDOM: [0, 2, 4]}


FULL = [OSError(errno.ENOSPC, "No space left on device"), SafetensorError("I/O error: No space left on device")]


@pytest.mark.parametrize("error", FULL, ids=["of Python", "of safetensors"])
def test_a_full_disk_is_one_clear_error_and_finished_runs_stay(
    plan: pd.DataFrame,
    make_bench: Maker,
    folder: PartsFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    usual = transformers.PreTrainedModel.save_pretrained

    def save(model: Any, where: Path, **options: Any) -> None:
        if RANDOM in str(where):
            raise error
        usual(model, where, **options)

    with monkeypatch.context() as patch:
        patch.setattr(transformers.PreTrainedModel, "save_pretrained", save)
        with pytest.raises(DatasetError, match=rf"the disk of .* is full: run {RANDOM} could not be written") as caught:
            folder.save(plan_parts(plan, make_bench()))
    assert isinstance(caught.value.__cause__, UnlearningError)
    done = tmp_path / "models" / INFLUENCE / "done.json"
    written = done.stat().st_mtime_ns
    folder.save(plan_parts(plan, make_bench()))
    assert done.stat().st_mtime_ns == written
    assert (gather_tables(plan, folder.load()).runs["status"] == "done").all()


def test_another_fault_of_the_disk_is_told_as_it_is(
    plan: pd.DataFrame, make_bench: Maker, folder: PartsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(transformers.PreTrainedModel, "save_pretrained", save)
    with pytest.raises(DatasetError, match="Permission denied"):
        folder.save(plan_parts(plan, make_bench()))


def test_a_killed_study_goes_on_with_the_next_run_and_has_the_same_tables(
    plan: pd.DataFrame, make_bench: Maker, folder: PartsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = PartsFolder(path=str(tmp_path / "whole"))
    whole.save(plan_parts(plan, make_bench()))
    usual, begun = workers.execute_run, []

    def killed(bench: Bench, row: dict[str, Any], where: Path) -> None:
        begun.append(row["run_id"])
        usual(bench, row, where)
        if len(begun) == 2:  # all is written, but the run has not been declared whole
            raise KeyboardInterrupt

    monkeypatch.setattr(workers, "execute_run", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.save(plan_parts(plan, make_bench()))
    with pytest.raises(UnlearningError, match=rf"run {INFLUENCE} \(and 1 more\) is not done"):
        gather_tables(plan, folder.load())
    torch.rand(5)
    folder.save(plan_parts(plan, make_bench()))
    assert begun == [INFLUENCE, RANDOM, RANDOM]
    same(gather_tables(plan, folder.load()), gather_tables(plan, whole.load()))
