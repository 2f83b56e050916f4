"""Which code this is: the package's version, and the commit of a checkout."""

import subprocess
from functools import cache
from pathlib import Path

import deep_images_hub

_TIMEOUT_S = 5.0


@cache
def code_version() -> dict[str, str | bool | None]:
    """Return the `version`; the `commit`, None outside a checkout; and whether the checkout `is_changed` since, None likewise."""
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
