import json
import threading

import pytest
from sqlalchemy import Connection, text

from deep_images_hub.catalogue.batches import (
    batch_by_key,
    batch_funnel,
    create_batch,
    latest_batches,
    latest_batches_geojson,
    pending_batches,
    submissions_of,
)
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.users import create_user, ensure_supplier, user_by_email, user_by_id
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from tests.integration.catalogue.planting import count_rows, manifest_of, plant_batch, plant_labels, plant_place


@pytest.fixture(autouse=True)
def _labels(connection: Connection) -> None:
    plant_labels(connection)


def test_create_batch_again_changes_nothing(connection: Connection) -> None:
    manifest = manifest_of("b1", objects=3)

    first = create_batch(connection, manifest=manifest)

    assert create_batch(connection, manifest=manifest) == first
    assert (count_rows(connection, "batches"), count_rows(connection, "submissions")) == (1, 3)
    sent = submissions_of(connection, batch_key="b1")
    assert [(of.position, of.filename, of.status) for of in sent] == [
        (0, "o'0.jpg", "pending"),
        (1, "o'1.jpg", "pending"),
        (2, "o'2.jpg", "pending"),
    ]
    assert sent[0].taken_at == manifest.objects[0].taken_at


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"objects": 2}, "submitted_count"),
        ({"licence": "cc0"}, "licence"),
        ({"attribution": None}, "attribution"),
        ({"label_code": "pear"}, "label_id"),
        ({"supplier": "bo", "attribution": "Photo by Ada"}, "supplier_id"),
        ({"hours": 1}, "submitted_at"),
    ],
)
def test_create_batch_with_another_content_is_refused(connection: Connection, given: dict, what: str) -> None:
    create_batch(connection, manifest=manifest_of("b1"))

    with pytest.raises(ConflictError, match=f"'b1': it differs in {what}"):
        create_batch(connection, manifest=manifest_of("b1", **given))


def test_create_batch_with_another_file_name_is_refused(connection: Connection) -> None:
    manifest = manifest_of("b1")
    create_batch(connection, manifest=manifest)
    renamed = manifest.objects[0].model_copy(update={"filename": "other.jpg"})

    with pytest.raises(ConflictError, match="differs in objects"):
        create_batch(connection, manifest=manifest.model_copy(update={"objects": (renamed,)}))


def test_create_batch_with_an_object_of_another_batch_is_refused(connection: Connection) -> None:
    manifest = manifest_of("b1")
    create_batch(connection, manifest=manifest)

    with pytest.raises(ConflictError, match=r"'landing/b1/000000.jpg' belongs to the batch 'b1'"):
        create_batch(connection, manifest=manifest.model_copy(update={"batch_key": "b2"}))


def test_create_batch_of_an_unknown_label_is_refused(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="'nowhere'"):
        create_batch(connection, manifest=manifest_of("b1", "nowhere"))


def test_create_batch_by_several_at_once_makes_one(hub) -> None:
    with hub.engine.begin() as connection:
        plant_labels(connection)
    made: list[int] = []

    def send() -> None:
        with hub.engine.begin() as connection:
            made.append(create_batch(connection, manifest=manifest_of("b1", objects=50)))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with hub.engine.begin() as connection:
        assert count_rows(connection, "submissions") == 50
    assert len(made) == 4
    assert len(set(made)) == 1


def test_pending_batches_by_pages_leave_out_closed_ones(connection: Connection) -> None:
    for number in range(3):
        create_batch(connection, manifest=manifest_of(f"b{number}"))
    plant_batch(connection, "closed")

    first = pending_batches(connection, limit=2)
    rest = pending_batches(connection, limit=2, after_id=first[-1].id)

    assert [batch.key for batch in (*first, *rest)] == ["b0", "b1", "b2"]


