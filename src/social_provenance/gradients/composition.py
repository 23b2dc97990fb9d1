"""Compose the gradients of queries from those of their choices, which were walked once."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from social_provenance.artifacts import Parts, sealed_digest
from social_provenance.fingerprint import digest_of
from social_provenance.gradients.queries.choices import no_weights, refuse_no_gradient, weigh_choices
from social_provenance.gradients.query_set import QuerySet
from social_provenance.gradients.walk.bergson_index import INDEX, STATES
from social_provenance.gradients.walk.finish import CHUNK, write_moments
from social_provenance.gradients.walk.store import NUMBERS, ROWS, STORE, gradients_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from social_provenance.gradients.queries.choices import QueryKind


def weigh_walked(
    queries: pd.DataFrame, answers: Mapping[str, Path], wrong: Mapping[str, Path], query: QueryKind, loss_reduction: str
) -> pd.DataFrame:
    """Return how much each choice counts, from the losses that the walk has measured.

    Args:
        queries: Table ``queries``.
        answers: ``<benchmark>.<variant>`` -> gradients of the queries' answers.
        wrong: ``<benchmark>.<variant>`` -> gradients of the wrong choices; empty for ``gold``.
        query: Kind of query.
        loss_reduction: ``sum`` or ``mean``.

    Returns:
        Table of :func:`social_provenance.gradients.queries.choices.weigh_choices`; no rows for ``gold``.
    """
    import pandas as pd

    if not wrong:
        return no_weights()
    tables = []
    for name in wrong:
        own = QuerySet.parse(name)
        rows = queries[(queries["benchmark"] == own.benchmark) & (queries["variant"] == own.variant)]
        tokens = {
            (item, choice): len(ids)
            for item, answer, others in zip(rows["item"], rows["answer_ids"], rows["wrong_answer_ids"], strict=True)
            for choice, ids in enumerate([answer, *others])
        }
        walked = pd.concat([_rows(answers[name]), _rows(wrong[name])], ignore_index=True)
        pairs = zip(walked["id"], walked["choice"], strict=True)
        walked = walked.assign(tokens=[tokens[pair] for pair in pairs], **own._asdict())
        tables.append(walked.rename(columns={"id": "item"}))
    choices = pd.concat(tables, ignore_index=True)
    return weigh_choices(choices, query, loss_reduction)


def plan_composition(answers: Mapping[str, Path], wrong: Mapping[str, Path], weights: pd.DataFrame) -> Parts:
    """Describe the gradients of queries that contrast choices, a part for each set; none where ``wrong`` is empty.

    Args:
        answers: ``<benchmark>.<variant>`` -> gradients of the queries' answers.
        wrong: ``<benchmark>.<variant>`` -> gradients of the wrong choices.
        weights: Table of :func:`weigh_walked`.

    Returns:
        Parts that a :class:`~social_provenance.gradients.walk.store.GradientStore` reads; tokens and mean hidden
        states are those of the answers.
    """
    recipes = {name: _Recipe(name, answers[name], wrong[name], _weights_of(weights, name)) for name in wrong}
    inputs = {
        name: digest_of(sealed_digest(recipe.answers), sealed_digest(recipe.wrong), sorted(recipe.weights.items()))
        for name, recipe in recipes.items()
    }
    return Parts(inputs, partial(_write, recipes))


@dataclass(frozen=True)
class _Recipe:
    """What a set of queries is composed of.

    Attributes:
        name: Name of the set.
        answers: Folder of the gradients of the answers.
        wrong: Folder of the gradients of the wrong choices.
        weights: Item and choice -> coefficient.
    """

    name: str
    answers: Path
    wrong: Path
    weights: Mapping[tuple[str, int], float]

    def coefficients(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the coefficient of each row."""
        return np.array([self.weights[pair] for pair in zip(rows["id"], rows["choice"], strict=True)], dtype=np.float32)


def _write(recipes: Mapping[str, _Recipe], waiting: Mapping[str, Path]) -> Iterator[str]:
    for name, folder in waiting.items():
        _compose(recipes[name], folder)
        yield name


def _compose(recipe: _Recipe, folder: Path) -> None:
    import pandas as pd

    table = pd.read_parquet(recipe.answers / ROWS)
    identity = json.loads((recipe.answers / STORE).read_text())
    (folder / INDEX).mkdir()
    shape = (len(table), sum(identity["modules"].values()))
    composed = np.memmap(folder / NUMBERS, dtype=np.float32, mode="w+", shape=shape)
    losses, largest = np.zeros(len(table)), np.zeros(len(table))
    for source in (recipe.answers, recipe.wrong):
        rows = _rows(source)
        positions, weights = pd.Index(table["id"]).get_indexer(rows["id"]), recipe.coefficients(rows)
        np.add.at(losses, positions, weights * rows["loss"])
        np.add.at(largest, positions, np.abs(weights) * rows["norm"])
        for start, piece in gradients_of(source, CHUNK, check=sealed_digest(source) is not None):
            own = slice(start, start + len(piece))
            np.add.at(composed, positions[own], weights[own, None] * piece)
    composed.flush()
    shutil.copy(recipe.answers / INDEX / "info.json", folder / INDEX)
    shutil.copy(recipe.answers / STATES, folder)
    norms = write_moments(folder, table["id"].tolist(), "fp32")
    refuse_no_gradient(recipe.name, table["id"].tolist(), norms, largest)
    table.assign(loss=losses.astype(np.float32), norm=norms).to_parquet(folder / ROWS)
    (folder / STORE).write_text(json.dumps(identity))


def _rows(folder: Path) -> pd.DataFrame:
    """Return ``id``, ``choice`` (0: the answer), ``loss`` and ``norm`` of the choices of a part."""
    import pandas as pd

    rows = pd.read_parquet(folder / ROWS)
    return rows.assign(choice=rows.get("choice", 0))[["id", "choice", "loss", "norm"]]


def _weights_of(weights: pd.DataFrame, name: str) -> dict[tuple[str, int], float]:
    own = QuerySet.parse(name)
    rows = weights[(weights["benchmark"] == own.benchmark) & (weights["variant"] == own.variant)]
    pairs = zip(rows["item"], rows["choice"], strict=True)
    return dict(zip(pairs, rows["coefficient"].tolist(), strict=True))
