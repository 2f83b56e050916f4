"""Near-duplicates in the catalogue: found through the index, grouped, told to the ledger; in any order, and at the same time."""

import io
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from threading import Event, Thread

import pytest
from PIL import Image, ImageEnhance
from sqlalchemy import Connection, insert, select, text

from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from deep_images_hub.catalogue.fingerprint import fingerprint
from deep_images_hub.catalogue.images import near_copies
from deep_images_hub.catalogue.near_duplicates import compare_accepted, find_likenesses
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import descriptors, submissions
from deep_images_hub.datasets.freeze import compose
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.images.descriptor import GRID_BYTES, Descriptor, describe
from deep_images_hub.images.difference_hash import BAND_BITS, HASH_BITS, hamming_distance
from deep_images_hub.images.near_duplicates import MAX_HASH_BITS
from deep_images_hub.simulation.scenes import render
from tests.integration.catalogue.planting import plant_batch, plant_labels

# Who looks like whom: a copy has its original's letter. `a2` is a darker crop of `a0`.
LETTERS = {"a": ("Apple", 1), "b": ("Striped mug", 2), "c": ("Banana", 3)}


@cache
def look(name: str) -> Descriptor:
    label, index = LETTERS[name[0]]
    picture = Image.open(io.BytesIO(render(3, label, index))).convert("RGB")
    step = int(name[1:])
    cut = round(0.01 * step * picture.width)
    cropped = picture.crop((cut, cut, picture.width - cut, picture.height - cut))
    return describe(ImageEnhance.Brightness(cropped).enhance(1 - 0.05 * step))


def plant_looks(connection: Connection, key: str, looks: Sequence[str]) -> list[int]:
    """Send a batch whose pictures look like this, compare it, and return its submissions' ids."""
    image_ids = plant_batch(connection, key, outcomes=["accepted"] * len(looks))
    for image_id, name in zip(image_ids, looks, strict=True):
        connection.execute(insert(descriptors).values(image_id=image_id, **vars(look(name))))
    sent = select(submissions.c.id).where(submissions.c.image_id.in_(image_ids))
    submission_ids = list(connection.execute(sent.order_by(submissions.c.position)).scalars())
    compare_accepted(connection, submission_ids=submission_ids)
    return submission_ids


def verdicts(connection: Connection) -> dict[tuple[str, int], tuple[str, str | None]]:
    rows = connection.execute(
        text(
            "select batches.key, submissions.position, verdicts.outcome, verdicts.detail, verdicts.score, verdicts.threshold"
            " from verdicts join submissions on submissions.id = verdicts.submission_id"
            " join batches on batches.id = submissions.batch_id where verdicts.check_name = 'near_duplicates'"
        )
    ).all()
    assert all((row.score < row.threshold) == (row.outcome == "flag") for row in rows)
    return {(row.key, row.position): (row.outcome, row.detail) for row in rows}


def groups(connection: Connection) -> set[frozenset[tuple[str, int]]]:
    rows = connection.execute(
        text(
            "select duplicate_groups.group_id, batches.key, submissions.position from duplicate_groups"
            " join submissions on submissions.image_id = duplicate_groups.image_id"
            " join batches on batches.id = submissions.batch_id"
        )
    ).all()
    members: defaultdict[int, set[tuple[str, int]]] = defaultdict(set)
    for row in rows:
        members[row.group_id].add((row.key, row.position))
    return {frozenset(of) for of in members.values()}


def test_copies_within_a_batch_and_of_earlier_batches_are_flagged_and_grouped(connection: Connection) -> None:
    plant_labels(connection)
    plant_looks(connection, "b1", ["a0", "b0", "a1"])
    plant_looks(connection, "b2", ["c0", "a2", "b2"])

    assert verdicts(connection) == {
        ("b1", 0): ("pass", None),
        ("b1", 1): ("pass", None),
        ("b1", 2): ("flag", "nearly the same as number 0 of batch b1"),
        ("b2", 0): ("pass", None),
        # The darker crop is nearer to the one that was cropped and darkened already.
        ("b2", 1): ("flag", "nearly the same as number 2 of batch b1"),
        ("b2", 2): ("flag", "nearly the same as number 1 of batch b1"),
    }
    assert groups(connection) == {frozenset({("b1", 0), ("b1", 2), ("b2", 1)}), frozenset({("b1", 1), ("b2", 2)})}