def test_funnel_in_all_and_per_batch_adds_up(connection: Connection) -> None:
    plant_batch(connection, "b1", outcomes=["accepted", "accepted", "blurry", "truncated", "truncated", "review:dark"])
    plant_batch(connection, "b2", outcomes=["blurry"])
    create_batch(connection, manifest=manifest_of("b3", objects=4))

    one, everything = batch_funnel(connection, batch_key="b1"), batch_funnel(connection)

    assert (one.submitted, one.pending, one.accepted) == (6, 0, 2)
    assert (one.rejected, one.review) == ({"blurry": 1, "truncated": 2}, {"dark": 1})
    assert (everything.submitted, everything.pending, everything.accepted) == (11, 4, 2)
    assert (everything.rejected, everything.review) == ({"blurry": 2, "truncated": 2}, {"dark": 1})
    assert batch_funnel(connection, batch_key="b3").pending == 4


def test_funnel_of_an_empty_hub_is_zero(connection: Connection) -> None:
    funnel = batch_funnel(connection)

    assert (funnel.submitted, funnel.pending, funnel.accepted, funnel.rejected, funnel.review) == (0, 0, 0, {}, {})


def test_latest_batches_of_a_city_are_the_100_newest_with_their_place(connection: Connection) -> None:
    east = plant_place(connection, "Hell's Kitchen", longitude=-73.99, latitude=40.76, postcode="10019")
    west = plant_place(connection, "Hell's Kitchen", longitude=-74.0, latitude=40.77, postcode="10036")
    berlin = plant_place(connection, "Berlin")
    for number in range(104):
        plant_batch(connection, f"k{number:03d}", hours=number, place_id=east if number % 2 else west)
    plant_batch(connection, "b", hours=500, place_id=berlin)
    plant_batch(connection, "nowhere", hours=600)

    found = latest_batches(connection, city="HELL's kitchen")

    assert [batch.key for batch in found] == [f"k{number:03d}" for number in range(103, 3, -1)]
    assert found[0].place is not None
    assert (found[0].place.city, found[0].place.postcode, found[0].place.longitude) == ("Hell's Kitchen", "10019", -73.99)
    rest = latest_batches(connection, city="Hell's Kitchen", before=found[-1].cursor)
    assert [batch.key for batch in rest] == ["k003", "k002", "k001", "k000"]
    assert latest_batches(connection, city="Hell's Kitchen' or ''='") == []


def test_latest_batches_of_everywhere_hold_those_without_a_place(connection: Connection) -> None:
    plant_batch(connection, "here", hours=1, place_id=plant_place(connection, "Berlin"))
    plant_batch(connection, "nowhere", hours=2)
    # Sent in the same second: the cursor must still tell them apart.
    plant_batch(connection, "twin", hours=2)

    keys, before = [], None
    while page := latest_batches(connection, before=before, limit=1):
        keys.append(page[0].key)
        before = page[-1].cursor

    assert keys == ["twin", "nowhere", "here"]
    assert batch_by_key(connection, "nowhere").place is None


def test_geojson_of_a_city_is_a_feature_collection_with_longitude_first(connection: Connection) -> None:
    place = plant_place(connection, "Hell's Kitchen", longitude=-73.99, latitude=40.76, postcode="10019")
    plant_batch(connection, "b1", "hells-kitchen", hours=1, place_id=place)
    plant_batch(connection, "b2", hours=2, place_id=place)
    plant_batch(connection, "nowhere", hours=3)

    ids = {key: batch_by_key(connection, key).id for key in ("b1", "b2")}

    found = json.loads(json.dumps(latest_batches_geojson(connection, city="hell's kitchen")))

    assert list(found) == ["type", "features"]
    assert found["type"] == "FeatureCollection"
    assert [feature["id"] for feature in found["features"]] == [ids["b2"], ids["b1"]]
    assert found["features"][1] == {
        "type": "Feature",
        "id": ids["b1"],
        "geometry": {"type": "Point", "coordinates": [-73.99, 40.76]},
        "properties": {
            "label_code": "hells-kitchen",
            "label_name": "Hell's Kitchen",
            "licence": "by",
            "status": "closed",
            "submitted": 1,
            "accepted": 1,
            "submitted_at": "2026-03-01T13:00:00Z",
            "country_code": "DE",
            "region": None,
            "city": "Hell's Kitchen",
            "postcode": "10019",
        },
    }
    assert [feature["id"] for feature in latest_batches_geojson(connection, limit=1)["features"]] == [ids["b2"]]


