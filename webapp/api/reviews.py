"""For operators: deciding on pictures in review, and on those that people reported."""

from flask import url_for
from sqlalchemy import Connection

from deep_images_hub.catalogue import reviews
from deep_images_hub.catalogue.decisions import submission_of_object
from deep_images_hub.catalogue.images import Image, image_by_sha256
from deep_images_hub.catalogue.labels import label_by_words
from deep_images_hub.catalogue.picture_reports import close_reports, open_report_count, reported_pictures
from deep_images_hub.datasets.takedown import take_down
from deep_images_hub.wire import reviews as wire
from deep_images_hub.wire.base import PageAsked
from webapp.access import requires, signed_in_user
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.images import check_sha256
from webapp.services import hub, services


@api.get("/reviews", tag="Reviews", query=wire.WaitingAsked, answer=wire.WaitingPage)
@requires("operate")
def list_reviews(query: wire.WaitingAsked) -> wire.WaitingPage:
    """List the pictures in review, oldest first."""
    wanted = reviews.ReviewFilter(label_code=query.label, reason=query.reason, batch_key=query.batch)
    with hub().engine.connect() as connection:
        found = reviews.waiting_pictures(
            connection, wanted, after_submission_id=place_of(query.cursor) or 0, limit=query.limit + 1
        )
    shown = found[: query.limit]
    return wire.WaitingPage(
        pictures=[
            wire.WaitingPicture(
                **{name: getattr(picture, name) for name in wire.WaitingPicture.model_fields if name != "picture_url"},
                picture_url=url_for("api.download_picture", sha256=picture.sha256, _external=True),
            )
            for picture in shown
        ],
        next=following(shown[-1].submission_id) if len(found) > query.limit else None,
    )


@api.post("/reviews/<int:submission_id>/accept", tag="Reviews", answer=wire.Decision)
@requires("operate")
def accept_picture(submission_id: int) -> wire.Decision:
    """Let a picture in under its label."""
    with hub().engine.begin() as connection:
        reviews.accept(connection, submission_id=submission_id, user_id=signed_in_user().id)
    return _decided()


@api.post("/reviews/<int:submission_id>/relabel", tag="Reviews", body=wire.RelabelAsked, answer=wire.Decision)
@requires("operate")
def relabel_picture(submission_id: int, body: wire.RelabelAsked) -> wire.Decision:
    """Let a picture in under another label."""
    with hub().engine.begin() as connection:
        label = label_by_words(connection, body.label)
        reviews.relabel(connection, submission_id=submission_id, label_code=label.code, user_id=signed_in_user().id)
    return _decided()


@api.post("/reviews/<int:submission_id>/reject", tag="Reviews", body=wire.RejectAsked, answer=wire.Decision)
@requires("operate")
def reject_picture(submission_id: int, body: wire.RejectAsked) -> wire.Decision:
    """Refuse a picture for a reason."""
    with hub().engine.begin() as connection:
        reviews.reject(connection, submission_id=submission_id, reason=body.reason, user_id=signed_in_user().id)
    return _decided()


@api.post("/decisions/<int:change_id>/undo", tag="Reviews", answer=wire.UndoAnswer)
@requires("operate")
def undo_decision(change_id: int) -> wire.UndoAnswer:
    """Take back a decision of one's own: its picture waits again."""
    with hub().engine.begin() as connection:
        submission_id = reviews.take_back(connection, change_id=change_id, user_id=signed_in_user().id)
    return wire.UndoAnswer(submission_id=submission_id)


@api.get("/reports", tag="Reviews", query=PageAsked, answer=wire.ReportedPage)
@requires("operate")
def list_reports(query: PageAsked) -> wire.ReportedPage:
    """List the pictures that people reported, those that wait longest first."""
    with hub().engine.connect() as connection:
        found = reported_pictures(connection, after_report_id=place_of(query.cursor) or 0, limit=query.limit + 1)
    shown = found[: query.limit]
    return wire.ReportedPage(
        pictures=[
            wire.ReportedPicture(
                **{name: getattr(picture, name) for name in wire.ReportedPicture.model_fields if name != "picture_url"},
                picture_url=url_for("api.download_picture", sha256=picture.sha256, _external=True),
            )
            for picture in shown
        ],
        next=following(shown[-1].first_report_id) if len(found) > query.limit else None,
    )


@api.post("/reports/<sha256>/keep", tag="Reviews", answer=wire.ReportDecision)
@requires("operate")
def keep_reported_picture(sha256: str) -> wire.ReportDecision:
    """Close the reports of a picture, which stays."""
    with hub().engine.begin() as connection:
        _close(connection, sha256)
    return wire.ReportDecision(outcome="kept")


@api.post("/reports/<sha256>/doubt", tag="Reviews", answer=wire.ReportDecision)
@requires("operate")
def doubt_reported_picture(sha256: str) -> wire.ReportDecision:
    """Close the reports of a picture, and put it into review for another label."""
    with hub().engine.begin() as connection:
        image = _close(connection, sha256)
        submission_id = submission_of_object(connection, image.original_key)
        reviews.put_into_review(connection, submission_id=submission_id, user_id=signed_in_user().id)
    return wire.ReportDecision(outcome="review", submission_id=submission_id)


@api.post("/reports/<sha256>/take-down", tag="Reviews", answer=wire.ReportDecision)
@requires("operate")
def take_down_reported_picture(sha256: str) -> wire.ReportDecision:
    """Take a reported picture down: it leaves galleries, search and downloads at once, and versions that had it get a patch."""
    with hub().engine.begin() as connection:
        patches = take_down(connection, sha256=check_sha256(sha256), user_id=signed_in_user().id)
    services().kept.remove_forgotten()
    return wire.ReportDecision(outcome="taken_down", patched_versions=[patch.id for patch in patches])


def _close(connection: Connection, sha256: str) -> Image:
    image = image_by_sha256(connection, check_sha256(sha256))
    close_reports(connection, image_id=image.image_id, outcome="kept", user_id=signed_in_user().id)
    return image


def _decided() -> wire.Decision:
    """Return what can be taken back now, and how much waits."""
    with hub().engine.connect() as connection:
        latest = reviews.latest_decision(connection, user_id=signed_in_user().id)
        return wire.Decision(
            change_id=latest.change_id if latest else None,
            status=latest.status if latest else None,
            reason=latest.reason if latest else None,
            in_review=reviews.waiting_count(connection),
            reported=open_report_count(connection),
        )
