"""Another threshold from the ledger alone: what it changes is what intake under that threshold would have said."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageFilter
from sqlalchemy import Connection, insert, text

from deep_images_hub.batches.decide import decide
from deep_images_hub.catalogue.batches import batch_by_key, create_batch, pending_batches
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions, why_rejected
from deep_images_hub.catalogue.fingerprint import fingerprint
from deep_images_hub.catalogue.images import image_by_sha256, verdicts_of
from deep_images_hub.catalogue.intake import intake_attempt, merge_batches, pending_submissions, stage_decisions
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.redecisions import (
    Threshold,
    begin_redecision,
    check_in_force,
    closed_batch_ranges,
    finish_redecision,
    redecide_batches,
    redeciding_alone,
    threshold_effect,
)
from deep_images_hub.catalogue.tables import verdicts
from deep_images_hub.errors import ConflictError, InvalidInputError
from deep_images_hub.images.examine import limits_from_settings
from deep_images_hub.verdicts import Verdict, decision_of
from deep_images_hub.wiring import Hub
from tests.builders import photograph
from tests.integration.catalogue.planting import manifest_of, plant_labels

if TYPE_CHECKING:
    from tests.conftest import HubOf

# Scores of `blurry` here: about 0.55 sharp, 0.35 soft, less than 0.1 in fog.
LOW, HIGH = 0.24, 0.45


def blurred(seed: str, radius: float, darker: float = 1.0) -> bytes:
    image = Image.open(io.BytesIO(photograph(seed, (320, 256)))).filter(ImageFilter.GaussianBlur(radius))
    body = io.BytesIO()
    image.point(lambda level: int(level * darker)).save(body, "JPEG", quality=92)
    return body.getvalue()


SHARP, SOFT, VAGUE = blurred("sharp", 0), blurred("soft", 1), blurred("vague", 1)
# Copies of what lies between the thresholds, in the same batch and in a later one; a broken file; one that is dark too.
BATCHES = {
    "b1": ("apple", [SHARP, SOFT, blurred("fog", 4), blurred("night", 1, 0.1), SHARP[:-400], SOFT]),
    "b2": ("pear", [blurred("pear", 0), SOFT, SHARP, VAGUE]),
    "b3": ("apple", [VAGUE]),
}


def take_in(hub: Hub) -> None:
    """Send the batches and run intake's own steps, without Spark."""
    with hub.engine.begin() as connection:
        plant_labels(connection)
        for key, (label, bodies) in BATCHES.items():
            manifest = manifest_of(key, label, objects=len(bodies))
            create_batch(connection, manifest=manifest)
            for sent, body in zip(manifest.objects, bodies, strict=True):
                hub.store.create(sent.object_key, body)
        pending = pending_batches(connection, limit=10)
    limits = limits_from_settings(hub.settings)
    with intake_attempt(hub.engine) as attempt:
        for batch in pending:
            with hub.engine.begin() as connection:
                submissions = pending_submissions(connection, attempt=attempt, portions=[(batch.id, 0, batch.submitted_count)])
                stage_decisions(connection, attempt=attempt, decisions=decide(submissions, store=hub.store, limits=limits))
                merge_batches(connection, attempt=attempt, batch_ids=[batch.id])


def redecide(hub: Hub, threshold: Threshold) -> None:
    with hub.engine.begin() as connection:
        ranges = closed_batch_ranges(connection, submissions=1)
        before = check_in_force(connection, threshold)
        redecision_id = begin_redecision(connection, threshold, before=before, user_id=None)
    for batches in ranges:
        with hub.engine.begin() as connection:
            redecide_batches(connection, threshold, redecision_id=redecision_id, batches=batches, user_id=None)
    with hub.engine.begin() as connection:
        finish_redecision(connection, redecision_id=redecision_id)


def said_by(hub: Hub) -> dict[str, list[tuple]]:
    """Return all that a catalogue says now, without its history, which says too what was there when a picture came."""
    statements = {
        "submissions": (
            "select object_key, submissions.status, reason, sha256 from submissions left join images on images.id = image_id"
            " order by object_key"
        ),
        "in force": (
            "select distinct on (object_key, check_name) object_key, check_name, score, threshold, outcome, verdicts.detail"
            " from verdicts join submissions on submissions.id = submission_id where check_name <> 'near_duplicates'"
            " order by object_key, check_name, verdicts.id desc"
        ),
        "labels": (
            "select sha256, code, said_by from image_labels join images on images.id = image_id"
            " join labels on labels.id = label_id where is_current order by sha256"
        ),
        "batches": "select key, status, accepted_count, rejected_count, review_count from batches order by key",
        "counts": "select code, own_images, subtree_images from label_counts join labels on labels.id = label_id order by code",
    }
    with hub.engine.begin() as connection:
        assert recount(connection) == []
        return {name: [tuple(row) for row in connection.execute(text(of))] for name, of in statements.items()}


