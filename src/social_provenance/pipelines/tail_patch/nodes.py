"""Nodes of the tail-patch."""

from __future__ import annotations

from typing import Any

from social_provenance.capabilities.scoring import Scorer
from social_provenance.interventions import tail_patch
from social_provenance.interventions.settings import TailPatch
from social_provenance.language_model import LanguageModel


def patch_regions(tokens: Any, model: LanguageModel, requests: Any, batch_size: int, params: TailPatch) -> Any:
    """Return the change of each benchmark after a few extra steps on each region."""
    scorer = Scorer(tail_patch.take_items(requests, params.items), batch_size)
    patched = tail_patch.PatchedModel(model.load(), scorer)
    return tail_patch.patch_regions(patched, tail_patch.regions_of(tokens, params.level), params)


def summarise_patches(changes: Any, confidence: float) -> Any:
    """Return the effect of each region, with its interval."""
    return tail_patch.summarise_patches(changes, confidence)
