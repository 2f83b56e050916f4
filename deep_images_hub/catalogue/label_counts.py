"""How many pictures each label has: its own, and with everything under it. Kept as pictures come and go, repaired by `recount`.

With them goes how many of these have a licence, a country, a month and so on: triggers note it as pictures come and go, and it is
folded into the kept counts here.

Whoever adds counts reads the closure, and whoever changes the closure moves counts: both take one advisory lock first. Locking
rows in order of label was tried instead: two calls in one transaction then crossed with those of another. Little is lost, since
nearly all labels share an ancestor, and with it a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import NotFoundError

# The advisory lock on the label graph and its counts; any number that nobody else takes.
_GRAPH_LOCK_KEY = 0x44494802


@dataclass(frozen=True)
class CountDifference:
    """A label whose kept counts were not those of its pictures. Kept counts are None where there was no row."""

    label_code: str
    own_kept: int | None
    own_found: int
    subtree_kept: int | None
    subtree_found: int


def lock_graph(connection: Connection) -> None:
    """Keep everybody else from changing the label graph or adding counts until the transaction ends."""
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _GRAPH_LOCK_KEY})


def add_image_counts(connection: Connection, added: Mapping[int, int]) -> None:
    """Count pictures that got a current label, or lost it, for the label and for everything above it.

    Call it in the transaction that writes the pictures' labels, and last: it holds a lock that others wait for.

    Args:
        added: pictures by label id; negative where they went away.

    Raises:
        NotFoundError: a label does not exist.
        IntegrityError: a count would fall below zero.
    """
    changes = {label_id: count for label_id, count in added.items() if count}
    if not changes:
        return
    lock_graph(connection)
    changed = connection.execute(load_query("label_counts_added"), {"label_ids": list(changes), "counts": list(changes.values())})
    if unknown := changes.keys() - set(changed.scalars()):
        raise NotFoundError(f"There is no label with the id {min(unknown)}: its pictures cannot be counted.")
    connection.execute(load_query("facet_counts_folded"))


def recount(connection: Connection) -> list[CountDifference]:
    """Count every label's pictures anew, put right what was kept wrong, and return what that was, by code."""
    lock_graph(connection)
    connection.execute(load_query("facet_counts_folded"))
    connection.execute(load_query("facet_subtrees_counted"))
    differences = connection.execute(load_query("label_count_differences")).all()
    if differences:
        connection.execute(
            text(
                "insert into label_counts (label_id, own_images, subtree_images)"
                " select * from unnest(cast(:label_ids as integer[]), cast(:own as bigint[]), cast(:subtree as bigint[]))"
                " on conflict (label_id) do update"
                " set own_images = excluded.own_images, subtree_images = excluded.subtree_images"
            ),
            {
                "label_ids": [row.label_id for row in differences],
                "own": [int(row.own_found) for row in differences],
                "subtree": [int(row.subtree_found) for row in differences],
            },
        )
    return [
        CountDifference(
            label_code=row.code,
            own_kept=row.own_kept,
            own_found=int(row.own_found),
            subtree_kept=row.subtree_kept,
            subtree_found=int(row.subtree_found),
        )
        for row in differences
    ]