def position(connection: Connection, key: str, number: int) -> int:
    found = connection.scalar(
        text("select submissions.id from submissions join batches on batches.id = batch_id where key = :key and position = :at"),
        {"key": key, "at": number},
    )
    assert isinstance(found, int)
    return found


@pytest.fixture(scope="module")
def judged(hub_of: HubOf) -> dict[float, dict[str, list[tuple]]]:
    """What intake says by either threshold."""
    found = {}
    for threshold in (LOW, HIGH):
        with hub_of(blurry_threshold=threshold) as hub:
            take_in(hub)
            found[threshold] = said_by(hub)
    return found


@pytest.mark.parametrize(("intake", "later"), [(LOW, HIGH), (HIGH, LOW)])
def test_redecided_catalogue_says_what_intake_by_that_threshold_says(
    hub_of: HubOf, judged: dict[float, dict[str, list[tuple]]], intake: float, later: float
) -> None:
    with hub_of(blurry_threshold=intake) as hub:
        take_in(hub)
        redecide(hub, Threshold("blurry", later))
        assert said_by(hub) == judged[later]
        redecide(hub, Threshold("blurry", intake))
        assert said_by(hub) == judged[intake]


def test_thresholds_of_these_tests_part_the_photographs(judged: dict[float, dict[str, list[tuple]]]) -> None:
    reasons = {threshold: [row[2] for row in found["submissions"]] for threshold, found in judged.items()}

    always = {2: "blurry", 3: "dark", 4: "truncated", 5: "exact_duplicates", 7: "exact_duplicates", 8: "exact_duplicates"}
    always[10] = "exact_duplicates"
    assert reasons[LOW] == [always.get(at) for at in range(11)]
    assert reasons[HIGH] == [(always | {1: "blurry", 9: "blurry"}).get(at) for at in range(11)]


def test_redecision_that_was_killed_half_way_is_gone_on_with_and_ends_like_an_undisturbed_one(hub_of: HubOf) -> None:
    threshold = Threshold("blurry", HIGH)
    prints = []
    for is_killed in (False, True):
        with hub_of(blurry_threshold=LOW) as hub:
            take_in(hub)
            if is_killed:
                with hub.engine.begin() as connection:
                    first, *_ = closed_batch_ranges(connection, submissions=1)
                    before = check_in_force(connection, threshold)
                    redecision_id = begin_redecision(connection, threshold, before=before, user_id=None)
                    redecide_batches(connection, threshold, redecision_id=redecision_id, batches=first, user_id=None)
                    mixed = check_in_force(connection, threshold)
                    assert 0 < mixed.judged_otherwise < mixed.scored
                    assert (mixed.lowest_threshold, mixed.highest_threshold) == (pytest.approx(LOW), pytest.approx(HIGH))
            redecide(hub, threshold)
            redecide(hub, threshold)
            with hub.engine.begin() as connection:
                rows = connection.execute(text("select count(*), count(finished_at), sum(out_count) from redecisions")).one()
                assert tuple(rows) == (2, 2, 2)
                connection.execute(text("delete from redecisions where judged_count = 0"))
                prints.append(fingerprint(connection))

    assert prints[0] == prints[1]


def test_effect_of_a_threshold_names_what_changes_by_label_and_reason_and_changes_nothing(hub_of: HubOf) -> None:
    with hub_of(blurry_threshold=LOW) as hub, hub.engine.begin() as connection:
        take_in(hub)
        effects = threshold_effect(connection, Threshold("blurry", HIGH))
        assert [
            (of.label_code, of.from_status, of.from_reason, of.to_status, of.to_reason, of.submission_ids) for of in effects
        ] == [
            ("apple", "accepted", None, "rejected", "blurry", (position(connection, "b1", 1),)),
            ("pear", "accepted", None, "rejected", "blurry", (position(connection, "b2", 3),)),
        ]
        assert threshold_effect(connection, Threshold("blurry", LOW)) == []
        # Nothing has so little contrast: two failures of one picture, of which the first in order is told.
        reasons = {
            (of.from_reason, of.to_status, of.to_reason) for of in threshold_effect(connection, Threshold("low_information", 1))
        }
        assert reasons >= {(None, "rejected", "low_information"), ("blurry", "rejected", "low_information")}
        assert check_in_force(connection, Threshold("blurry", HIGH)).judged_otherwise == 10
        # The broken file has no scores; all others have, copies too.
        assert check_in_force(connection, Threshold("blurry", LOW)).judged_otherwise == 0


