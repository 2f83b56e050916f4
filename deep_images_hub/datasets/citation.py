"""How a dataset version is named in a paper. Pure."""

from datetime import datetime
from typing import Protocol

_AUTHOR = "Contributors of Deep Images Hub"
# TeX reads these as commands; the last ones have no escape that every style takes.
_TEX = str.maketrans({mark: "\\" + mark for mark in "#$%&_"} | {"~": " ", "^": " ", "\\": " ", "{": "(", "}": ")"})


class CitedVersion(Protocol):
    """What a citation says of a version."""

    @property
    def name(self) -> str:
        """What its maker called it; may hold anything."""
        ...

    @property
    def digest(self) -> str:
        """What stands for its content."""
        ...

    @property
    def image_count(self) -> int:
        """How many pictures it has."""
        ...

    @property
    def created_at(self) -> datetime:
        """When it was frozen."""
        ...


def citation_text(version: CitedVersion, *, url: str) -> str:
    """Return a citation for people."""
    return (
        f"{_AUTHOR} ({version.created_at.year}). {version.name} [{version.image_count:,} photographs, "
        f"version {version.digest[:12]}]. Deep Images Hub. {url} (sha256 {version.digest})"
    )


def bibtex(version: CitedVersion, *, url: str) -> str:
    """Return a citation as a BibTeX entry."""
    fields = {
        "author": f"{{{_AUTHOR}}}",
        "title": " ".join(version.name.translate(_TEX).split()),
        "year": str(version.created_at.year),
        "publisher": "Deep Images Hub",
        "version": version.digest[:12],
        "url": url,
        "note": f"{version.image_count:,} photographs; sha256 of the content {version.digest}",
    }
    lines = ",\n".join(f"  {field} = {{{value}}}" for field, value in fields.items())
    return f"@misc{{deepimageshub-{version.digest[:12]},\n{lines}\n}}"
