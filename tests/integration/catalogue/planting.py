"""Rows for tests: a few labels, batches, and pictures as intake leaves them."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, select, text, update

from deep_images_hub.batches.manifest import Manifest, ManifestObject
from deep_images_hub.catalogue.batches import batch_by_key, create_batch
from deep_images_hub.catalogue.label_counts import add_image_counts
from deep_images_hub.catalogue.labels import label_by_code, load_graph
from deep_images_hub.catalogue.tables import batches, image_labels, images, places, submissions, verdicts
from deep_images_hub.labels.graph import PART, LabelEdge, LabelGraph
from deep_images_hub.verdicts import BROKEN_REASONS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

# Apple has two parents, Fruit has pictures of its own and children, two labels have the same name.
GRAPH = LabelGraph(
    names={
        "food": "Food",
        "fruit": "Fruit",
        "snack": "Snack",
        "apple": "Apple",
        "pear": "Pear",
        "hells-kitchen": "Hell's Kitchen",
        "car": "Car",
        "wheel": "Wheel",
        "crane1": "Crane",
        "crane2": "Crane",
    },
    edges=frozenset(
        {
            LabelEdge("food", "fruit"),
            LabelEdge("food", "snack"),
            LabelEdge("fruit", "apple"),
            LabelEdge("snack", "apple"),
            LabelEdge("fruit", "pear"),
            LabelEdge("snack", "hells-kitchen"),
            LabelEdge("car", "wheel", PART),
        }
    ),
)

ACCEPTED = "accepted"


def plant_labels(connection: Connection) -> None:
    load_graph(connection, GRAPH, source="test")


def plant_place(
    connection: Connection, city: str, *, longitude: float = 13.4, latitude: float = 52.5, postcode: str | None = None
) -> int:
    place_id = connection.execute(
        insert(places)
        .values(country_code="DE", region=None, city=city, postcode=postcode, latitude=latitude, longitude=longitude)
        .returning(places.c.id)
    ).scalar_one()
    assert isinstance(place_id, int)
    return place_id


def manifest_of(
    key: str, label_code: str = "apple", *, objects: int = 1, hours: float = 0, supplier: str = "ada", **given: object
) -> Manifest:
    values = {
        "batch_key": key,
        "supplier_email": f"{supplier}@example.org",
        "supplier_name": supplier.title(),
        "label_code": label_code,
        "licence": "by",
        "attribution": f"Photo by {supplier.title()}",
        "submitted_at": NOON + timedelta(hours=hours),
        "objects": tuple(
            ManifestObject(
                object_key=f"landing/{key}/{number:06d}.jpg", filename=f"o'{number}.jpg", size_bytes=1000 + number, taken_at=NOON
            )
            for number in range(objects)
        ),
    }
    return Manifest.model_validate({**values, **given})


def plant_batch(
    connection: Connection,
    key: str,
    label_code: str = "apple",
    *,
    outcomes: Sequence[str] = (ACCEPTED,),
    hours: float = 0,
    place_id: int | None = None,
    supplier: str = "ada",
    licence: str = "by",
) -> list[int]:
    """Send and decide a batch; return the ids of its accepted pictures. As in intake, what is refused for its quality or needs a
    look has a picture too.

    Args:
        outcomes: one a submission: `accepted`, a reason of rejection, or `review:` and a reason.
    """
    manifest = manifest_of(key, label_code, objects=len(outcomes), hours=hours, supplier=supplier, licence=licence)
    batch_id = create_batch(connection, manifest=manifest, place_id=place_id)
    sent = connection.execute(select(submissions.c.id, submissions.c.position).where(submissions.c.batch_id == batch_id))
    submission_ids = {row.position: row.id for row in sent}
    label_id = label_by_code(connection, label_code).id
    planted: list[int] = []
    counts: Counter[str] = Counter()
    for position, outcome in enumerate(outcomes):
        status, _, reason = outcome.partition(":") if ":" in outcome or outcome == ACCEPTED else ("rejected", "", outcome)
        counts[status] += 1
        has_picture = reason not in (*BROKEN_REASONS, "exact_duplicates")
        image_id = _plant_image(connection, batch_id, key, position) if has_picture else None
        if status == ACCEPTED and image_id is not None:
            planted.append(image_id)
            connection.execute(insert(image_labels).values(image_id=image_id, label_id=label_id, said_by="supplier"))
        connection.execute(
            update(submissions)
            .where(submissions.c.id == submission_ids[position])
            .values(status=status, reason=reason or None, image_id=image_id, decided_at=NOON)
        )
        connection.execute(
            insert(verdicts).values(
                submission_id=submission_ids[position],
                check_name=reason if reason in ("blurry", "dark") else "decode",
                check_version=1,
                score=0.05 if reason else 0.9,
                threshold=0.1,
                outcome="fail" if reason else "pass",
                detail=f"{outcome}: what was found",
            )
        )
    connection.execute(
        update(batches)
        .where(batches.c.id == batch_id)
        .values(
            status="closed",
            closed_at=NOON,
            accepted_count=counts["accepted"],
            rejected_count=counts["rejected"],
            review_count=counts["review"],
        )
    )
    add_image_counts(connection, {label_id: len(planted)})
    assert batch_by_key(connection, key).submitted_count == len(outcomes)
    return planted


def _plant_image(connection: Connection, batch_id: int, key: str, position: int) -> int:
    sha256 = hashlib.sha256(f"{key} {position}".encode()).hexdigest()
    image_id = connection.execute(
        insert(images)
        .values(
            sha256=sha256,
            batch_id=batch_id,
            format="jpeg",
            size_bytes=1000 + position,
            picture_size_bytes=500,
            width_px=400,
            height_px=300,
            original_key=f"landing/{key}/{position:06d}.jpg",
            picture_key=f"images/{sha256}.jpg",
            thumbnail_key=f"thumbnails/{sha256}.jpg",
            quality_score=0.8,
            taken_at=NOON,
        )
        .returning(images.c.id)
    ).scalar_one()
    assert isinstance(image_id, int)
    return image_id


def count_rows(connection: Connection, table: str) -> int:
    rows = connection.execute(text(f"select count(*) from {table}")).scalar_one()
    assert isinstance(rows, int)
    return rows
