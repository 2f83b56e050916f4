"""For operators: decide on the pictures in review, one after another, by keyboard or by form, and on those that people reported.

The pictures come oldest first. A decision leads to the next picture; one that is skipped comes again when the list is begun anew.
Scripts show the next picture at once, which they have fetched before, and send the decision meanwhile: they use the same forms.
"""

from typing import Any

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.batches.report import reason_words
from deep_images_hub.catalogue import reviews
from deep_images_hub.catalogue.decisions import submission_of_object
from deep_images_hub.catalogue.images import gallery, image_by_sha256
from deep_images_hub.catalogue.label_proposals import waiting_proposal_count
from deep_images_hub.catalogue.labels import label_by_words
from deep_images_hub.catalogue.picture_reports import close_reports, open_report_count, reported_pictures
from deep_images_hub.catalogue.reviews import Reviewed, ReviewFilter, WaitingPicture
from deep_images_hub.datasets.takedown import take_down
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from deep_images_hub.labels.imagenet import imagenet_class_names
from deep_images_hub.picture_reports import REPORT_WORDS
from deep_images_hub.verdicts import REFUSAL_REASONS
from webapp.access import may, requires, signed_in_user
from webapp.error_pages import wants_json
from webapp.paging import cursor
from webapp.services import hub, services
from webapp.wording import plural

blueprint = Blueprint("review", __name__, url_prefix="/review")

KNOWN_PICTURES = 10
SEEN_CLASSES = 3
REPORTS_PAGE = 20
# Labels that the list of filters offers.
MAX_LABELS = 100


@blueprint.app_context_processor
def _waiting() -> dict[str, object]:
    return {"review_count": _count}


@blueprint.get("")
@requires("operate")
def index() -> ResponseReturnValue:
    """Show the next picture that waits, after a submission, with what helps to decide on it; `part=1`: the picture alone."""
    wanted = _filter_from_request()
    after = cursor(request.args.get("after")) or 0
    with hub().engine.connect() as connection:
        return _page(connection, wanted, after)


@blueprint.post("/accept")
@requires("operate")
def accept() -> ResponseReturnValue:
    """Let a picture in under its label."""
    user, submission_id = signed_in_user(), _number("submission_id")
    try:
        with hub().engine.begin() as connection:
            reviews.accept(connection, submission_id=submission_id, user_id=user.id)
    except ConflictError as error:
        return _too_late(error, submission_id)
    return _decided(submission_id)


@blueprint.post("/relabel")
@requires("operate")
def relabel() -> ResponseReturnValue:
    """Let a picture in under another label, given by its code or its name."""
    user, submission_id = signed_in_user(), _number("submission_id")
    with hub().engine.connect() as connection:
        try:
            label = label_by_words(connection, request.form.get("label", "")[:200])
        except (NotFoundError, ConflictError) as error:
            if wants_json():
                raise
            page = _page(connection, _filter_from_request(), submission_id - 1, problem=str(error))
            return make_response(page, 400)
    try:
        with hub().engine.begin() as connection:
            reviews.relabel(connection, submission_id=submission_id, label_code=label.code, user_id=user.id)
    except ConflictError as error:
        return _too_late(error, submission_id)
    return _decided(submission_id)


@blueprint.post("/reject")
@requires("operate")
def reject() -> ResponseReturnValue:
    """Refuse a picture for a reason."""
    user, submission_id = signed_in_user(), _number("submission_id")
    try:
        with hub().engine.begin() as connection:
            reviews.reject(connection, submission_id=submission_id, reason=request.form.get("reason", ""), user_id=user.id)
    except ConflictError as error:
        return _too_late(error, submission_id)
    return _decided(submission_id)


@blueprint.post("/undo")
@requires("operate")
def undo() -> ResponseReturnValue:
    """Take back a decision of one's own, and show its picture again."""
    user = signed_in_user()
    try:
        with hub().engine.begin() as connection:
            submission_id = reviews.take_back(connection, change_id=_number("change_id"), user_id=user.id)
    except ConflictError as error:
        return _too_late(error)
    return redirect(_address(after=submission_id - 1))


@blueprint.get("/reports")
@requires("operate")
def reports() -> ResponseReturnValue:
    """List the pictures that people reported, those that wait longest first."""
    after = cursor(request.args.get("after")) or 0
    with hub().engine.connect() as connection:
        found = reported_pictures(connection, after_report_id=after, limit=REPORTS_PAGE + 1)
        shown = found[:REPORTS_PAGE]
        return render_template(
            "reports.html",
            pictures=shown,
            words=REPORT_WORDS,
            open_reports=open_report_count(connection),
            waiting_pictures=reviews.waiting_count(connection),
            more=url_for("review.reports", after=shown[-1].first_report_id) if len(found) > REPORTS_PAGE else None,
        )


@blueprint.post("/reports/keep")
@requires("operate")
def keep() -> ResponseReturnValue:
    """Close the reports of a picture, which stays."""
    try:
        with hub().engine.begin() as connection:
            image = image_by_sha256(connection, request.form.get("sha256", ""))
            close_reports(connection, image_id=image.image_id, outcome="kept", user_id=signed_in_user().id)
    except ConflictError as error:
        flash(str(error), "warn")
    else:
        flash("The picture stays, and its reports are closed.")
    return redirect(url_for("review.reports"))