def test_page_of_a_picture_shows_its_near_duplicates_nearest_first(connection: Connection) -> None:
    plant_labels(connection)
    plant_looks(connection, "b1", ["a0", "a1", "b0"])
    plant_looks(connection, "b2", ["a3"])
    ids = dict(
        connection.execute(
            text("select batches.key || position, image_id from submissions join batches on batches.id = batch_id")
        ).all()
    )

    found = near_copies(connection, image_id=ids["b10"])

    assert [copy.image_id for copy in found] == [ids["b11"], ids["b20"]]
    assert 0 <= found[0].score <= found[1].score < 0.02
    assert near_copies(connection, image_id=ids["b10"], limit=1) == found[:1]
    assert near_copies(connection, image_id=ids["b12"]) == []


def test_comparing_again_changes_nothing(connection: Connection) -> None:
    plant_labels(connection)
    submission_ids = plant_looks(connection, "b1", ["a0", "a1", "b0"])
    before = fingerprint(connection)

    assert compare_accepted(connection, submission_ids=submission_ids) == 1

    assert fingerprint(connection) == before


def test_groups_are_the_same_in_whatever_order_batches_come(hub_of: Callable) -> None:
    looks = {"b1": ["a0", "b0"], "b2": ["a1", "c0"], "b3": ["b1", "a2"], "b4": ["c1"]}
    found = []
    for order in (list(looks), list(looks)[::-1], ["b3", "b1", "b4", "b2"]):
        with hub_of() as hub, hub.engine.begin() as connection:
            plant_labels(connection)
            for key in order:
                plant_looks(connection, key, looks[key])
            found.append((groups(connection), fingerprint(connection)["duplicate_groups"]))
    assert len(found[0][0]) == 3
    assert found[0] == found[1] == found[2]


