"""The client stands alone: it loads nothing of the hub's weight, and installs with its own few dependencies."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

from deep_images_hub.client.hub_client import DOCUMENTS

ROOT = Path(__file__).parents[2]
# The rules of demand and of labels' names are pure: the models of the API take their limits from there.
OURS = ("errors", "licences", "progress", "client", "wire", "demand", "labels")
FOREIGN = {"certifi", "charset_normalizer", "chardet", "idna", "requests", "urllib3", "pydantic", "pydantic_core"}
FOREIGN |= {"annotated_types", "typing_extensions", "typing_inspection"}


def _loaded() -> set[str]:
    """Return the names of the modules that a fresh interpreter has after importing the client, and nothing else."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules); import deep_images_hub.client, json;"
        " print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(answer.stdout))


def test_client_loads_nothing_but_requests_and_pydantic() -> None:
    loaded = _loaded()
    own = {name for name in loaded if name.startswith("deep_images_hub.")}
    assert {name.split(".")[1] for name in own} == set(OURS)
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"deep_images_hub"}
    assert {name for name in foreign if not name.startswith(("_", "cython"))} <= FOREIGN


def test_installing_the_package_alone_installs_what_the_client_needs_and_nothing_heavy() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(line).name for line in project["dependencies"]]
    installed: set[str] = set()
    while waiting:
        name = waiting.pop().replace("-", "_").lower()
        if name not in installed:
            installed.add(name)
            needed = map(Requirement, requires(name) or [])
            waiting += [of.name for of in needed if of.marker is None or of.marker.evaluate({"extra": ""})]
    assert {"requests", "pydantic"} <= installed <= FOREIGN


def test_client_asks_for_everything_that_the_api_does() -> None:
    from webapp.api.application import MODULES
    from webapp.api.operations import api

    assert MODULES
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "deep_images_hub/client").glob("*.py")]
    asked = {re.sub(r"\{[^}]*\}", "{}", path) for text in texts for path in re.findall(r'f?"(/[a-z][^"]*)"', text)}
    # What it follows as an address that an answer gave, and documents by their names.
    asked |= {"/models/{}/files/{}", "/versions/{}/exports/{}/{}", "/uploads/{}/files/{}/parts", "/uploads/{}/files/{}"}
    asked |= {f"/models/{{}}/{name}" for name in DOCUMENTS}
    left_out = {"/labels/{}", "/uploads/{}", "/uploads/{}/files/{}/leave-out"}
    offered = {re.sub(r"\{[^}]*\}", "{}", of.path) for of in api.operations}
    assert offered - asked == left_out