def test_geojson_of_a_city_without_batches_is_an_empty_collection(connection: Connection) -> None:
    assert latest_batches_geojson(connection, city="Atlantis") == {"type": "FeatureCollection", "features": []}


def test_batch_by_key_that_does_not_exist_is_named(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="'b9'"):
        batch_by_key(connection, "b9")


def test_why_rejected_shows_what_failed_first(connection: Connection) -> None:
    plant_batch(connection, "b1", outcomes=["blurry", "accepted"])

    rows = connection.execute(load_query("why_rejected"), {"object_key": "landing/b1/000000.jpg"}).all()

    assert [(row.status, row.reason, row.check_name, row.outcome) for row in rows] == [("rejected", "blurry", "blurry", "fail")]
    assert rows[0].score == pytest.approx(0.05)
    assert rows[0].original_sha256 is None


def test_watchers_of_a_label_include_those_of_labels_above(connection: Connection) -> None:
    watches = [("ada", "food"), ("bo", "apple"), ("cy", "pear"), ("o'neil", "wheel")]
    for name, code in watches:
        connection.execute(
            text(
                "insert into watches (user_id, label_id, created_at)"
                " select :user_id, id, '2026-01-01Z' from labels where code = :code"
            ),
            {"user_id": ensure_supplier(connection, email=f"{name}@example.org", display_name=name), "code": code},
        )
    plant_batch(connection, "b1", "pear", outcomes=["accepted"] * 2)

    of_apple = connection.execute(load_query("watchers"), {"label_code": "apple"}).all()
    of_all = connection.execute(load_query("watchers"), {"label_code": None}).all()

    assert [(row.user_name, row.label_code, row.subtree_images) for row in of_apple] == [("bo", "apple", 0), ("ada", "food", 2)]
    assert [row.user_name for row in of_all] == ["bo", "ada", "cy", "o'neil"]


def test_users_are_found_whatever_the_case_of_their_address(connection: Connection) -> None:
    made = create_user(
        connection, email=" Ada@Example.org", display_name=" Ada  L. ", role="premium", password="wombat otter lemon"
    )

    assert (made.email, made.display_name, made.role, made.is_active) == ("ada@example.org", "Ada L.", "premium", True)
    assert user_by_email(connection, "ADA@example.ORG") == made == user_by_id(connection, made.id)
    assert made.password_hash is not None
    assert "password" not in made.password_hash
    assert made.password_hash not in repr(made)
    assert user_by_email(connection, "x' or '1'='1") is None
    assert ensure_supplier(connection, email="ADA@example.org", display_name="Somebody") == made.id
    assert user_by_id(connection, made.id) == made


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"role": "king"}, InvalidInputError, "'king' is no role"),
        ({"email": "nobody"}, InvalidInputError, "no e-mail address"),
        ({"password": "short"}, InvalidInputError, "at least 15"),
        ({"display_name": "  "}, InvalidInputError, "cannot be shown"),
        ({"email": "TAKEN@example.org"}, ConflictError, "has an account already"),
    ],
)
def test_create_user_that_cannot_be_says_why(connection: Connection, given: dict, error: type[Exception], message: str) -> None:
    ensure_supplier(connection, email="taken@example.org", display_name="Taken")
    values = {"email": "new@example.org", "display_name": "New", "role": "supplier", **given}

    with pytest.raises(error, match=message):
        create_user(connection, **values)
