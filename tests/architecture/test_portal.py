"""What the portal's files may hold: no SQL in views, nothing inline and nothing foreign in pages."""

import ast
import re
from pathlib import Path

import pytest

WEBAPP = Path(__file__).parents[2] / "webapp"
TEMPLATES = sorted(WEBAPP.glob("templates/*.html"))
# SVG's namespace is a name, not an address.
_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.mark.parametrize("module", sorted(WEBAPP.rglob("*.py")), ids=lambda path: str(path.relative_to(WEBAPP)))
def test_views_hold_no_sql(module: Path) -> None:
    imported = {
        f"{node.module}.{name.name}"
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("sqlalchemy", "psycopg2"))
        for name in node.names
    }
    # Views open connections and hand them on; what is asked of the catalogue is the catalogue's.
    assert imported <= {"sqlalchemy.Connection"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_pages_hold_nothing_inline_nothing_foreign_and_trust_no_text(template: Path) -> None:
    html = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:", html)
    # A data block is no script: browsers do not run it, and `tojson` lets nothing in it end it.
    scripts = re.sub(r'<script type="application/ld\+json">\{\{ \w+\|tojson \}\}</script>', "", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)", scripts)
    assert not re.search(r"(src|href|action)\s*=\s*[\"'](https?:)?//", html)
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", html)
    # What a merge leaves behind is shown to everybody: a template is parsed whatever it holds.
    assert not re.search(r"^(<{7}|={7}|>{7})", html, re.MULTILINE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_changes_something_has_a_token(template: Path) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', template.read_text(encoding="utf-8"), re.DOTALL):
        assert "parts.token()" in form or "csrf_token()" in form


def test_style_and_scripts_reach_for_no_other_host() -> None:
    for file in (WEBAPP / "static").iterdir():
        assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", file.read_text(encoding="utf-8").replace(_NAMESPACE, "")), (
            file.name
        )


def test_every_class_and_token_of_the_stylesheet_is_used() -> None:
    style = re.sub(r"/\*.*?\*/", "", (WEBAPP / "static" / "portal.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    selectors = " ".join(re.findall(r"([^{};]+)\{", style))
    users = [*TEMPLATES, *WEBAPP.glob("static/*.js"), *WEBAPP.glob("*.py")]
    text = " ".join(file.read_text(encoding="utf-8") for file in users)
    words = set(re.findall(r"[a-z][a-z0-9-]*", text))
    # Some are put together: `in-{{ scheme }}`; the design page names every step of type as the stylesheet does.
    stems = ("text-", *re.findall(r"\b([a-z-]+-)\{\{", text))
    names = set(re.findall(r"\.([a-z][a-z0-9-]*)", selectors))
    assert {name for name in names - words if not name.startswith(stems)} == set()
    tokens = set(re.findall(r"(--[a-z0-9-]+):", style))
    assert {token for token in tokens if f"var({token}" not in style} == set()
