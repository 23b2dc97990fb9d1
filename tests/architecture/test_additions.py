"""The recipes of CONTRIBUTING work, and take as few files as they say: each is followed once, in a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guards.additions import Copy, off_recipe, recipe
from guards.project import ROOT
from social_provenance.fingerprint import digest_of_code
from social_provenance.gradients.methods import scoring
from social_provenance.gradients.methods.registry import find_methods
from social_provenance.gradients.methods.store_methods import GradientCorpus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECIPES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = "src/social_provenance"

FIGURE = '''
"""How many documents the bins have."""

from __future__ import annotations

from social_provenance.annotations import Figure, Table
from social_provenance.figures import style


def draw_sizes(bins: Table, method: str) -> Figure:
    """Draw how many bins have how many documents.

    Args:
        bins: Table ``bin_influence``.
        method: Whose rows are counted.
    """
    import plotly.graph_objects as go

    own = bins[bins["method"] == method]
    return style.finish(go.Figure(go.Histogram(x=own["n_documents"])), height=300)
'''

LAW = '''
"""Every bin of the method is counted once."""

import pandas as pd

from social_provenance.figures.sizes import draw_sizes


def test_every_bin_of_the_method_is_counted_once(bins: pd.DataFrame) -> None:
    both = pd.concat([bins, bins.assign(method="other")])
    assert sorted(draw_sizes(both, "trackstar").data[0].x) == sorted(bins["n_documents"])
'''

TEMPLATE = """
<h2 id="sizes">How many documents bins have</h2>
<div class="figure">{{ figure }}</div>
"""

SECTION = '''
def write_sizes(figure: Figure) -> str:
    """Show how many documents bins have."""
    return render("sizes", figure=figure_html(figure, "sizes_figure"))


'''

USE_OF_FIGURE = """
import json
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog

import social_provenance
from guards.additions import broken_conventions
from guards.project import SOURCE, read_project
from guards.source import modules_without_test

law = Path("tests/figures/test_sizes.py")
passed = pytest.main(["-q", "-p", "no:cacheprovider", str(law)])
project = read_project()
nodes = {node.name: node for node in project.pipelines["reporting"].nodes}
catalog = DataCatalog.from_config({name: dict(entry) for name, entry in project.catalog.items()})
bins = pd.DataFrame({"method": "influence", "n_documents": [1, 2, 2]})
catalog.save("sizes_figure", nodes["draw_sizes"].func(bins, "influence"))
catalog.save("sizes_section", nodes["write_sizes"].func(catalog.load("sizes_figure")))
page = nodes["write_report"]
answer = {
    "package": social_provenance.__file__,
    "passed": int(passed),
    "written": sorted(path.name for path in Path("somewhere").rglob("*sizes*")),
    "place": page.inputs.index("sizes_section") - page.inputs.index("influence_section"),
    "links": page.func(None, sizes_section=catalog.load("sizes_section")).count('<a href="#sizes">'),
    "broken": broken_conventions(),
}
law.unlink()
print(json.dumps({**answer, "without_law": modules_without_test(SOURCE, Path("tests"))}))
"""


METHOD = '''
"""The cosine of signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from social_provenance.gradients.methods.store_methods import StoreMethod, unit_rows

if TYPE_CHECKING:
    import torch

    from social_provenance.gradients.methods.preconditioner import Preconditioner


class SignCosine(StoreMethod):
    """Cosine of the signs of projected gradients: ``sign(g(m)) . sign(g(q)) / (|sign(g(m))| |sign(g(q))|)``."""

    name = "sign_cosine"

    def transform(self, gradients: torch.Tensor, preconditioner: Preconditioner) -> torch.Tensor:
        del preconditioner
        return unit_rows(gradients.sign())
'''

LAW_OF_METHOD = '''
"""The size of a single dimension does not matter."""

from typing import Any

import numpy as np


def test_a_longer_dimension_has_the_same_score(make_store: Any, of: Any, numbers: Any) -> None:
    corpus, queries = make_store(20, seed=1), make_store(5, seed=2)
    scaled = numbers(corpus) * np.linspace(0.1, 9, 13)
    usual = of(corpus, queries, "sign_cosine")
    np.testing.assert_allclose(of(make_store(gradients=scaled), queries, "sign_cosine"), usual, atol=1e-6)
    expected = np.sign(numbers(corpus)) @ np.sign(numbers(queries)).T / 13
    np.testing.assert_allclose(usual, expected.mean(axis=1), atol=1e-6)
