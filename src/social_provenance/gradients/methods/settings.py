"""Parameters of the comparison of documents with benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from social_provenance.gradients.methods.registry import find_methods, known_method
from social_provenance.parameters import Parameters

MethodName = Annotated[str, AfterValidator(known_method)]
"""Name of a method in the registry."""

WITHOUT_EFFECT = frozenset({"methods", "default_method", "max_joint", "chunk"})
"""Fields that change no score of a method: which methods there are, a limit, and the size of a read."""


class ScoringSettings(Parameters):
    """Settings of the comparison; changing them recomputes scores and no gradient."""

    methods: Annotated[Sequence[MethodName], Field(min_length=1)] = ("trackstar", "influence")
    """Names of the methods to score by, each a module of ``gradients/methods``."""
    default_method: MethodName = "trackstar"
    """Method of later stages and of the first pages of the report."""
    damping: NonNegativeFloat = 0.1
    """Added to the eigenvalues of the second moment, in units of their mean."""
    target_component: PositiveInt = 1000
    """Component at which the spectra of the benchmark's and the corpus's second moment cross."""
    winsorise: PositiveFloat | None = 10.0
    """Bound on gradient norms, in median norms; longer gradients are shortened. Null: outliers are only counted."""
    max_joint: PositiveInt = 8192
    """Upper bound on the dimensions of a projected gradient for ``trak``, whose kernel is a matrix over all of them."""
    chunk: PositiveInt = 8192
    """Documents read from the store at a time."""

    @model_validator(mode="after")
    def _methods_are_defined(self) -> ScoringSettings:
        for name in self.methods:
            find_methods()[name].check(self.damping)
        return self

    @model_validator(mode="after")
    def _default_is_computed(self) -> ScoringSettings:
        if self.default_method not in self.methods:
            raise ValueError(
                f"default_method {self.default_method!r} is not among methods {list(self.methods)}: add it, or choose "
                f"one of them"
            )
        return self