@blueprint.post("/reports/doubt")
@requires("operate")
def doubt() -> ResponseReturnValue:
    """Close the reports of a picture, and put it into review for another label."""
    user = signed_in_user()
    try:
        with hub().engine.begin() as connection:
            image = image_by_sha256(connection, request.form.get("sha256", ""))
            close_reports(connection, image_id=image.image_id, outcome="kept", user_id=user.id)
            submission_id = submission_of_object(connection, image.original_key)
            reviews.put_into_review(connection, submission_id=submission_id, user_id=user.id)
    except ConflictError as error:
        flash(str(error), "warn")
        return redirect(url_for("review.reports"))
    flash("Its reports are closed. Say what it shows.")
    return redirect(url_for("review.index", after=submission_id - 1))


@blueprint.post("/reports/take-down")
@requires("operate")
def remove() -> ResponseReturnValue:
    """Take a reported picture down."""
    try:
        with hub().engine.begin() as connection:
            patches = take_down(connection, sha256=request.form.get("sha256", ""), user_id=signed_in_user().id)
    except ConflictError as error:
        flash(str(error), "warn")
    else:
        services().kept.remove_forgotten()
        flash(f"The picture is taken down. {plural(len(patches), 'dataset was', 'datasets were')} patched.")
    return redirect(url_for("review.reports"))


def _page(connection: Connection, wanted: ReviewFilter, after: int, *, problem: str | None = None) -> ResponseReturnValue:
    found = reviews.waiting_pictures(connection, wanted, after_submission_id=after, limit=1)
    picture = found[0] if found else None
    parameters = _parameters(wanted)
    shown = {
        "picture": picture,
        "known": gallery(connection, label_id=picture.label_id, limit=KNOWN_PICTURES) if picture else [],
        "seen": _seen(picture) if picture else [],
        "here": _address(after),
        "following": _address(picture.submission_id) if picture else None,
        "parameters": parameters,
    }
    if request.args.get("part") == "1":
        return render_template("review_picture.html", **shown) if picture else ("", 204)
    kinds = reviews.waiting_kinds(connection)
    labels: dict[str, tuple[str, int]] = {}
    for kind in kinds:
        labels[kind.label_code] = (kind.label_name, labels.get(kind.label_code, ("", 0))[1] + kind.pictures)
    return render_template(
        "review.html",
        **shown,
        wanted=wanted,
        waiting_pictures=reviews.waiting_count(connection),
        open_reports=open_report_count(connection),
        is_first=not after,
        problem=problem,
        labels=sorted(labels.items(), key=lambda entry: (-entry[1][1], entry[1][0].casefold()))[:MAX_LABELS],
        reasons=sorted({kind.reason for kind in kinds}),
        refusals=REFUSAL_REASONS,
        latest=_words_of_latest(reviews.latest_decision(connection, user_id=signed_in_user().id)),
    )


def _seen(picture: WaitingPicture) -> list[tuple[str, float]]:
    """Return the names of the likeliest classes, with their probabilities."""
    names = imagenet_class_names()
    pairs = zip(picture.class_indexes or (), picture.class_probabilities or (), strict=True)
    return [(names[index], probability) for index, probability in list(pairs)[:SEEN_CLASSES]]


def _decided(submission_id: int) -> ResponseReturnValue:
    """Lead on, or tell a script what can be taken back now and how many wait."""
    if not wants_json():
        return redirect(_address(after=submission_id))
    with hub().engine.connect() as connection:
        latest = _words_of_latest(reviews.latest_decision(connection, user_id=signed_in_user().id))
        in_review, reported = reviews.waiting_count(connection), open_report_count(connection)
        waiting = in_review + reported + waiting_proposal_count(connection)
        return jsonify(in_review=in_review, waiting=waiting, latest=latest)


def _too_late(error: ConflictError, submission_id: int | None = None) -> ResponseReturnValue:
    """Say that somebody else was first, and lead on."""
    if wants_json():
        raise error
    flash(str(error), "warn")
    return redirect(_address(after=submission_id))


def _address(after: int | None = None) -> str:
    """Return the address of what waits after a submission, by the filter of this request."""
    parameters: dict[str, Any] = {**_parameters(_filter_from_request()), "after": after or None}
    return url_for("review.index", **parameters)


def _parameters(wanted: ReviewFilter) -> dict[str, str | None]:
    return {"label": wanted.label_code, "reason": wanted.reason, "batch": wanted.batch_key}


def _words_of_latest(latest: Reviewed | None) -> dict[str, object] | None:
    """Return what would be taken back: the decision's number, and what it was."""
    if latest is None:
        return None
    if latest.status == "accepted":
        words = f"accepted as {latest.label_name}"
    else:
        words = f"refused: {reason_words(latest.reason or '')}"
    return {"change_id": latest.change_id, "words": words}


def _filter_from_request() -> ReviewFilter:
    label, reason, batch = (request.args.get(name, "").strip()[:200] or None for name in ("label", "reason", "batch"))
    return ReviewFilter(label_code=label, reason=reason, batch_key=batch)


def _number(field: str) -> int:
    """Read a number of a form. Raises InvalidInputError."""
    value = cursor(request.form.get(field))
    if value is None:
        raise InvalidInputError(f"The form has no {field}. Load the page again and send it again.")
    return value


def _count() -> int:
    """Return how many pictures wait for an operator, in review or reported, and proposed labels; 0 for everybody else."""
    if not may("operate"):
        return 0
    try:
        with hub().engine.connect() as connection:
            waiting = reviews.waiting_count(connection) + open_report_count(connection)
            return waiting + waiting_proposal_count(connection)
    except UnavailableError:
        # Every page asks, and so does the one that says that the catalogue does not answer.
        return 0
