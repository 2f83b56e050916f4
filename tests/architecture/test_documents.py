"""Documents tell the truth: settings, jobs, scripts and decisions are all there, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

from deep_images_hub.settings import Settings, settings_table

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")


def test_settings_table_in_operating_is_the_one_of_the_code() -> None:
    documented = OPERATING.partition("<!-- settings: begin -->\n")[2].partition("<!-- settings: end -->")[0]
    assert documented == settings_table(), (
        "Paste what this prints between the marks: "
        "python -c 'from deep_images_hub.settings import settings_table; print(settings_table(), end=\"\")'"
    )
    assert all(f"`{name}`" in documented for name in Settings.model_fields)


def test_every_job_is_documented() -> None:
    jobs = [path.stem for path in (ROOT / "spark_jobs").glob("*.py") if "__main__" in path.read_text(encoding="utf-8")]
    assert len(jobs) >= 4
    assert [job for job in jobs if f"`{job}" not in OPERATING] == []


def test_every_script_is_documented() -> None:
    scripts = [path.name for path in (ROOT / "scripts").iterdir() if path.is_file() and path.name != "environment"]
    assert [name for name in scripts if f"scripts/{name}" not in OPERATING] == []


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    decisions = [path.name for path in (ROOT / "docs/adr").glob("0*.md")]
    assert len(decisions) >= 7
    assert [name for name in decisions if f"({name})" not in listed] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []
