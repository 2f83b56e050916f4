import random
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Connection, insert, select, text, update

from deep_images_hub.catalogue.embeddings import Embedding, add_embeddings, features_of, pending_images
from deep_images_hub.catalogue.images import exact_copies, gallery, image_by_sha256, labels_of, most_alike, verdicts_of
from deep_images_hub.catalogue.labels import add_label, label_by_code
from deep_images_hub.catalogue.tables import image_labels, images, submissions
from deep_images_hub.errors import NotFoundError
from tests.integration.catalogue.planting import plant_batch, plant_labels, plant_place


@pytest.fixture(autouse=True)
def _labels(connection: Connection) -> None:
    plant_labels(connection)


def ids_of(connection: Connection, code: str | None, **given: object) -> list[int]:
    label_id = None if code is None else label_by_code(connection, code).id
    return [picture.image_id for picture in gallery(connection, label_id=label_id, **given)]  # type: ignore[arg-type]


def sha256_of(connection: Connection, image_id: int) -> str:
    return str(connection.scalar(select(images.c.sha256).where(images.c.id == image_id)))


def relabel(connection: Connection, image_id: int, code: str) -> None:
    connection.execute(update(image_labels).where(image_labels.c.image_id == image_id).values(is_current=False))
    connection.execute(
        insert(image_labels).values(
            image_id=image_id, label_id=label_by_code(connection, code).id, said_by="operator", confidence=1
        )
    )


def test_gallery_of_a_label_by_pages_shows_each_picture_once_newest_first(connection: Connection) -> None:
    apples = plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 3)
    fruits = plant_batch(connection, "b2", "fruit", outcomes=["accepted"])
    more_apples = plant_batch(connection, "b3", "apple", outcomes=["accepted"] * 2)
    plant_batch(connection, "b4", "car", outcomes=["accepted", "blurry"])

    newest_first = sorted([*apples, *fruits, *more_apples], reverse=True)
    page = ids_of(connection, "food", limit=4)
    assert page == newest_first[:4]
    assert ids_of(connection, "food", limit=4, after_image_id=page[-1]) == newest_first[4:]
    assert ids_of(connection, "fruit", with_descendants=False) == fruits
    assert ids_of(connection, "snack", with_descendants=False) == []
    assert len(ids_of(connection, None)) == 7
    assert ids_of(connection, None, after_image_id=newest_first[-2]) == newest_first[-1:]


def test_gallery_after_a_picture_got_another_label_shows_it_there_alone(connection: Connection) -> None:
    image_id, other = plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 2)

    relabel(connection, image_id, "car")

    assert ids_of(connection, "food") == [other]
    assert ids_of(connection, "car") == [image_id]
    assert [(said.label_code, said.said_by, said.is_current) for said in labels_of(connection, image_id=image_id)] == [
        ("car", "operator", True),
        ("apple", "supplier", False),
    ]


def test_image_by_sha256_tells_where_it_came_from_and_what_was_found(connection: Connection) -> None:
    place_id = plant_place(connection, "Hell's Kitchen")
    (image_id,) = plant_batch(connection, "b1", "hells-kitchen", place_id=place_id, licence="by-sa")

    image = image_by_sha256(connection, sha256_of(connection, image_id))

    assert (image.image_id, image.label_name, image.batch_key, image.city) == (image_id, "Hell's Kitchen", "b1", "Hell's Kitchen")
    assert (image.supplier_name, image.licence, image.attribution) == ("Ada", "by-sa", "Photo by Ada")
    assert [(of.check_name, of.outcome, of.detail) for of in verdicts_of(connection, image_id=image_id)] == [
        ("decode", "pass", "accepted: what was found")
    ]
    with pytest.raises(NotFoundError, match="'nothing'"):
        image_by_sha256(connection, "nothing")


def test_exact_copies_of_a_picture_name_the_batch_and_leave_its_verdicts_alone(connection: Connection) -> None:
    (image_id,) = plant_batch(connection, "b1")
    plant_batch(connection, "b2", outcomes=["exact_duplicates"])
    copy = text("update submissions set image_id = :id from batches where batches.id = batch_id and key = 'b2'")
    connection.execute(copy, {"id": image_id})

    assert [(of.batch_key, of.position) for of in exact_copies(connection, image_id=image_id)] == [("b2", 0)]
    assert len(verdicts_of(connection, image_id=image_id)) == 1


