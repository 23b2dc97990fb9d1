"""No unknown runtime parameter, and no network where none is needed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from kedro.framework.project import configure_project
from kedro.io import DataCatalog

from social_provenance.datasets import OptionalModelFolder
from social_provenance.errors import SettingsError
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.hooks.guard import OFFLINE, QUIET, GuardHooks, known_parameters, refuse_unasked, refuse_unread
from social_provenance.hooks.typed_paths import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)  # half a second: it looks at the file of every module
def _project() -> None:
    configure_project("social_provenance")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Yield an empty environment in place of the process's own."""
    empty: dict[str, str] = {}
    with monkeypatch.context() as patch:
        patch.setattr("social_provenance.hooks.guard.os", SimpleNamespace(environ=empty))
        yield empty


def context(offline: bool) -> Any:
    return SimpleNamespace(config_loader={"engines": {"offline": offline}})


def catalog_with(parameters: dict[str, Any]) -> DataCatalog:
    catalog = DataCatalog()
    catalog["parameters"] = parameters
    return catalog


def start(**given: Any) -> None:
    GuardHooks().before_pipeline_run({"runtime_params": given}, catalog_with(given))


def test_a_run_of_what_is_not_there_is_refused_because_what_is_there_may_be_of_other_inputs() -> None:
    with pytest.raises(SettingsError, match=r"^--only-missing-outputs .*: leave it out"):
        GuardHooks().before_pipeline_run({"only_missing_outputs": True}, catalog_with({}))
    GuardHooks().before_pipeline_run({"only_missing_outputs": False}, catalog_with({}))


def test_a_misspelled_block_of_a_file_is_refused() -> None:
    catalog = catalog_with({"documents": {}, "workingset": {}})
    with pytest.raises(SettingsError) as caught:
        GuardHooks().before_pipeline_run({"runtime_params": {}}, catalog)
    message = "conf/*/parameters*.yml: unknown parameter 'workingset'; did you mean 'working_set'?"
    assert str(caught.value) == message


def test_a_misspelled_parameter_is_refused_with_the_right_one() -> None:
    with pytest.raises(SettingsError) as caught:
        start(minature={"seed": 7})
    assert str(caught.value) == "--params: unknown parameter 'minature'; did you mean 'miniature'?"


def test_a_strange_parameter_is_refused_with_all_there_are() -> None:
    with pytest.raises(SettingsError) as caught:
        start(xyz=1)
    message = str(caught.value)
    assert message.startswith("--params: unknown parameter 'xyz'; name one of ")
    assert all(name in message for name in ("corpus", "miniature", "working_set"))


def test_one_unknown_among_known_ones_is_enough() -> None:
    with pytest.raises(SettingsError, match="'modle'; did you mean 'model'"):
        start(miniature={"seed": 7}, modle="m")


@pytest.mark.parametrize("name", [*PLACES, "miniature", "scoring", "working_set"])
def test_a_known_parameter_passes(name: str) -> None:
    assert name in known_parameters()
    start(**{name: "x"})


def test_a_run_without_parameters_passes() -> None:
    catalog = catalog_with({})
    GuardHooks().before_pipeline_run({"runtime_params": None}, catalog)
    GuardHooks().before_pipeline_run({}, catalog)
    assert known_parameters()


def test_names_of_nested_parameters_are_their_blocks() -> None:
    assert not [name for name in known_parameters() if "." in name or ":" in name]


def test_a_local_study_is_offline(environ: dict[str, str]) -> None:
    GuardHooks().after_context_created(context(offline=True))
    assert environ == OFFLINE | QUIET
    assert environ["HF_HUB_OFFLINE"] == "1"


def test_a_study_that_reads_from_the_hub_is_quiet_only(environ: dict[str, str]) -> None:
    GuardHooks().after_context_created(context(offline=False))
    assert environ == QUIET


def test_what_the_user_has_set_stays(environ: dict[str, str]) -> None:
    environ["HF_HUB_OFFLINE"] = "0"
    GuardHooks().after_context_created(context(offline=True))
    assert environ["HF_HUB_OFFLINE"] == "0"


class _Checked:
    """A context that notes whether all parameters were read, which checks them."""

    def __init__(self, **given: Any) -> None:
        self.config_loader = SimpleNamespace(runtime_params=given)
        self.read = False

    @property
    def params(self) -> None:
        self.read = True


@pytest.mark.parametrize(
    ("given", "read"), [({}, False), ({"root": "x"}, False), ({"root": "x", "scoring": {"damping": 1}}, True)]
)
def test_parameters_are_checked_whether_or_not_a_pipeline_of_the_run_reads_them(
    given: dict[str, Any], read: bool
) -> None:
    context: Any = _Checked(**given)
    refuse_unread(context)
    assert context.read is read


def test_a_misspelled_parameter_is_refused_before_parameters_are_read() -> None:
    context: Any = _Checked(minature={"seed": 7})
    with pytest.raises(SettingsError, match=r"^--params: unknown parameter 'minature'; did you mean"):
        refuse_unread(context)
    assert not context.read


def test_a_version_of_what_has_none_is_refused() -> None:
    catalog = catalog_with({})
    catalog["documents"] = OptionalModelFolder(path=None)
    with pytest.raises(SettingsError, match=r"^--load-versions: documents has no versions: leave it out$"):
        GuardHooks().after_catalog_created(catalog, {"documents": "x"})
    GuardHooks().after_catalog_created(catalog, None)


def _given(scoring: Any, **attribution: Any) -> DataCatalog:
    catalog = catalog_with({"scoring": scoring, "attribution": attribution})
    catalog["query_model"] = OptionalModelFolder(path=None)
    return catalog


@pytest.mark.parametrize("query", ["rival", "margin_per_token"])
def test_a_method_that_runs_the_model_is_refused_beside_contrasted_queries(query: str) -> None:
    said = f"method ekfac asks by the gold choice alone and attribution.query is '{query}': leave ekfac out of"
    with pytest.raises(SettingsError, match=said):
        refuse_unasked(_given({"methods": ["bm25", "ekfac"]}, query=query))
    refuse_unasked(_given({"methods": ["bm25", "influence"]}, query=query))
    refuse_unasked(_given({"methods": ["bm25", "ekfac"]}, query="gold"))
    refuse_unasked(_given("x", query=query))
    with pytest.raises(SettingsError, match=said):
        refuse_unasked(_given(ScoringSettings(methods=["ekfac"], default_method="ekfac"), query=query))


def test_a_method_that_runs_the_model_is_refused_beside_another_query_model() -> None:
    catalog = catalog_with({"scoring": {"methods": ["ekfac"]}})
    catalog["query_model"] = OptionalModelFolder(path="hf://a/instruct")
    with pytest.raises(SettingsError, match="takes all gradients of one model and query_model is a/instruct: leave"):
        refuse_unasked(catalog)
    catalog["query_model"] = OptionalModelFolder(path=None)
    refuse_unasked(catalog)
