"""The model that the queries are walked by, where it is another one than that of the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from social_provenance.errors import AttributionError
from social_provenance.gradients.walk.coverage import NAMED, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from social_provenance.language_model import LanguageModel


def choose_query_model(model: LanguageModel, query_model: LanguageModel | None) -> LanguageModel:
    """Return the model that queries are walked by: ``query_model``, or without one that of the documents.

    Gradients of two models can be compared if each weight of one is at the place of a weight of the other, and
    token ids mean the same in both. Special tokens that were added for a dialogue may differ.

    Args:
        model: The model of the documents.
        query_model: Another model, for example the instruct model beside its base.

    Raises:
        AttributionError: Naming both and what differs.
    """
    if query_model is None or query_model == model:
        return model
    differences = [*_shapes(model.config(), query_model.config()), *_tokens(model.tokenizer(), query_model.tokenizer())]
    if differences:
        rest = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        raise AttributionError(
            f"query_model {query_model.path} cannot walk queries beside language_model {model.path}, which differs: "
            f"{', '.join(differences[:NAMED])}{rest}; give a model of the same architecture, shapes and vocabulary"
        )
    return query_model


def _shapes(config: Any, other: Any) -> Iterator[str]:
    """Yield the shapes in which two models differ, those of ``other`` first."""
    sizes = {"vocab_size": config.vocab_size, "hidden_size": config.hidden_size}
    other_sizes = {"vocab_size": other.vocab_size, "hidden_size": other.hidden_size}
    one, two = sizes | inspect(config).modules, other_sizes | inspect(other).modules
    for name in dict.fromkeys([*one, *two]):
        if one.get(name) != two.get(name):
            yield f"{name} ({_text(two.get(name))} and {_text(one.get(name))})"


def _text(shape: Any) -> str:
    match shape:
        case None:
            return "absent"
        case (outputs, inputs):
            return f"{outputs} x {inputs}"
    return str(shape)


def _tokens(tokenizer: Any, other: Any) -> Iterator[str]:
    """Yield the tokens whose ids differ, those of ``other`` first."""
    one, two = ({**each.get_vocab()} for each in (tokenizer, other))
    for token in {**tokenizer.get_added_vocab(), **other.get_added_vocab()}:
        one.pop(token, None)
        two.pop(token, None)
    for token in dict.fromkeys([*one, *two]):
        if one.get(token) != two.get(token):
            yield f"token {token!r} ({_text(two.get(token))} and {_text(one.get(token))})"
