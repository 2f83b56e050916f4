"""Who watches which label: they are told when what is wanted of it is there."""

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.labels import labels_by_ids
from deep_images_hub.errors import NotFoundError


def watch(connection: Connection, *, label_id: int, user_id: int) -> None:
    """Let somebody be told when what is wanted of a label is there. Again: nothing. Raises NotFoundError."""
    if label_id not in labels_by_ids(connection, [label_id]):
        raise NotFoundError("There is no such label. Look for it by name.")
    connection.execute(
        text("insert into watches (user_id, label_id) values (:user_id, :label_id) on conflict do nothing"),
        {"user_id": user_id, "label_id": label_id},
    )


def stop_watching(connection: Connection, *, label_id: int, user_id: int) -> None:
    """Tell somebody no more of a label. Of one that they do not watch: nothing."""
    connection.execute(
        text("delete from watches where user_id = :user_id and label_id = :label_id"),
        {"user_id": user_id, "label_id": label_id},
    )


def is_watching(connection: Connection, *, label_id: int, user_id: int) -> bool:
    """Tell whether somebody watches a label."""
    found = text("select exists (select from watches where user_id = :user_id and label_id = :label_id)")
    return bool(connection.scalar(found, {"user_id": user_id, "label_id": label_id}))


def watched_labels(connection: Connection, *, user_id: int, limit: int = 200) -> list[tuple[int, str]]:
    """Return the labels that somebody watches, by name: ids and names."""
    rows = connection.execute(
        text(
            "select labels.id, labels.name from watches join labels on labels.id = label_id"
            " where user_id = :user_id order by lower(labels.name), labels.id limit :limit"
        ),
        {"user_id": user_id, "limit": limit},
    )
    return [(row.id, row.name) for row in rows]
