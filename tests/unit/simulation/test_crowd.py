import csv
import io
from collections import Counter

import pytest

from deep_images_hub.errors import InvalidInputError
from deep_images_hub.places import open_geocoder
from deep_images_hub.settings import Settings
from deep_images_hub.simulation.crowd import MAX_BATCH, PLACES, TRUTH_COLUMNS, Crowd, plan_crowd, truth_csv
from deep_images_hub.simulation.defects import DEFAULT_RATES, NO_DEFECTS
from deep_images_hub.simulation.photo_sources import PhotoList, RenderedPhotos

MANY = {name: rate * 4 for name, rate in DEFAULT_RATES.items()}


def tree(labels: int = 20, photos: int = 33) -> PhotoList:
    return PhotoList(
        "tree/1", {f"L{label:02}": tuple(f"L{label:02}/{n:03}.jpg" for n in range(photos)) for label in range(labels)}, None
    )


def planned(images: int | None = None, seed: int = 0, rates: dict[str, float] | None = None) -> Crowd:
    return plan_crowd(tree(), seed=seed, rates=NO_DEFECTS if rates is None else rates, images=images)


def test_same_arguments_give_the_same_plan_and_others_other_keys() -> None:
    assert planned() == planned()
    names = {planned().name, planned(seed=1).name, planned(images=100).name, planned(rates=MANY).name}
    assert len(names) == 4


def test_every_photograph_is_sent_once_by_small_batches_of_one_label() -> None:
    crowd = planned()
    sent = [photo.photo for batch in crowd.batches for photo in batch.photos]
    assert sorted(sent) == sorted(name for names in tree().photos.values() for name in names)
    assert all(3 <= len(batch.photos) <= MAX_BATCH for batch in crowd.batches)
    assert all(photo.source_label == batch.label_code for batch in crowd.batches for photo in batch.photos)
    batches_per_label = Counter(batch.label_code for batch in crowd.batches)
    assert min(batches_per_label.values()) >= 3


@pytest.mark.parametrize("photos", [1, 2, 3, 4, 12, 13, 14, 15])
def test_few_photographs_make_whole_batches(photos: int) -> None:
    for seed in range(8):
        crowd = plan_crowd(tree(1, photos), seed=seed, rates=NO_DEFECTS)
        sizes = [len(batch.photos) for batch in crowd.batches]
        assert sum(sizes) == photos
        assert min(sizes) >= min(3, photos)
        assert max(sizes) <= MAX_BATCH


def test_batches_go_by_time_from_many_suppliers_some_with_a_place() -> None:
    batches = planned().batches
    assert [batch.key for batch in batches] == sorted(batch.key for batch in batches)
    assert [batch.submitted_at for batch in batches] == sorted(batch.submitted_at for batch in batches)
    assert all(photo.taken_at and photo.taken_at < batch.submitted_at for batch in batches for photo in batch.photos)
    assert len({batch.supplier_email for batch in batches}) > 20
    with_place = sum(batch.place_query is not None for batch in batches) / len(batches)
    assert 0.3 < with_place < 0.9
    assert {batch.licence for batch in batches} == {"cc0", "by", "by-sa"}
    assert all((batch.attribution is None) == (batch.licence == "cc0") for batch in batches)


def test_places_are_known_to_the_offline_gazetteer() -> None:
    geocoder = open_geocoder(Settings())
    assert [place for place in PLACES if geocoder.find(place) is None] == []


def test_fewer_photographs_are_drawn_evenly_from_all_labels() -> None:
    per_label = Counter(photo.source_label for batch in planned(images=90).batches for photo in batch.photos)
    assert sum(per_label.values()) == 90
    assert set(per_label.values()) == {4, 5}


def test_more_photographs_than_there_are_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="660"):
        planned(images=661)


def test_defects_come_at_about_their_rates_and_change_no_numbers() -> None:
    crowd = planned(rates=MANY)
    photos = [photo for batch in crowd.batches for photo in batch.photos]
    assert len(photos) == 660
    found = Counter(photo.defect for photo in photos)
    for defect, rate in MANY.items():
        assert 0.3 * rate < found[defect] / len(photos) < 2 * rate, defect


def test_duplicates_repeat_an_honest_photograph_that_was_sent_before() -> None:
    crowd = planned(rates=MANY)
    order = {batch.key: number for number, batch in enumerate(crowd.batches)}
    sent = {(batch.key, position): photo for batch in crowd.batches for position, photo in enumerate(batch.photos)}
    duplicates = {place: photo for place, photo in sent.items() if photo.defect in ("exact_duplicate", "near_duplicate")}
    assert duplicates
    for (key, position), photo in duplicates.items():
        assert photo.origin
        origin = sent[photo.origin]
        assert (origin.photo, origin.defect) == (photo.photo, None)
        assert (order[photo.origin[0]], photo.origin[1]) < (order[key], position)
    assert {key == photo.origin[0] for (key, _), photo in duplicates.items() if photo.origin} == {True, False}


def test_wrong_labels_are_photographs_that_changed_places() -> None:
    crowd = planned(rates={"wrong_label": 0.1})
    sent = [(batch.label_code, photo) for batch in crowd.batches for photo in batch.photos]
    wrong = [(label, photo) for label, photo in sent if photo.defect == "wrong_label"]
    assert len(wrong) > 30
    assert all(label != photo.source_label for label, photo in wrong)
    assert all(label == photo.source_label for label, photo in sent if photo.defect is None)
    assert len({photo.photo for _, photo in sent}) == 660


def test_truth_names_every_defect_and_nothing_else() -> None:
    crowd = plan_crowd(RenderedPhotos(0).list(240), seed=0, rates=MANY)
    rows = list(csv.DictReader(io.StringIO(truth_csv(crowd.batches).decode())))
    assert tuple(rows[0]) == TRUTH_COLUMNS
    places = {(row["batch_key"], int(row["position"])): row["defect"] for row in rows}
    assert places == {
        (batch.key, position): photo.defect
        for batch in crowd.batches
        for position, photo in enumerate(batch.photos)
        if photo.defect
    }
    assert all((row["expected_status"] == "rejected") == bool(row["expected_reason"]) for row in rows)
