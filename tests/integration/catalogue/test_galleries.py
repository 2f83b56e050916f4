"""Galleries against what looking at every picture gives: every order, filter and way of reading, page by page."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import Connection, Engine, select, text, update

from deep_images_hub.catalogue import galleries
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from deep_images_hub.catalogue.facets import FACETS, FacetValue, FoundPlaces, bounds, facets
from deep_images_hub.catalogue.galleries import count_fitting, gallery_page, open_gallery
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.labels import add_label, label_by_code, labels_under
from deep_images_hub.catalogue.reviews import accept, put_into_review, take_back
from deep_images_hub.catalogue.tables import decision_changes, images, submissions
from deep_images_hub.catalogue.users import create_user
from deep_images_hub.images.gallery_places import place_at
from deep_images_hub.images.picture_filter import SORTS, PictureFilter
from tests.integration.catalogue.planting import plant_batch, plant_labels, plant_place

LABELS = ("apple", "pear", "hells-kitchen", "car")


@pytest.fixture(scope="module")
def filled(shared_engine: Engine) -> Iterator[Connection]:
    with shared_engine.connect() as connection:
        plant(connection)
        yield connection
        connection.rollback()


@pytest.fixture
def planted(filled: Connection) -> Iterator[Connection]:
    with filled.begin_nested() as until_then:
        yield filled
        until_then.rollback()


def plant(connection: Connection) -> None:
    """Plant 120 pictures of several labels, places, licences and suppliers, alike in some of what galleries go by."""
    order = random.Random(4)
    plant_labels(connection)
    places = [
        None,
        plant_place(connection, "Berlin"),
        plant_place(connection, "Berlin", postcode="10115"),
        plant_place(connection, "Ulm"),
    ]
    for number in range(20):
        plant_batch(
            connection,
            f"b{number}",
            order.choice(LABELS),
            outcomes=["accepted"] * 6,
            place_id=order.choice(places),
            licence=order.choice(["by", "cc0", "by-nc"]),
            supplier=order.choice(["ada", "ben"]),
        )
    # Rows are shown as they are when they get their label: give the pictures their traits, and the labels anew.
    for image_id in connection.execute(select(images.c.id)).scalars().all():
        connection.execute(
            update(images)
            .where(images.c.id == image_id)
            .values(
                quality_score=order.choice([0.05, 0.3, 0.7, 0.7, 0.95, 1]),
                width_px=order.choice([200, 256, 600]),
                taken_at=order.choice([None, datetime(2025, order.randint(1, 12), 28, tzinfo=UTC)]),
                created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=order.randint(0, 60)),
            )
        )
    for is_current in (False, True):
        connection.execute(text("update image_labels set is_current = :is_current"), {"is_current": is_current})


EVERYTHING = """
    select
        images.id, image_labels.label_id, batches.place_id, places.country_code, places.city, batches.licence,
        batches.supplier_id, images.quality_score, least(images.width_px, images.height_px) as side, images.taken_at,
        images.created_at
    from images
    join image_labels on image_labels.image_id = images.id and image_labels.is_current
    join batches on batches.id = images.batch_id
    left join places on places.id = batches.place_id