'''

USE_OF_METHOD = """
import json
from pathlib import Path

import pytest

import social_provenance
from guards.additions import broken_conventions
from guards.project import SOURCE, read_project
from guards.source import modules_without_test

law = Path("tests/gradients/methods/test_sign_cosine.py")
passed = pytest.main(["-q", "-p", "no:cacheprovider", str(law)])
read_project()  # the catalog's schemas and the parameters of the pipelines are read with the new method

from social_provenance.fingerprint import digest_of_code
from social_provenance.gradients.methods import scoring
from social_provenance.gradients.methods.registry import find_methods, method_names
from social_provenance.gradients.methods.settings import ScoringSettings
from social_provenance.gradients.methods.store_methods import GradientCorpus

settings = ScoringSettings(methods=["sign_cosine", "trackstar"], default_method="sign_cosine")
answer = {
    "package": social_provenance.__file__,
    "passed": int(passed),
    "listed": "sign_cosine" in method_names("store"),
    "accepted": list(settings.methods),
    "code": digest_of_code(scoring._write, GradientCorpus, find_methods()["trackstar"]),
    "broken": broken_conventions(),
}
law.unlink()
print(json.dumps({**answer, "without_law": modules_without_test(SOURCE, Path("tests"))}))
"""


@pytest.fixture
def project_copy(tmp_path: Path, forked: Callable[..., Any]) -> Copy:
    return Copy.below(tmp_path, forked)


def test_a_figure_with_its_section_takes_five_files(project_copy: Copy) -> None:
    project_copy.write(f"{PACKAGE}/figures/sizes.py", FIGURE)
    project_copy.write("tests/figures/test_sizes.py", LAW)
    project_copy.write(f"{PACKAGE}/report/templates/sizes.html.j2", TEMPLATE)
    sections = f"{PACKAGE}/report/sections.py"
    project_copy.insert(sections, '    "sizes": "Sizes of bins",\n', before='    "discoveries": ')
    project_copy.insert(sections, SECTION.lstrip(), before="def write_contrasts(")
    wiring = f"{PACKAGE}/pipelines/reporting/contents.py"
    project_copy.insert(
        wiring, "from social_provenance.figures.sizes import draw_sizes\n", before="from social_provenance.report "
    )
    project_copy.insert(
        wiring, '    "sizes_figure": (draw_sizes, ["bin_influence", METHOD]),\n', before='    "balance_figure": '
    )
    project_copy.insert(
        wiring, '    "sizes_section": (sections.write_sizes, ["sizes_figure"]),\n', before='    "discoveries_section": '
    )

    touched = project_copy.touched()
    assert off_recipe(touched, recipe(RECIPES, "A figure or section of the report")) == []
    assert len(touched) == 5
    found = project_copy.ask(USE_OF_FIGURE)
    assert found.pop("package").startswith(str(project_copy.root))
    assert found.pop("without_law") == ["figures/sizes.py: there is no tests/figures/test_sizes.py"]
    written = ["sizes.html", "sizes_figure.json"]
    assert found == {"written": written, "passed": 0, "place": 1, "links": 1, "broken": []}


def test_an_attribution_method_takes_its_file_its_law_and_its_row_on_the_page(project_copy: Copy) -> None:
    project_copy.write(f"{PACKAGE}/gradients/methods/sign_cosine.py", METHOD)
    project_copy.write("tests/gradients/methods/test_sign_cosine.py", LAW_OF_METHOD)
    page = "docs/reference/methods.md"
    project_copy.insert(page, "| `sign_cosine` | store | cosine of signs | |\n", before="| `trak` | store |")

    touched = project_copy.touched()
    assert off_recipe(touched, recipe(RECIPES, "An attribution method")) == []
    assert len(touched) == 3
    found = project_copy.ask(USE_OF_METHOD)
    assert found.pop("package").startswith(str(project_copy.root))
    without_law = "gradients/methods/sign_cosine.py: there is no tests/gradients/methods/test_sign_cosine.py"
    assert found.pop("without_law") == [without_law]
    # Scores by other methods stay: the new one is not part of their code.
    assert found.pop("code") == digest_of_code(scoring._write, GradientCorpus, find_methods()["trackstar"])
    assert found == {"passed": 0, "listed": True, "accepted": ["sign_cosine", "trackstar"], "broken": []}


def test_what_is_touched_is_what_differs(project_copy: Copy) -> None:
    assert project_copy.touched() == []
    project_copy.write("docs/new.md", "# New\n")
    project_copy.insert("conf/base/globals.yml", "# more\n", before="root: data")
    (project_copy.root / "README.md").unlink()
    assert project_copy.touched() == ["README.md", "conf/base/globals.yml", "docs/new.md"]


def test_a_file_that_is_there_is_not_written_anew(project_copy: Copy) -> None:
    with pytest.raises(FileExistsError, match=r"README\.md"):
        project_copy.write("README.md", "")


@pytest.mark.parametrize("before", ["not in there", "e"])
def test_text_goes_to_one_place(project_copy: Copy, before: str) -> None:
    with pytest.raises(ValueError, match="times"):
        project_copy.insert("README.md", "more", before=before)


def test_a_script_that_fails_says_why(project_copy: Copy) -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        project_copy.ask("raise SystemExit('no such thing')")


def test_a_file_that_the_recipe_does_not_name_is_found() -> None:
    text = "**A thing**: `things/NAME.py`, a `THING` in `list.py`, `tests/test_NAME.py`.\n\n**Other**: `a/b.py`\n"
    files = recipe(text, "A thing")
    assert files == ["things/NAME.py", "tests/test_NAME.py"]
    touched = [f"{PACKAGE}/things/toy.py", "tests/test_toy.py", "a/b.py", f"{PACKAGE}/other/things/toy.py"]
    assert off_recipe(touched, files) == [f"{path}: the recipe does not name it" for path in touched[2:]]
    with pytest.raises(ValueError, match="no recipe 'Nothing'"):
        recipe(text, "Nothing")


OBJECTIVE = '''
"""Gradient ascent up to a bound: the forget term of a batch is minus its mean loss, or minus the bound above that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import PositiveFloat

from social_provenance.forgetting.objectives.terms import Term, TwoTerms, Value, predicted_tokens
from social_provenance.training.batches import mean_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from social_provenance.training.batches import Batch, Tokens


class Hinge(TwoTerms):
    """Raise the forget loss to a bound, and no further."""

    name: Literal["hinge"] = "hinge"
    """Name in the parameters."""
    bound: PositiveFloat = 20.0
    """Loss above which nothing is pushed, nats per token."""

    def _forget_term(self, model: Any, forget: Sequence[Tokens], size: int) -> Term:
        del forget, size  # nothing is compared with the untouched model

        def value(batch: Batch) -> Value:
            loss = mean_loss(model, batch)
            return Value(loss, -loss.clamp(max=self.bound))

        return Term(value, predicted_tokens)
'''

LAW_OF_OBJECTIVE = '''
"""Above its bound the forget term is flat."""

from typing import Any

from social_provenance.forgetting.objectives.hinge import Hinge
from social_provenance.training.batches import pad


def test_above_the_bound_nothing_is_pushed(model: Any, forget: Any, retain: Any) -> None:
    norms = [
        Hinge(bound=bound).prepare(model, forget, retain, 2)(pad(forget), pad(retain))["forget_grad_norm"]
        for bound in (1e-6, 100.0)
    ]
    assert norms[0] == 0 < norms[1]
'''

ROW_OF_OBJECTIVE = (
    "| `hinge` | −min(CE, bound) | this project | `kl` | `bound` (20), `gamma` (1), `alpha` (1), `retain` (`kl`) |\n"
)

USE_OF_OBJECTIVE = """
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

