"""The parameters of a study that its cost depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from social_provenance.capabilities.benchmark import Evaluation
from social_provenance.documents.settings import DocumentSettings
from social_provenance.estimation.bootstrap.settings import Bootstrap
from social_provenance.forgetting.settings import Unlearning
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.settings import Distributed, GradientSettings
from social_provenance.interventions.settings import TailPatch
from social_provenance.labelling.settings import Labelling
from social_provenance.pretraining.settings import Pretraining

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from social_provenance.gradients.queries.nulls import Null


@dataclass(frozen=True)
class Study:
    """Parameters of a study, block by block.

    Attributes:
        per_bin: Documents of a bin that are drawn.
        attributed_per_bin: Those of them that are attributed; None: all.
        queries: What is asked: ``nulls``, ``query``, ``items``, ``blocks``, ``seed``.
    """

    documents: DocumentSettings
    labelling: Labelling
    per_bin: int
    attributed_per_bin: int | None
    queries: Mapping[str, Any]
    distributed: Distributed
    gradients: GradientSettings
    scoring: ScoringSettings
    evaluation: Evaluation
    pretraining: Pretraining
    tail_patch: TailPatch
    unlearning: Unlearning
    bootstrap: Bootstrap

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Study:
        """Return the study of parameters, whose blocks are plain values or models."""
        attribution, working_set = (dict(plain_blocks(parameters)[name]) for name in ("attribution", "working_set"))
        return cls(
            documents=DocumentSettings.model_validate(parameters["documents"]),
            labelling=Labelling.model_validate(parameters["labelling"]),
            per_bin=int(working_set["per_bin"]),
            attributed_per_bin=attribution["per_bin"],
            queries=attribution,
            distributed=Distributed.model_validate(attribution["distributed"]),
            gradients=GradientSettings.model_validate(parameters["gradients"]),
            scoring=ScoringSettings.model_validate(parameters["scoring"]),
            evaluation=Evaluation.model_validate(parameters["evaluation"]),
            pretraining=Pretraining.model_validate(parameters["pretraining"]),
            tail_patch=TailPatch.model_validate(parameters["tail_patch"]),
            unlearning=Unlearning.model_validate(parameters["unlearning"]),
            bootstrap=Bootstrap.model_validate(parameters["bootstrap"]),
        )

    @property
    def nulls(self) -> Sequence[Null]:
        """Names of the null queries."""
        return tuple(self.queries["nulls"])


def plain_blocks(blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Return blocks of parameters as values of JSON."""
    return {
        name: block.model_dump(mode="json") if hasattr(block, "model_dump") else block for name, block in blocks.items()
    }
