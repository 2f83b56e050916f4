"""What the demo wants: more pictures of the labels that have fewest, so that the portal shows demand against supply."""

from sqlalchemy import Connection

from deep_images_hub.catalogue.demands import ask_for, vote
from deep_images_hub.catalogue.labels import labels_by_count

WANTED_LABELS = 4
_NOTES = ("In a hand and on a shelf, not only on a table.", "By daylight, please.", "Also from behind, and from above.", "")


def ask_for_more(connection: Connection, *, user_ids: dict[str, int]) -> None:
    """Ask for twice the pictures of a few labels, each in the name of another account. Again: nothing.

    Args:
        user_ids: the demo's accounts by role.
    """
    people = [user_ids[role] for role in sorted(user_ids)]
    for number, label in enumerate(labels_by_count(connection, min_images=1, limit=WANTED_LABELS)):
        asked = ask_for(
            connection,
            label_id=label.id,
            user_id=people[number % len(people)],
            target_images=2 * label.subtree_images,
            note=_NOTES[number % len(_NOTES)],
        )
        for other in people[: WANTED_LABELS - 1 - number]:
            vote(connection, demand_id=asked.demand_id, user_id=other)
