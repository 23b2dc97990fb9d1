"""Templates give text as the item has it, in a sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from social_provenance.capabilities.items import read_items
from social_provenance.capabilities.templates import ChoicesTemplate, TargetTemplate, TextTemplate, with_templates
from social_provenance.errors import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = ("{{prompt}}", "prompt")
"""A template of one field, and the name of that field."""


@pytest.fixture
def item_of(tmp_path: Path) -> Any:
    """Return a function from JSON to the item that is read from it."""

    def read(line: str) -> Any:
        (tmp_path / "items.jsonl").write_text(f"{line}\n", encoding="utf-8")
        return read_items(tmp_path / "items.jsonl")[0]

    return read


@pytest.mark.parametrize("source", TEXT)
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"2020-02-02"', "2020-02-02"),
        ('"1969"', "1969"),
        ("1969", "1969"),
        ("1969.0", "1969.0"),
        ("1.50", "1.50"),
        ("1e5", "1e5"),
        ("-0", "-0"),
        ('"007"', "007"),
        ('"²"', "²"),
        ('"None"', "None"),
        ('"[1, 2]"', "[1, 2]"),
        ('" a\\n"', " a\n"),
        ('"{{7 * 7}}"', "{{7 * 7}}"),
    ],
)
def test_a_text_is_that_of_the_file(item_of: Any, source: str, value: str, text: str) -> None:
    rendered = TextTemplate("doc_to_text", source)(item_of(f'{{"prompt": {value}}}'))
    assert (rendered, type(rendered)) == (text, str)


@pytest.mark.parametrize("source", ["{{choices}}", "choices", " {{ choices }}\n"])
@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ('["1969-07-20", "b"]', ["1969-07-20", "b"]),
        ("[1969, 1969.0, 1.50]", ["1969", "1969.0", "1.50"]),
        ('["007", 7, "it\'s"]', ["007", "7", "it's"]),
    ],
)
def test_choices_are_those_of_the_file(item_of: Any, source: str, value: str, texts: list[str]) -> None:
    assert ChoicesTemplate("doc_to_choice", source)(item_of(f'{{"choices": {value}}}')) == texts


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("{{[a, b]}}", ["1969.0", "x"]),
        ("['{{a}}', '{{b}}']", ["1969.0", "x"]),
        ("{{ list.text }}", ["p", "q"]),
        ("[{% for text in list.text %}'{{text}}', {% endfor %}]", ["p", "q"]),
        ("{{ list.text | map('upper') | list }}", ["P", "Q"]),
        ("{{ (a, b) }}", ["1969.0", "x"]),
    ],
)
def test_choices_may_be_put_together_by_a_template(item_of: Any, source: str, texts: list[str]) -> None:
    item = item_of('{"a": 1969.0, "b": "x", "list": {"text": ["p", "q"]}}')
    assert ChoicesTemplate("doc_to_choice", source)(item) == texts


@pytest.mark.parametrize(
    ("source", "item", "target"),
    [
        ("{{answer}}", {"answer": 1}, 1),
        ("{{answer}}", {"answer": "1"}, 1),
        ("answer", {"answer": 1}, 1),
        ("answer", {"answer": "1"}, "1"),
        ("{{ (label|int) - 1 }}", {"label": "3"}, 2),
        ("{{choices.label.index(key)}}", {"choices": {"label": ["A", "B"]}, "key": "B"}, 1),
        ("{{answer}}", {"answer": "01"}, "01"),
        ("{{answer}}", {"answer": "²"}, "²"),
        ("{{answer}}", {"answer": "[0, 1]"}, "[0, 1]"),
    ],
)
def test_a_target_of_digits_is_an_index(source: str, item: dict[str, Any], target: Any) -> None:
    assert TargetTemplate("doc_to_target", source)(item) == target


@pytest.mark.parametrize(
    ("kind", "source", "item", "said"),
    [
        (TextTemplate, "{{a}} {{b}}", {"a": "x", "b": None}, "its field 'b' is null: give it text"),
        (TextTemplate, "b", {"b": None}, "its field 'b' is null: give it text"),
        (TextTemplate, "{{none}}", {"b": "x"}, "doc_to_text is null: give it text"),
        (TextTemplate, "{{b}}", {"b": [1, None]}, "its field 'b' is null: give it text"),
        (TextTemplate, "b", {"b": ["x"]}, "its field 'b' is ['x'], which is not text: give it text in quotes"),
        (
            TextTemplate,
            "{{b}}",
            {"b": ["x", "y"]},
            "its field 'b' has ['x', 'y'] where text is printed: give it text, or",
        ),
        (TextTemplate, "Q: {{b}}", {"b": {"x": "y"}}, "its field 'b' has {'x': 'y'} where text is printed: give it"),
        (
            TextTemplate,
            "{{b.x}}",
            {"b": {"x": []}},
            "its field 'b' has [] where text is printed: give it text, or join",
        ),
        (TextTemplate, "{{[b, b]}}", {"b": "x"}, "doc_to_text has ['x', 'x'] where text is printed: give it text, or"),
        (TextTemplate, "{% if a %}{{b}}{% endif %}", {"a": "x", "b": ("y",)}, "its field 'b' has ('y',) where text"),
        (TextTemplate, "{{b}}", {"b": True}, "its field 'b' is true: give it text"),
        (TextTemplate, "b", {"b": True}, "its field 'b' is true, which is not text: give it text in quotes"),
        (
            TextTemplate,
            "{{c}}",
            {"b": "x"},
            "doc_to_text '{{c}}' cannot be rendered (UndefinedError: \"'c' is undefined\")",
        ),
        (TextTemplate, "{{1 / b}}", {"b": 0}, "doc_to_text '{{1 / b}}' cannot be rendered (ZeroDivisionError: "),
        (ChoicesTemplate, "{{[a, b]}}", {"a": "x", "b": None}, "its field 'b' is null: give it text"),
        (ChoicesTemplate, "b", {"b": "hot"}, "its choices 'hot' are not a list: give a list of texts"),
        (ChoicesTemplate, "{{b}}", {"b": {"c": "d"}}, "its choices {'c': 'd'} are not a list: give a list of texts"),
        (ChoicesTemplate, "{{b}}", {"b": ["a", {}]}, "choice 2 is {}, which is not text: give it text in quotes"),
    ],
)
def test_what_is_no_text_is_named_with_its_field(kind: Any, source: str, item: dict[str, Any], said: str) -> None:
    with pytest.raises(BenchmarkError) as caught:
        kind({TextTemplate: "doc_to_text", ChoicesTemplate: "doc_to_choice"}[kind], source)(item)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


ESCAPES = (
    "{{ joiner.__init__.__globals__['os'].system('touch ' + mark) }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.system('touch ' + mark) }}",
    "{{ self.__init__.__globals__.__builtins__.open(mark, 'w') }}",
    "{{ '{0.__class__}'.format(mark) }}",
    "{{ mark | attr('__class__') }}",
    "{{ ().__class__.__base__ | string }}",
    "{{ namespace.__init__.__globals__['sys'].modules['os'].system('touch ' + mark) }}",
)


@pytest.mark.parametrize("source", ESCAPES)
@pytest.mark.parametrize("kind", [TextTemplate, ChoicesTemplate, TargetTemplate])
def test_a_template_reaches_nothing_of_python(kind: Any, source: str, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError) as caught:
        kind("doc_to_text", source)({"mark": str(tmp_path / "mark")})
    assert "reaches into Python, which templates may not" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "source", ["{{ texts.reverse() }}", "{{ texts|random }}", "{{ lipsum() }}", "{{ texts.append(1) }}"]
)
def test_an_item_is_rendered_each_time_the_same(source: str) -> None:
    item = {"texts": ["a", "b"]}
    for kind in (TextTemplate, ChoicesTemplate):
        with pytest.raises(BenchmarkError):
            kind("doc_to_text", source)(item)
    assert item == {"texts": ["a", "b"]}


def test_lm_evals_own_filter_is_there() -> None:
    rendered = TextTemplate("doc_to_text", r"{{ prompt | regex_replace('a+', 'b') }}")({"prompt": "caat"})
    assert rendered == "cbt"


def test_templates_replace_texts_of_a_definition_and_nothing_else() -> None:
    config = {"task": "quiz", "doc_to_text": len, "doc_to_choice": ["A", "B"], "doc_to_target": "{{answer}}"}
    made = with_templates(config)
    assert made == config | {"doc_to_target": TargetTemplate("doc_to_target", "{{answer}}")}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


PRINTED = (
    "{{ p ~ 'x' }}",
    "{{ 'x' ~ p }}",
    "{{ p|string }}",
    "{{ p|upper }}",
    "{{ p|trim }}",
    "{{ p|replace('a', 'b') }}",
    "{{ p|pprint }}",
    "{{ 'x %s' % p }}",
    "{{ 'x %r' % p }}",
    "{{ 'x {}'.format(p) }}",
    "{{ '%s'|format(p) }}",
    "{{ [p]|join }}",
    "{{ [p]|map('string')|join }}",
    "{{ {'inner': p}['inner'] ~ '' }}",
)
"""Ways of a value to text, but for printing it as it is."""


@pytest.mark.parametrize("source", PRINTED)
@pytest.mark.parametrize("value", [["a"], [], {"a": 1}, [["a"], {}], {"a": ["b"]}], ids=str)
def test_a_list_or_an_object_reaches_text_by_no_filter_or_operator(source: str, value: Any) -> None:
    inside = "{% set p = q.parts[0] %}" + source
    for item, template in (({"p": value}, source), ({"q": {"parts": [value]}}, inside)):
        with pytest.raises(BenchmarkError) as caught:
            TextTemplate("doc_to_text", template)(item)
        said = str(caught.value)
        assert said.startswith(f"its field {next(iter(item))!r} has ")
        assert "where text is printed: give it text, or join its parts in doc_to_text" in said


@pytest.mark.parametrize("source", PRINTED)
@pytest.mark.parametrize("value", ["a", 3, 1.5], ids=str)
def test_text_and_numbers_are_printed_as_jinja_prints_them(source: str, value: Any) -> None:
    assert TextTemplate("doc_to_text", source)({"p": value}) == Environment().from_string(source).render(p=value)


@pytest.mark.parametrize(("value", "said"), [(None, "null"), (True, "true"), (False, "false")])
def test_null_and_truth_are_joined_to_no_text(value: Any, said: str) -> None:
    with pytest.raises(BenchmarkError, match=f"its field 'p' is {said}: give it text"):
        TextTemplate("doc_to_text", "{{ 'x' ~ p }}")({"p": value})


def test_what_is_not_printed_is_used_as_before() -> None:
    item = {"lines": ["b", "a"], "by": {"x": ["c"]}, "rows": [{"n": 1}, {"n": 2}]}
    source = (
        "{{ lines|sort|join }}{{ lines|length }}{{ by|tojson }}{{ rows|map(attribute='n')|join('+') }}"
        "{% for name, value in by.items() %}{{ name }}{{ value[0] }}{% endfor %}"
        "{% if by == {'x': ['c']} and 'a' in lines and lines is sequence and by is mapping %}yes{% endif %}"
    )
    rendered = TextTemplate("doc_to_text", source)(item)
    assert rendered == Environment().from_string(source).render(**item) == 'ab2{"x": ["c"]}1+2xcyes'
    with pytest.raises(BenchmarkError, match="'dict object' has no attribute 'z'"):
        TextTemplate("doc_to_text", "{{ by.z }}")(item)


@given(
    value=st.lists(SCALARS) | st.dictionaries(st.text(), SCALARS), around=st.sampled_from(["{{p}}", "Q: {{p}}\n", "p"])
)
@settings(max_examples=100, deadline=None)
def test_no_collection_is_printed_in_a_prompt(value: Any, around: str) -> None:
    assert _said(TextTemplate("doc_to_text", around), {"p": value}) is None


def test_a_template_may_join_what_a_collection_has() -> None:
    item = {"lines": ["a", "b"], "by": {"x": "c"}}
    source = "{{ lines | join(', ') }}{% for line in lines %}-{{ line }}{% endfor %}{{ by.x }}{{ lines[0] }}"
    assert TextTemplate("doc_to_text", source)(item) == "a, b-a-bca"


@given(prompt=SCALARS, choices=SCALARS | st.lists(SCALARS, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_value_is_rendered_as_it_is_or_refused_in_one_line(prompt: Any, choices: Any) -> None:
    def plain(value: Any) -> bool:
        return isinstance(value, str | int | float) and not isinstance(value, bool)

    for source in TEXT:
        said = _said(TextTemplate("doc_to_text", source), {"prompt": prompt})
        assert said == ((prompt if isinstance(prompt, str) else json.dumps(prompt)) if plain(prompt) else None)
    for source in ("{{choices}}", "choices"):
        said = _said(ChoicesTemplate("doc_to_choice", source), {"choices": choices})
        usable = isinstance(choices, list) and all(map(plain, choices))
        if usable:
            assert said == [one if isinstance(one, str) else json.dumps(one) for one in choices]
        elif not isinstance(choices, str):  # a text may be a list in the syntax of Python, which lm-eval reads
            assert said is None


def _said(template: Any, item: dict[str, Any]) -> Any:
    try:
        return template(item)
    except BenchmarkError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return None