import social_provenance
from guards.additions import broken_conventions
from guards.project import SOURCE, read_project
from guards.source import modules_without_test
from social_provenance.forgetting.settings import Unlearning

folder = Path("tests/forgetting/objectives")
law = folder / "test_hinge.py"
passed = pytest.main(["-q", "-p", "no:cacheprovider", str(law), str(folder / "test_registry.py")])
of_every = pytest.main(["-q", "-p", "no:cacheprovider", str(folder / "test_base.py"), "-k", "hinge"])
block = {**read_project().parameters["unlearning"], "algorithms": [{"name": "hinge", "bound": 5}]}
(algorithm,) = Unlearning.model_validate(block).model_dump(mode="json")["algorithms"]
try:
    Unlearning.model_validate({"algorithms": [{"name": "hinge", "bound": 0}]})
except ValidationError as error:
    refused = error.errors()[0]["loc"]
answer = {
    "package": social_provenance.__file__,
    "passed": [int(passed), int(of_every)],
    "used": algorithm,
    "refused": refused,
    "broken": broken_conventions(),
}
law.unlink()
print(json.dumps({**answer, "without_law": modules_without_test(SOURCE, Path("tests"))}))
"""


def test_an_unlearning_objective_takes_three_files(project_copy: Copy) -> None:
    project_copy.write(f"{PACKAGE}/forgetting/objectives/hinge.py", OBJECTIVE)
    project_copy.write("tests/forgetting/objectives/test_hinge.py", LAW_OF_OBJECTIVE)
    project_copy.insert("docs/explanation/unlearning.md", ROW_OF_OBJECTIVE, before="| `npo` |")

    touched = project_copy.touched()
    assert off_recipe(touched, recipe(RECIPES, "An unlearning objective")) == []
    assert len(touched) == 3
    found = project_copy.ask(USE_OF_OBJECTIVE)
    assert found.pop("package").startswith(str(project_copy.root))
    without = ["forgetting/objectives/hinge.py: there is no tests/forgetting/objectives/test_hinge.py"]
    assert found.pop("without_law") == without
    used = {"name": "hinge", "bound": 5.0, "gamma": 1.0, "alpha": 1.0, "retain": "kl", "learning_rate": None}
    refused = ["algorithms", 0, "hinge", "bound"]
    assert found == {"passed": [0, 0], "used": used, "refused": refused, "broken": []}
