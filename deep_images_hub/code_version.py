"""Which code this is: the package's version, and the commit of a checkout.

Jobs import the code from a zip (`deep_images_hub.runtime.code_zip`), where git says nothing: it brings the answer with it.
"""

import json
import subprocess
from functools import cache
from pathlib import Path

import deep_images_hub
from deep_images_hub.resources import resource

CODE_VERSION_FILE = "code_version.json"
_TIMEOUT_S = 5.0


@cache
def code_version() -> dict[str, str | bool | None]:
    """Return the `version`; the `commit`, None outside a checkout; and whether the checkout `is_changed` since, None likewise."""
    told = resource(CODE_VERSION_FILE)
    if told.is_file():
        return dict(json.loads(told.read_text(encoding="utf-8")))
    commit = _git("rev-parse", "HEAD")
    changes = None if commit is None else _git("status", "--porcelain", "--untracked-files=no")
    return {
        "version": deep_images_hub.__version__,
        "commit": commit,
        "is_changed": None if changes is None else bool(changes),
    }


def _git(*command: str) -> str | None:
    """Ask git about the checkout that this file lies in; None: it lies in none, or there is no git."""
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return None
    try:
        said = subprocess.run(["git", "-C", str(root), *command], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip()
