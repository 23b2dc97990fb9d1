"""A study is counted by the shape of its model alone; what its items would be refused for is listed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.planning import try_study as tried

if TYPE_CHECKING:
    from pathlib import Path

    from social_provenance.language_model import LanguageModel
    from social_provenance.planning.study import Study

TASK = """task: x
dataset_path: json
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: choices
doc_to_target: answer
metric_list: [{metric: acc}]
"""


@pytest.fixture
def items(tmp_path: Path) -> Path:
    (tmp_path / "x.yaml").write_text(TASK)
    rows = [{"question": f"Who thanked {name}?", "choices": ["Anna", "Ben"], "answer": 0} for name in "ABCDEF"]
    rows[0]["choices"] = ["Anna", "Anna"]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_unusable_items_are_a_refusal_and_others_are_counted(
    survey: dict[str, Any], model: LanguageModel, items: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tried, "SMALL", 0)
    benchmark = {"name": "one", "domain": "social", "level": "reasoning", "task": "x.yaml", "file": "x.jsonl"}
    asked = replace(study, evaluation=Evaluation.model_validate({"benchmarks": [benchmark]}))
    survey = {**survey, "texts": ["Anna thanked Ben.", "Carl cooled the plate."]}
    found = tried.try_study(survey, model, items, asked, ["walk"])
    (refusal,) = found["refusals"]
    assert "so the answer would be ambiguous" in refusal
    assert found["sizes"]["choices"] == 2 * 5
    assert found["trials"] == {}
    assert len(found["lengths"]) == 2
