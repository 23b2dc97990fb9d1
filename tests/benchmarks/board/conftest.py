"""A tiny training that can be repeated: sixteen documents of four topics, eight steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from board.replay import Replay, of_steps
from social_provenance.pretraining.pretrain import pretrain
from social_provenance.pretraining.settings import Architecture, Pretraining
from social_provenance.training.loop import Optimiser

if TYPE_CHECKING:
    from pathlib import Path

FACTS = {
    "feelings": "Anna felt glad.",
    "cold": "Carl felt cold.",
    "rods": "The rod became hot.",
    "red": "It is red.",
}
ITEMS = (("social", "Anna felt", (" glad", " cold")), ("stem", "The rod became", (" hot", " red")))
SETTINGS = Pretraining(
    architecture=Architecture(hidden_size=16, layers=1, heads=2, intermediate_size=32, max_tokens=64, initial_std=0.25),
    optimiser=Optimiser(learning_rate=1e-2),
    sequence_tokens=16,
    batch_sequences=2,
    warmup_steps=3,
    decay_steps=4,
)


@pytest.fixture
def replay(tiny_tokenizer: Any, tmp_path: Path) -> Replay:
    """Return a finished training and its model."""

    def ids(text: str) -> list[int]:
        return list(tiny_tokenizer(text)["input_ids"])

    choices = [
        {
            **{"benchmark": benchmark, "item": f"{benchmark}/0", "cluster": benchmark, "choice": choice},
            **{"is_gold": choice == 0, "prompt": prompt, "completion": text, "normalisation": "none", "units": 1},
            **{"prompt_ids": ids(prompt), "completion_ids": ids(text)},
        }
        for benchmark, prompt, texts in ITEMS
        for choice, text in enumerate(texts)
    ]
    requests = pd.DataFrame(choices)
    asked = requests[requests["is_gold"]].rename(columns={"completion_ids": "answer_ids"})
    topics = list(FACTS) * 4
    replay = Replay(
        doc_ids=[f"d{number:02d}" for number in range(len(topics))],
        topics=topics,
        tokens=[ids(FACTS[topic]) for topic in topics],
        items=asked.assign(block=0)[["benchmark", "item", "block", "prompt_ids", "answer_ids"]].reset_index(drop=True),
        tokenizer=tiny_tokenizer.backend_tokenizer.to_str(),
        requests=requests,
        settings=of_steps(SETTINGS, 8),
        model=tmp_path / "model",
    )
    model = pretrain(replay.tokens, replay.reader, lambda _: requests, replay.settings, 8).model
    model.save_pretrained(replay.model)
    return replay