def test_effect_on_many_verdicts_is_what_the_pure_rule_says(hub_of: HubOf) -> None:
    scores = [0.0, 0.1, 0.2, 0.3, 0.3001, 0.5, 1.0]
    with hub_of() as hub, hub.engine.begin() as connection:
        take_in(hub)
        of = position(connection, "b1", 0)
        connection.execute(insert(verdicts).values(
            submission_id=of, check_name="label_agreement", check_version=1, score=0.2, threshold=0.3, outcome="fail"
        ))  # fmt: skip
        for check in ("dark", "blurry", "label_agreement"):
            for threshold in scores:
                changes = {
                    submission_id: (effect.to_status, effect.to_reason)
                    for effect in threshold_effect(connection, Threshold(check, threshold))
                    for submission_id in effect.submission_ids
                }
                assert changes == expected_changes(connection, check, threshold)


def expected_changes(connection: Connection, check: str, threshold: float) -> dict[int, tuple[str, str | None]]:
    rows = connection.execute(
        text(
            "select submission_id, submissions.status, reason, check_name, score, outcome, verdicts.detail from verdicts"
            " join submissions on submissions.id = submission_id where submissions.image_id is not null order by verdicts.id"
        )
    ).all()
    ledger: dict[int, dict[str, Verdict]] = {}
    before = {}
    moved = set()
    for row in rows:
        outcome = row.outcome
        if row.check_name == check and row.score is not None:
            outcome = "fail" if round(row.score, 4) < threshold else "pass"
            if outcome != row.outcome:
                moved.add(row.submission_id)
        ledger.setdefault(row.submission_id, {})[row.check_name] = Verdict(row.check_name, outcome, detail=row.detail)
        before[row.submission_id] = (row.status, row.reason)
    after = {of: decision_of(ledger[of].values()) for of in moved}
    return {of: decision for of, decision in after.items() if decision != before[of]}


def test_operators_decision_stays_whatever_the_threshold(hub_of: HubOf) -> None:
    with hub_of(blurry_threshold=LOW) as hub:
        take_in(hub)
        with hub.engine.begin() as connection:
            fog = DecisionChange(position(connection, "b1", 2), "accepted", None)
            change_decisions(connection, changes=[fog], cause="operator")
            change_decisions(
                connection, changes=[DecisionChange(position(connection, "b1", 0), "rejected", "blurry")], cause="operator"
            )
            kept = [of for of in threshold_effect(connection, Threshold("blurry", 0)) if of.is_operators]
            assert kept == []  # it would change nothing about either
        redecide(hub, Threshold("blurry", 1))
        redecide(hub, Threshold("blurry", 0))
        with hub.engine.begin() as connection:
            assert batch_by_key(connection, "b1").accepted_count == 2
            why = why_rejected(connection, object_key="landing/b1/000000.jpg")
            assert (why.status, why.reason, why.cause) == ("rejected", "blurry", "operator")


def test_ledger_says_why_with_the_verdict_in_force_first_and_those_before_it_last(hub_of: HubOf) -> None:
    with hub_of(blurry_threshold=LOW) as hub:
        take_in(hub)
        redecide(hub, Threshold("blurry", HIGH))
        with hub.engine.begin() as connection:
            why = why_rejected(connection, object_key="landing/b1/000001.jpg")
            assert (why.status, why.reason, why.cause) == ("rejected", "blurry", "redecide")
            assert why.cause_detail == f"blurry: scores below {HIGH:g} fail"
            first, *_, last = why.verdicts
            assert (first.check_name, first.outcome, first.is_in_force) == ("blurry", "fail", True)
            assert (last.check_name, last.outcome, last.is_in_force) == ("blurry", "pass", False)
            assert first.score == last.score
            assert (first.threshold, last.threshold) == (pytest.approx(HIGH), pytest.approx(LOW))
            copy = why_rejected(connection, object_key="landing/b1/000005.jpg")
            assert copy.original_sha256 is not None
            image = image_by_sha256(connection, copy.original_sha256)
            shown = verdicts_of(connection, image_id=image.image_id)
            assert [of.check_name for of in shown].count("blurry") == 1
            assert next(of.outcome for of in shown if of.check_name == "blurry") == "fail"


def test_two_redecisions_at_once_are_refused(hub_of: HubOf) -> None:
    with (
        hub_of() as hub,
        redeciding_alone(hub.engine),
        pytest.raises(ConflictError, match="Another redecision"),
        redeciding_alone(hub.engine),
    ):
        pass


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInputError, match="Expected 0 to 1"):
        Threshold("blurry", threshold)


@pytest.mark.parametrize("ranges", [1, 5, 6, 100])
def test_ranges_hold_every_closed_batch_once(hub_of: HubOf, ranges: int) -> None:
    with hub_of() as hub:
        take_in(hub)
        with hub.engine.begin() as connection:
            create_batch(connection, manifest=manifest_of("waits"))
            found = closed_batch_ranges(connection, submissions=ranges)
    assert sum(of.submitted_count for of in found) == sum(len(bodies) for _, bodies in BATCHES.values())
    assert [of.submitted_count for of in found] == {1: [6, 4, 1], 5: [6, 5], 6: [6, 5], 100: [11]}[ranges]
    assert all(one.last_id < other.first_id for one, other in pairwise(found))
