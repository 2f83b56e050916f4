"""simulate_crowd and intake on a local Spark session: what was planted is found, what is honest gets in, all of it once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession
from sqlalchemy import text

from deep_images_hub.catalogue.batches import batch_funnel, pending_batches
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.simulation.scenes import render
from deep_images_hub.verdicts import QUALITY_REASONS
from deep_images_hub.wiring import Hub
from tests.integration.intake.crowds import MANY_DEFECTS, catalogue_of, objects_of, send_crowd, send_same_crowd, take_in

if TYPE_CHECKING:
    from tests.conftest import HubOf

IMAGES = 160


@pytest.fixture(scope="module")
def taken_in(hub_of: HubOf, spark: SparkSession) -> Iterator[Hub]:
    """A hub that has taken in a crowd with many defects."""
    with hub_of() as hub:
        send_crowd(hub, spark, images=IMAGES, defects=MANY_DEFECTS)
        assert take_in(hub, spark) == 0
        yield hub


def decided(hub: Hub) -> dict[tuple[str, int], tuple[str, str | None]]:
    """Return (status, reason) by (batch key, position)."""
    with hub.engine.begin() as connection:
        rows = connection.execute(
            text(
                "select batches.key, position, submissions.status, reason from submissions join batches on batches.id = batch_id"
            )
        )
        return {(row.key, row.position): (row.status, row.reason) for row in rows}


def truth_of(hub: Hub) -> dict[tuple[str, int], dict[str, str]]:
    (key,) = (stat.key for stat in hub.store.list("simulation/"))
    rows = csv.DictReader(io.StringIO(hub.store.read(key).decode()))
    return {(row["batch_key"], int(row["position"])): row for row in rows}


def test_counts_add_up_everywhere(taken_in: Hub) -> None:
    with taken_in.engine.begin() as connection:
        funnel = batch_funnel(connection)
        assert funnel.submitted == IMAGES == funnel.accepted + sum(funnel.rejected.values())
        assert (funnel.pending, dict(funnel.review)) == (0, {})
        # A photograph that is too dark or blurred decodes: its picture is kept, but has no label, so that nobody sees it.
        seen, kept = funnel.accepted, funnel.accepted + sum(funnel.rejected.get(reason, 0) for reason in QUALITY_REASONS)
        assert kept > seen
        assert connection.scalar(text("select count(*) from images")) == kept
        assert connection.scalar(text("select count(*) from image_labels where is_current")) == funnel.accepted
        assert connection.scalar(text("select sum(own_images) from label_counts")) == funnel.accepted
        assert recount(connection) == []
        assert connection.scalar(text("select count(*) from staged_decisions")) == 0
        # Grove olive oil lies under two labels, and counts for both.
        oil = label_by_code(connection, "Grove olive oil").own_images
        assert label_by_code(connection, "Pantry").subtree_images >= oil > 0
        assert label_by_code(connection, "Bottles").subtree_images >= oil
        assert not pending_batches(connection, limit=1)
    pictures = {stat.key for stat in taken_in.store.list("images/")}
    assert len(pictures) == kept
    assert len(list(taken_in.store.list("thumbnails/"))) == kept


def test_catalogue_knows_length_and_checksums_of_every_stored_picture(taken_in: Hub) -> None:
    with taken_in.engine.connect() as connection:
        known = text("select picture_key, picture_size_bytes, picture_sha256, picture_crc32 from images")
        images = {key: tuple(of) for key, *of in connection.execute(known)}
    bodies = {key: taken_in.store.read(key) for key in images}
    assert images
    assert images == {key: (len(body), sha256(body).hexdigest(), crc32(body)) for key, body in bodies.items()}


def test_every_planted_defect_is_found_and_no_honest_photograph_is_rejected(taken_in: Hub) -> None:
    truth, found = truth_of(taken_in), decided(taken_in)
    assert {row["defect"] for row in truth.values()} >= {
        "truncated",
        "html",
        "exact_duplicate",
        "blurry",
        "dark",
        "cmyk",
        "alpha",
    }
    for place, row in truth.items():
        assert found[place] == (row["expected_status"], row["expected_reason"] or None), row
    honest = {place: outcome for place, outcome in found.items() if place not in truth}
    assert {place: outcome for place, outcome in honest.items() if outcome != ("accepted", None)} == {}


def test_duplicates_point_at_their_original(taken_in: Hub) -> None:
    duplicates = {place: row for place, row in truth_of(taken_in).items() if row["defect"] == "exact_duplicate"}
    assert duplicates
    with taken_in.engine.begin() as connection:
        rows = connection.execute(
            text(
                "select batches.key, submissions.position, original_batches.key as original_key,"
                " originals.position as original_position, verdicts.outcome, verdicts.detail from submissions"
                " join batches on batches.id = submissions.batch_id join images on images.id = submissions.image_id"
                " join submissions as originals on originals.object_key = images.original_key"
                " join batches as original_batches on original_batches.id = originals.batch_id"
                " join verdicts on verdicts.submission_id = submissions.id and verdicts.check_name = 'exact_duplicates'"
            )
        ).all()
    found = {(row.key, row.position): row for row in rows}
    for place, row in duplicates.items():
        original = (row["origin_batch_key"], int(row["origin_position"]))
        assert (found[place].original_key, found[place].original_position) == original
        assert found[place].outcome == "fail"
        assert found[place].detail == f"the same bytes as number {original[1]} of batch {original[0]}"
        assert (found[original].outcome, found[original].detail) == ("pass", None)


def test_near_duplicates_are_kept_flagged_and_grouped_with_their_originals(taken_in: Hub) -> None:
    copies = {place: row for place, row in truth_of(taken_in).items() if row["defect"] == "near_duplicate"}
    with taken_in.engine.begin() as connection:
        rows = connection.execute(
            text(
                "select batches.key, position, verdicts.outcome, verdicts.detail, group_id from submissions"
                " join batches on batches.id = batch_id"
                " left join duplicate_groups on duplicate_groups.image_id = submissions.image_id"
                " join verdicts on verdicts.submission_id = submissions.id and verdicts.check_name = 'near_duplicates'"
            )
        )
        found = {(row.key, row.position): row for row in rows}
    assert copies
    originals = {place: (row["origin_batch_key"], int(row["origin_position"])) for place, row in copies.items()}
    together = [place for place, original in originals.items() if found[place].group_id == found[original].group_id is not None]
    assert len(together) >= 0.95 * len(copies)
    # A copy that is sent before its original is the first, and the other one is flagged.
    pairs = {frozenset((place, original)) for place, original in originals.items()}
    flagged = {place for place, row in found.items() if row.outcome == "flag"}
    assert {place for pair in pairs for place in pair} >= flagged
    assert all(row.detail.startswith("nearly the same as number ") for place, row in found.items() if place in flagged)
    assert len(flagged) >= 0.95 * len(copies)


def test_ledger_holds_every_check_that_was_made(taken_in: Hub) -> None:
    with taken_in.engine.begin() as connection:
        rows = connection.execute(
            text(
                "select submissions.reason, count(*) as checks, count(distinct submissions.id) as submissions from submissions"
                " join verdicts on verdicts.submission_id = submissions.id group by submissions.reason"
            )
        )
        per_submission = {row.reason: row.checks / row.submissions for row in rows}
    assert per_submission == {
        None: 11, "exact_duplicates": 10, "dark": 10, "blurry": 10, "truncated": 2, "not_an_image": 1,
    }  # fmt: skip


def test_running_everything_again_changes_nothing(taken_in: Hub, spark: SparkSession) -> None:
    catalogue, objects = catalogue_of(taken_in), objects_of(taken_in)
    send_crowd(taken_in, spark, images=IMAGES, defects=MANY_DEFECTS)
    assert take_in(taken_in, spark) == 0
    assert catalogue_of(taken_in) == catalogue
    assert objects_of(taken_in) == objects


def test_batches_can_be_taken_in_a_few_at_a_time_and_by_two_runs_at_once(
    hub_of: HubOf, spark: SparkSession, taken_in: Hub
) -> None:
    with hub_of() as hub:
        send_same_crowd(hub, spark, taken_in, images=IMAGES, defects=MANY_DEFECTS)
        assert take_in(hub, spark, max_batches=3) == 0
        with hub.engine.begin() as connection:
            assert connection.scalar(text("select count(*) from batches where status = 'closed'")) == 3
        statuses: list[int] = []
        runs = [Thread(target=lambda: statuses.append(take_in(hub, spark))) for _ in range(2)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        assert statuses == [0, 0]
        assert catalogue_of(hub) == catalogue_of(taken_in)
        assert objects_of(hub) == objects_of(taken_in)


def test_missing_object_is_a_verdict_and_a_store_that_fails_is_not(hub_of: HubOf, spark: SparkSession) -> None:
    with hub_of() as hub:
        send_crowd(hub, spark, images=36, defects="none")
        with hub.engine.begin() as connection:
            (first, *_) = pending_batches(connection, limit=1)
        landing = Path(hub.store.url.removeprefix("file://")) / "landing"
        sorted((landing / first.key).glob("*.jpg"))[0].unlink()

        nobody_listens = {"store_url": "s3://nowhere", "s3_endpoint_url": "http://127.0.0.1:1"}
        keys = {"s3_access_key_id": SecretStr("some"), "s3_secret_access_key": SecretStr("secret")}
        down = replace(hub, settings=hub.settings.model_copy(update=nobody_listens | keys))
        before = catalogue_of(hub)
        assert take_in(down, spark) == 1
        assert catalogue_of(hub) == before

        assert take_in(hub, spark) == 0
        with hub.engine.begin() as connection:
            assert batch_funnel(connection, batch_key=first.key).rejected == {"missing": 1}
            assert batch_funnel(connection).accepted == 35


def test_folder_tree_becomes_labels_under_their_parents(hub_of: HubOf, spark: SparkSession, tmp_path: Path) -> None:
    for number, name in enumerate(("Fruit/Apple/Royal-Gala", "Fruit/Apple/Granny-Smith", "Hell's Kitchen")):
        (tmp_path / name).mkdir(parents=True)
        for index in range(4):
            (tmp_path / name / f"{index}.jpg").write_bytes(render(number, "Apple", index))
    with hub_of() as hub:
        send_crowd(hub, spark, photos=str(tmp_path))
        assert take_in(hub, spark) == 0
        with hub.engine.begin() as connection:
            assert label_by_code(connection, "Fruit/Apple").subtree_images == 8
            assert label_by_code(connection, "Fruit/Apple/Royal-Gala").own_images == 4
            assert label_by_code(connection, "Hell's Kitchen").subtree_images == 4