def test_embeddings_written_again_stay_and_pending_images_are_the_rest(connection: Connection) -> None:
    planted = plant_batch(connection, "b1", outcomes=["accepted"] * 4)
    features = np.array([0.1, -2.5, 65504.0], np.float32)

    assert add_embeddings(connection, model="m", rows=[Embedding(planted[2], features), Embedding(planted[0], features * 0)]) == 2
    assert add_embeddings(connection, model="m", rows=[Embedding(planted[2], features * 0), Embedding(planted[1], features)]) == 1

    assert [of.image_id for of in pending_images(connection, model="m", limit=10)] == [planted[3]]
    assert [of.image_id for of in pending_images(connection, model="other", limit=2, after_id=planted[0])] == planted[1:3]
    kept = connection.scalar(text("select features::text from embeddings where image_id = :id"), {"id": planted[2]})
    assert np.array_equal(np.array(kept[1:-1].split(","), np.float16), features.astype(np.float16))


def test_most_alike_of_a_label_come_by_the_network_that_saw_the_picture_last(connection: Connection) -> None:
    apples = plant_batch(connection, "b1", "apple", outcomes=["accepted"] * 5)
    (car,) = plant_batch(connection, "b2", "car", outcomes=["accepted"])
    asked, opposite, near, nearest, unseen = apples
    angles = {asked: 0.0, opposite: 3.0, near: 0.5, nearest: 0.1, car: 0.0}
    # Lengths do not count.
    features = {of: np.array([np.cos(angle), np.sin(angle)]) * (1 + of) for of, angle in angles.items()}
    add_embeddings(connection, model="m", rows=[Embedding(of, seen) for of, seen in features.items()])
    other = {asked: [1, 0, 0], unseen: [1, 0, 0]}
    add_embeddings(connection, model="older", rows=[Embedding(of, np.array(seen)) for of, seen in other.items()])
    connection.execute(text("update embeddings set created_at = created_at - interval '1 day' where model = 'older'"))
    label_id = label_by_code(connection, "apple").id

    def alike(image_id: int, newest: int = 9, limit: int = 9) -> list[int]:
        given = {"label_id": label_id, "newest": newest, "limit": limit}
        return [picture.image_id for picture in most_alike(connection, image_id=image_id, **given)]

    assert alike(asked) == [nearest, near, opposite]
    assert alike(asked, limit=1) == [nearest]
    # Of the two newest one was never seen by that network.
    assert alike(asked, newest=2) == [nearest]
    assert alike(unseen) == [asked]
    relabel(connection, nearest, "car")
    assert alike(asked) == [near, opposite]
    connection.execute(text("delete from embeddings where image_id = :id"), {"id": asked})
    assert alike(asked) == []


def test_features_of_a_version_without_embeddings_are_empty(connection: Connection) -> None:
    image_ids, features = features_of(connection, model="m", version_id=1)

    assert image_ids.shape == (0,)
    assert features.shape[0] == 0


def test_submission_that_is_accepted_needs_a_picture_and_times_are_in_utc(connection: Connection) -> None:
    plant_batch(connection, "b1")
    row = connection.execute(select(submissions.c.taken_at)).one()

    assert row.taken_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert row.taken_at.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("limit", [1, 3, 7, 30])
def test_gallery_of_many_labels_by_pages_is_what_sorting_all_their_pictures_gives(connection: Connection, limit: int) -> None:
    order = random.Random(limit)
    codes = [f"kind {number}" for number in range(8)]
    for code in codes:
        add_label(connection, code=code, name=code, parent_code="snack")
    # Runs of one label, as batches leave them, and one label that is all old and one that is all new.
    drawn = [codes[0]] * 2 + [order.choice(codes[1:-1]) for _ in range(14)] + [codes[-1]] * 2
    planted = [
        image_id
        for number, code in enumerate(drawn)
        for image_id in plant_batch(connection, f"b{number}", code, outcomes=["accepted"] * order.randint(1, 4))
    ]

    seen: list[int] = []
    while page := ids_of(connection, "food", limit=limit, after_image_id=seen[-1] if seen else None):
        assert len(page) <= limit
        seen += page

    assert seen == sorted(planted, reverse=True)