def test_two_groups_that_a_new_picture_joins_become_one_under_the_oldest_name(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No real photograph is the same as two that are unlike, so who is alike is said here: neighbours on a line are.
    score = "deep_images_hub.catalogue.near_duplicates.near_duplicate_scores"
    monkeypatch.setattr(score, lambda ones, others: abs(ones[:, 0, 0].astype(float) - others[:, 0, 0]) / 100)
    plant_labels(connection)
    places = {"b1": 10, "b2": 12, "b3": 11, "b4": 20, "b5": 21}
    ids = {}
    for key in ("b4", "b1", "b5", "b2", "b3"):
        (ids[key],) = plant_batch(connection, key)
        grid = bytes([places[key]]) * GRID_BYTES
        connection.execute(insert(descriptors).values(image_id=ids[key], whole_hash=7, inner_hash=7, grid=grid))
        submission_id = connection.scalar(select(submissions.c.id).where(submissions.c.image_id == ids[key]))
        compare_accepted(connection, submission_ids=[submission_id])
        if key == "b2":
            assert groups(connection) == {frozenset({("b4", 0), ("b5", 0)})}
    assert groups(connection) == {frozenset({("b4", 0), ("b5", 0)}), frozenset({("b1", 0), ("b2", 0), ("b3", 0)})}

    # Near to all, and younger.
    monkeypatch.setattr(score, lambda ones, others: ones[:, 0, 0] * 0.0)
    (last,) = plant_batch(connection, "b6")
    connection.execute(insert(descriptors).values(image_id=last, whole_hash=7, inner_hash=7, grid=bytes(GRID_BYTES)))
    submission_id = connection.scalar(select(submissions.c.id).where(submissions.c.image_id == last))
    compare_accepted(connection, submission_ids=[submission_id])

    assert len(groups(connection)) == 1
    assert set(connection.execute(text("select group_id from duplicate_groups")).scalars()) == {ids["b4"]}
    assert connection.scalar(text("select count(*) from duplicate_groups")) == 6


def test_pictures_without_a_label_take_no_part_until_they_are_let_in(connection: Connection) -> None:
    plant_labels(connection)
    (first,) = plant_looks(connection, "b1", ["a0"])
    change_decisions(connection, changes=[DecisionChange(first, "rejected", "blurry")], cause="operator")
    plant_looks(connection, "b2", ["a1"])
    assert verdicts(connection) == {("b1", 0): ("pass", None), ("b2", 0): ("pass", None)}
    assert groups(connection) == set()

    change_decisions(connection, changes=[DecisionChange(first, "accepted", None)], cause="operator")

    assert groups(connection) == {frozenset({("b1", 0), ("b2", 0)})}


def test_merges_at_the_same_time_see_one_another(hub_of: Callable) -> None:
    with hub_of() as hub:
        with hub.engine.begin() as connection:
            plant_labels(connection)
        has_finished = Event()

        def other() -> None:
            with hub.engine.begin() as connection:
                plant_looks(connection, "b2", ["a1"])
            has_finished.set()

        look("a0"), look("a1")
        with hub.engine.begin() as connection:
            plant_looks(connection, "b1", ["a0"])
            thread = Thread(target=other)
            thread.start()
            assert not has_finished.wait(0.5), "the second one compared before the first one was there to be seen"
        thread.join(timeout=30)
        with hub.engine.begin() as connection:
            assert verdicts(connection)["b2", 0] == ("flag", "nearly the same as number 0 of batch b1")
            assert len(groups(connection)) == 1


def is_candidate(one: tuple[int, int], other: tuple[int, int]) -> bool:
    mask = (1 << BAND_BITS) - 1
    return any(
        hamming_distance(a, b) <= MAX_HASH_BITS
        and any(hamming_distance(a >> shift & mask, b >> shift & mask) <= 1 for shift in range(0, HASH_BITS, BAND_BITS))
        for a, b in ((one[0], other[0]), (one[1], other[0]), (one[0], other[1]))
    )


def test_index_finds_exactly_the_pairs_of_the_rule(connection: Connection) -> None:
    plant_labels(connection)
    rng = random.Random(5)
    planted = plant_batch(connection, "b1", outcomes=["accepted"] * 150)
    bases = [rng.getrandbits(HASH_BITS) for _ in range(4)]

    def near(base: int) -> int:
        return base ^ sum(1 << bit for bit in rng.sample(range(HASH_BITS), rng.randint(0, 9)))

    hashes = {image_id: (near(rng.choice(bases)), near(rng.choice(bases))) for image_id in planted}
    for image_id, (whole, inner) in hashes.items():
        connection.execute(
            insert(descriptors).values(image_id=image_id, whole_hash=whole, inner_hash=inner, grid=bytes(GRID_BYTES))
        )

    rows = connection.execute(
        load_query("near_candidates"), {"image_ids": planted, "max_bits": MAX_HASH_BITS, "limit": len(planted)}
    )

    found = {(row.image_id, row.other_id) for row in rows}
    expected = {(a, b) for a in planted for b in planted if a != b and is_candidate(hashes[a], hashes[b])}
    assert len(expected) > 500
    assert found == expected


def test_pictures_of_the_same_transaction_are_looked_up_in_the_index(connection: Connection) -> None:
    plant_labels(connection)
    planted = plant_batch(connection, "b1", outcomes=["accepted"] * 200)
    rng = random.Random(6)
    rows = [
        {"image_id": image_id, "whole_hash": rng.getrandbits(HASH_BITS), "inner_hash": rng.getrandbits(HASH_BITS)}
        for image_id in planted
    ]
    connection.execute(insert(descriptors).values(grid=bytes(GRID_BYTES)), rows)
    scans = text("select seq_scan from pg_stat_xact_user_tables where relid = 'descriptors'::regclass")
    before = connection.scalar(scans)

    find_likenesses(connection, image_ids=planted[:50])

    # One statement may read the table once, not once for each picture.
    assert connection.scalar(scans) - before < 5
    assert connection.scalar(text("show enable_hashjoin")) == "on"


def test_split_keeps_near_duplicates_of_several_batches_together(connection: Connection) -> None:
    plant_labels(connection)
    for number in range(4):
        plant_looks(connection, f"b{number}", [f"a{number}"])
    plant_looks(connection, "b8", ["b0"])
    plant_looks(connection, "b9", ["c0"])

    pictures = compose(connection, Recipe(label_codes=("apple",)))

    together = {picture.group_key for picture in pictures if picture.candidate.batch_key < "b8"}
    assert together == {"b0"}
    assert len({picture.split for picture in pictures if picture.group_key == "b0"}) == 1
    assert {picture.group_key for picture in pictures} == {"b0", "b8", "b9"}
