"""What a dataset version has that another has not, and what is different in it: one query for each kind, paged."""

from dataclasses import dataclass

from sqlalchemy import Connection

from deep_images_hub.catalogue.images import Picture
from deep_images_hub.catalogue.queries import load_query

KINDS = ("added", "removed", "moved", "relabelled")


@dataclass(frozen=True)
class Difference:
    """How many pictures a version has more, has less, has in another split, and has under another label than one before."""

    added: int
    removed: int
    moved: int
    relabelled: int

    def of(self, kind: str) -> int:
        """Return the count of one of KINDS."""
        return int(getattr(self, kind))


@dataclass(frozen=True)
class ChangedPicture(Picture):
    """A picture that is different in a version, under the version's own label.

    Attributes:
        position: its place in the version that has it; hand over a page's last one as `after_position` to read on.
        split: in that version.
        is_public: False: nobody but operators may see it any more.
        split_before, label_before: in the version before, the label by name; None where it was not there, or is not now.
    """

    position: int
    split: str
    is_public: bool
    split_before: str | None = None
    label_before: str | None = None


def difference(connection: Connection, *, version_id: int, before_id: int) -> Difference:
    """Count what changed from one version to another. Reads both."""
    parameters = {"version_id": version_id, "other_id": before_id}
    return Difference(**connection.execute(load_query("version_difference"), parameters).one()._mapping)


def changed_pictures(
    connection: Connection, *, kind: str, version_id: int, before_id: int, after_position: int = -1, limit: int
) -> list[ChangedPicture]:
    """Return pictures that changed from one version to another in one of KINDS, by position in the version that has them."""
    here, there = (before_id, version_id) if kind == "removed" else (version_id, before_id)
    parameters = {"version_id": here, "other_id": there, "after_position": after_position, "limit": limit}
    if kind in ("added", "removed"):
        rows = connection.execute(load_query("version_only_here"), parameters)
    else:
        rows = connection.execute(load_query("version_changed"), {**parameters, "is_by_label": kind == "relabelled"})
    return [ChangedPicture(**row._mapping) for row in rows]
