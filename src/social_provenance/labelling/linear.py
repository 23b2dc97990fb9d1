"""A light linear classifier of topic and format: words, characters and the URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from social_provenance.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

AXES = ("topic", "format")
REGULARISATION = 1e-5
"""Strength of the L2 penalty; chosen on real pages (three shards against the fourth)."""


@dataclass
class LinearLabeller:
    """Logistic regression on hashed n-grams, one model for topics and one for formats.

    Features: word 1-2-grams, character 2-5-grams within words, character 3-5-grams of the URL,
    each weighted by log-frequency and inverse document frequency.

    Attributes:
        max_chars: Characters of a document that are looked at.
        seed: Order of the stochastic gradient steps.
    """

    max_chars: int
    seed: int
    _features: Any = field(default=None, repr=False)
    _models: dict[str, Any] = field(default_factory=dict, repr=False)

    def fit(self, documents: pd.DataFrame) -> LinearLabeller:
        """Learn from rows with ``text``, ``url`` (may be null), ``topic`` and ``format``.

        Raises:
            LabelError: If an axis has fewer than two classes to tell apart.
        """
        from sklearn.linear_model import SGDClassifier

        self._features = _feature_union(self.max_chars)
        matrix = self._features.fit_transform(_inputs(documents))
        for axis in AXES:
            classes = documents[axis].unique()
            if len(classes) < 2:
                raise LabelError(
                    f"given labels name only one {axis} ({', '.join(classes) or 'none'}): a classifier "
                    f"needs two or more, label more documents"
                )
            model = SGDClassifier(loss="log_loss", alpha=REGULARISATION, random_state=self.seed)
            self._models[axis] = model.fit(matrix, documents[axis])
        return self

    def predict(self, documents: pd.DataFrame) -> pd.DataFrame:
        """Return ``topic``, ``format`` and their confidences (0 to 1), on the index of the input."""
        import pandas as pd

        matrix = self._features.transform(_inputs(documents))
        columns: dict[str, Any] = {}
        for axis in AXES:
            model = self._models[axis]
            chances: np.ndarray = model.predict_proba(matrix)
            columns[axis] = model.classes_[chances.argmax(axis=1)]
            columns[f"{axis}_confidence"] = chances.max(axis=1)
        return pd.DataFrame(columns, index=documents.index)


def measure(documents: pd.DataFrame, holdout: float, max_chars: int, seed: int) -> pd.DataFrame:
    """Return how well the classifier labels documents that it has not seen.

    Args:
        documents: Rows with ``doc_id``, ``text``, ``url``, ``topic``, ``format``.
        holdout: Share of the rows that is held out, 0 to 1, drawn by ``seed``.
        max_chars: Characters of a document that are looked at.
        seed: Seed of the draw and of the training.

    Returns:
        One row an axis: ``axis``, ``accuracy``, ``majority_share`` (the accuracy of always saying
        the commonest class), ``confidence`` (mean), ``n_train``, ``n_test``. No row where no
        document was given.

    Raises:
        LabelError: If the held-out share has no document.
    """
    import pandas as pd

    if documents.empty:
        return pd.DataFrame(columns=["axis", "accuracy", "majority_share", "confidence", "n_train", "n_test"])
    test = documents.sample(frac=holdout, random_state=seed)
    if test.empty:
        raise LabelError(
            f"labelling.holdout {holdout} of {len(documents)} labelled documents leaves none to measure the "
            f"classifier on: raise it, or label more documents"
        )
    train = documents.drop(test.index)
    said = LinearLabeller(max_chars, seed).fit(train).predict(test)
    rows = [
        {
            "axis": axis,
            "accuracy": float((said[axis] == test[axis]).mean()),
            "majority_share": float(test[axis].value_counts(normalize=True).max()),
            "confidence": float(said[f"{axis}_confidence"].mean()),
            "n_train": len(train),
            "n_test": len(test),
        }
        for axis in AXES
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Take:
    """Pick one column out of (text, url) pairs and cut it; a plain object, so that it can be copied."""

    column: int
    max_chars: int

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        return [pair[self.column][: self.max_chars] for pair in pairs]


def _inputs(documents: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(documents["text"], documents["url"].fillna(""), strict=True))


def _feature_union(max_chars: int) -> Any:
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    def ngrams(column: int, analyzer: str, sizes: tuple[int, int], bits: int) -> Any:
        return make_pipeline(
            FunctionTransformer(_Take(column, max_chars)),
            HashingVectorizer(
                analyzer=analyzer,
                ngram_range=sizes,
                n_features=2**bits,
                alternate_sign=False,
                norm=None,
                dtype=np.float32,
            ),
            TfidfTransformer(sublinear_tf=True),
        )

    return FeatureUnion(
        [
            ("words", ngrams(0, "word", (1, 2), 20)),
            ("characters", ngrams(0, "char_wb", (2, 5), 20)),
            ("url", ngrams(1, "char", (3, 5), 18)),
        ]
    )