"""


def fits(row, wanted: PictureFilter) -> bool:
    time = row.taken_at if wanted.time == "taken" else row.created_at
    has_days = wanted.since is not None or wanted.until is not None
    return (
        wanted.country in (None, row.country_code)
        and (wanted.city is None or (row.city or "").lower() == wanted.city.lower())
        and (not wanted.licences or row.licence in wanted.licences)
        and (wanted.min_quality or 0) <= row.quality_score <= (1 if wanted.max_quality is None else wanted.max_quality)
        and (wanted.min_side_px or 0) <= row.side <= (wanted.max_side_px or 10**6)
        and wanted.supplier_id in (None, row.supplier_id)
        and (not has_days or (time is not None and (wanted.since or date.min) <= time.date() <= (wanted.until or date.max)))
        and wanted.is_reviewed is not True
    )


def in_order(rows, sort: str) -> list[int]:
    key = {"quality": lambda row: row.quality_score, "size": lambda row: row.side}.get(sort, lambda row: row.created_at)
    return [row.id for row in sorted(rows, key=lambda row: (key(row), row.id), reverse=sort != "oldest")]


def read_all(connection: Connection, label_id: int | None, wanted: PictureFilter, limit: int) -> list[int]:
    gallery = open_gallery(connection, label_id=label_id, wanted=wanted)
    seen, after = [], None
    for _ in range(400):
        page = gallery_page(connection, gallery, after=after, limit=limit)
        assert len(page.pictures) <= limit
        seen += [picture.image_id for picture in page.pictures]
        after = page.after
        if after is None:
            return seen
        assert page.is_cut_short == (len(page.pictures) < limit)
    raise AssertionError("the gallery does not end")


FILTERS = [
    PictureFilter(),
    PictureFilter(own_only=True),
    PictureFilter(country="DE"),
    PictureFilter(city="BERLIN"),
    PictureFilter(country="FR"),
    PictureFilter(licences=("by", "cc0"), min_quality=0.7),
    PictureFilter(max_quality=0.7),
    PictureFilter(min_side_px=256, max_side_px=256),
    PictureFilter(since=date(2026, 1, 10), until=date(2026, 2, 9)),
    PictureFilter(time="taken", since=date(2025, 6, 1)),
    PictureFilter(is_reviewed=True),
    PictureFilter(is_reviewed=False, licences=("by-nc",), city="Ulm"),
]


@pytest.mark.parametrize(("max_fetched", "max_walked"), [(1000, 0), (0, 1000), (0, 50)], ids=["fetched", "walked", "in parts"])
def test_gallery_by_pages_is_what_sorting_all_fitting_pictures_gives(
    planted: Connection, monkeypatch: pytest.MonkeyPatch, max_fetched: int, max_walked: int
) -> None:
    monkeypatch.setattr(galleries, "MAX_FETCHED", max_fetched)
    monkeypatch.setattr(galleries, "MANY_LABELS", 0)
    monkeypatch.setattr(galleries, "MAX_WALKED", max_walked)
    everything = planted.execute(text(EVERYTHING)).all()
    supplier_id = everything[0].supplier_id
    for number, (wanted, sort) in enumerate(product((*FILTERS, PictureFilter(supplier_id=supplier_id)), SORTS)):
        code = (None, "food", "apple")[number % 3]
        label = None if code is None else label_by_code(planted, code)
        labels = {of.id for of in labels_under(planted, label_code=code)} if code else {row.label_id for row in everything}
        wanted = replace(wanted, sort=sort)
        if label and wanted.own_only:
            labels = {label.id}
        expected = in_order([row for row in everything if row.label_id in labels and fits(row, wanted)], sort)
        assert read_all(planted, label.id if label else None, wanted, 20) == expected, (code, wanted)


def test_counts_before_and_under_a_filter_are_those_of_all_pictures(planted: Connection) -> None:
    everything = planted.execute(text(EVERYTHING)).all()
    food = label_by_code(planted, "food")
    under = {of.id for of in labels_under(planted, label_code="food")}
    for label_id, rows in ((None, everything), (food.id, [row for row in everything if row.label_id in under])):
        kept = facets(planted, label_id=label_id, wanted=PictureFilter())
        assert {of.value: of.images for of in kept["licence"]} == Counter(row.licence for row in rows)
        assert {of.value: of.images for of in kept["city"]} == Counter(f"DE {row.city}" for row in rows if row.city)
        assert {of.value: of.images for of in kept["received"]} == Counter(f"{row.created_at:%Y-%m}" for row in rows)
        assert {of.name for of in kept["supplier"]} == {"Ada", "Ben"}
        for wanted in FILTERS:
            gallery = open_gallery(planted, label_id=label_id, wanted=wanted)
            fitting = [row for row in rows if fits(row, wanted)] if not (label_id and wanted.own_only) else []
            counted = count_fitting(planted, gallery)
            assert (counted.least, counted.most) == (len(fitting), len(fitting)), wanted
            assert gallery.most >= len(fitting)
            if counted.by_facet is not None:
                assert counted.by_facet["licence"] == Counter(row.licence for row in fitting)
                steps = Counter(str(int(row.quality_score * 10 + 1e-6) if row.quality_score < 1 else 9) for row in fitting)
                assert counted.by_facet["quality"] == steps


@pytest.mark.parametrize(
    ("wanted", "is_exact"),
    [
        (PictureFilter(max_quality=1), True),
        (PictureFilter(max_quality=0.05), False),
        (PictureFilter(max_side_px=1), False),
        (PictureFilter(min_side_px=0), True),
    ],
)
def test_kept_counts_say_exactly_how_many_fit_only_where_a_filter_ends_where_they_do(
    wanted: PictureFilter, is_exact: bool
) -> None:
    counts = {facet: (FacetValue("0", "0", 7),) for facet in FACETS}
    assert bounds(counts, wanted, FoundPlaces(None)).is_exact == is_exact


def test_as_many_as_can_fit_are_known_without_counting_on(planted: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = open_gallery(planted, label_id=None, wanted=PictureFilter(max_quality=0.75))
    monkeypatch.setattr(galleries, "MAX_COUNTED", gallery.most - 1)
    counted = count_fitting(planted, gallery)
    assert (counted.least, counted.most, counted.by_facet) == (gallery.most, gallery.most, None)
    monkeypatch.setattr(galleries, "MAX_COUNTED", gallery.most - 2)
    counted = count_fitting(planted, gallery)
    assert (counted.least, counted.most) == (gallery.most - 1, gallery.most)


def test_counts_are_kept_as_pictures_go_come_back_and_labels_get_parents(planted: Connection) -> None:
    user = create_user(planted, email="op@example.org", display_name="Op", role="operator")
    submission_ids = planted.execute(select(submissions.c.id).order_by(submissions.c.id).limit(9)).scalars().all()
    gone = [DecisionChange(submission_id, "rejected", "blurry") for submission_id in submission_ids[:5]]
    change_decisions(planted, changes=gone, cause="redecide")
    put_into_review(planted, submission_id=submission_ids[5], user_id=user.id)
    accept(planted, submission_id=submission_ids[5], user_id=user.id)
    change_decisions(planted, changes=[DecisionChange(submission_ids[0], "accepted", None)], cause="redecide")
    assert _kept(planted) == _counted(planted)
    assert _reviewed(planted) == 1
    add_label(planted, code="fuji", name="Fuji", parent_code="apple")
    plant_batch(planted, "fuji", "fuji", outcomes=["accepted"] * 3)
    planted.execute(text("delete from label_edges where child_id = (select id from labels where code = 'pear')"))
    recount(planted)
    assert _kept(planted) == _counted(planted)
    change_id = planted.execute(select(decision_changes.c.id).order_by(decision_changes.c.id.desc()).limit(2)).scalars().all()[1]
    take_back(planted, change_id=change_id, user_id=user.id)
    assert _reviewed(planted) == 0
    assert _kept(planted) == _counted(planted)


def _reviewed(connection: Connection) -> int:
    kept = facets(connection, label_id=None, wanted=PictureFilter())
    return sum(of.images for of in kept["reviewed"] if of.value == "yes")


def _kept(connection: Connection) -> dict[tuple[str, str], int]:
    labels = {row.code: row.id for row in connection.execute(text("select code, id from labels"))}
    return {
        (code, of.value): of.images
        for code, label_id in labels.items()
        for of in facets(connection, label_id=label_id, wanted=PictureFilter())["supplier"]
    }


def _counted(connection: Connection) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        text(
            "select labels.code, cast(batches.supplier_id as text) as supplier, count(*) as images from image_labels"
            " join images on images.id = image_labels.image_id join batches on batches.id = images.batch_id"
            " join label_closure on label_closure.descendant_id = image_labels.label_id"
            " join labels on labels.id = label_closure.ancestor_id where image_labels.is_current group by 1, 2"
        )
    )
    return {(row.code, row.supplier): row.images for row in rows}


def test_gallery_goes_on_where_it_is_entered(planted: Connection) -> None:
    everything = planted.execute(text(EVERYTHING)).all()
    for sort, at, is_inside in (
        ("newest", "2026-01", lambda row: row.created_at.month == 1),
        ("oldest", "2026-02-10", lambda row: row.created_at.date() >= date(2026, 2, 10)),
        ("quality", "0.7", lambda row: row.quality_score <= 0.7),
        ("size", "256", lambda row: row.side <= 256),
    ):
        gallery = open_gallery(planted, label_id=None, wanted=PictureFilter(sort=sort))
        page = gallery_page(planted, gallery, after=place_at(sort, at), limit=500)
        assert [picture.image_id for picture in page.pictures] == in_order(filter(is_inside, everything), sort)
