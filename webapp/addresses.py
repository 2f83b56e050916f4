"""Addresses that a form hands over: where to go next, and nowhere but here."""

from urllib.parse import urlsplit


def safe_target(target: str | None, *, otherwise: str) -> str:
    """Return a path of this portal: the one that was asked for, or another when that would lead away."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return otherwise
    # Browsers read a backslash as a slash and drop control characters: /\evil.example leads away from here.
    if "\\" in target or any(ord(character) < 32 for character in target):
        return otherwise
    parts = urlsplit(target)
    return otherwise if parts.scheme or parts.netloc else target
