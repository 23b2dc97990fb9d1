"""Second moments of a training's gradients, as Adam keeps them, by which gradients are divided before projection.

A model folder has them in a file (:data:`~social_provenance.language_model.SECOND_MOMENTS`): Adam's average of the
squared gradient of each weight, named as the weight and of its shape. The pipeline ``pretraining`` writes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from social_provenance.errors import AttributionError
from social_provenance.language_model import SECOND_MOMENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import torch

    from social_provenance.language_model import LanguageModel

SUFFIX = ".weight"


def refuse_without_moments(model: LanguageModel, modules: Mapping[str, tuple[int, int]]) -> None:
    """Check that a model has the second moments of all modules whose gradients are taken; reads no number of them.

    Args:
        model: The model.
        modules: Module below the model's body -> (outputs, inputs).

    Raises:
        AttributionError: If it has none, or a module has none or those of another shape.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(model.path) / SECOND_MOMENTS
    cure = "set gradients.normalizer: none, or write Adam's averages of squared gradients there"
    if not file.exists():
        raise AttributionError(f"gradients.normalizer is adam, and {model.path} has no {SECOND_MOMENTS}: {cure}")
    try:
        with safe_open(file, framework="pt") as tensors:
            shapes = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise AttributionError(f"{file} is damaged ({error}): {cure}") from error
    for module, asked in modules.items():
        found = next((shape for weight, shape in shapes.items() if _is_of(weight, module)), None)
        if found not in (asked, asked[::-1]):
            raise AttributionError(
                f"{file} has {'nothing' if found is None else f'the shape {found}'} for {module}{SUFFIX}, whose shape "
                f"is {asked}: {cure}"
            )


def read_moments(file: Path) -> dict[str, torch.Tensor]:
    """Return weight -> second moment of its gradient."""
    from safetensors.torch import load_file

    moments: dict[str, torch.Tensor] = load_file(file)
    return moments


def adam_normalizers(
    model: Any, moments: Mapping[str, torch.Tensor], targets: Collection[str] | None
) -> dict[str, Any]:
    """Return module -> Bergson's normalizer of its gradient, which divides it by the root of its second moment.

    Args:
        model: The loaded model.
        moments: Weight -> second moment, of the weight's shape.
        targets: Names of the modules below the model's body; None: all linear ones.

    Returns:
        Nothing where there are no moments.
    """
    if not moments:
        return {}
    from bergson.gradients import AdamNormalizer, LayerAdapter
    from bergson.utils.load_from_optimizer import orient_second_moment

    normalizers = {}
    for name, module in model.base_model.named_modules():
        if not isinstance(module, LayerAdapter.supported_modules) or (targets is not None and name not in targets):
            continue
        found = next(moment for weight, moment in moments.items() if _is_of(weight, name))
        sides = (getattr(module, side(module)) for side in (LayerAdapter.out_attr, LayerAdapter.in_attr))
        oriented = orient_second_moment(found, *sides, layer=module)
        normalizers[name] = AdamNormalizer(oriented.to(model.device).float())
    return normalizers


def _is_of(weight: str, module: str) -> bool:
    """Return whether a weight, named in the whole model, is that of a module, named below the model's body."""
    return f".{weight}".endswith(f".{module}{SUFFIX}")
