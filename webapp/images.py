"""All pictures; and one picture: its bytes, and its page with what was found and where it came from.

A picture with a current label is everybody's, and its bytes never change, so that a browser asks once. One without (refused, in
review, or gone out again) is there for operators and for whoever sent it, and for nobody else; one that was taken down is there
for operators alone. No cache keeps either. The original, with whatever the camera wrote into it, is never served. Whoever has an
account may report a picture that everybody sees.
"""

import re
from collections.abc import Set
from functools import partial

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from deep_images_hub.catalogue.decisions import object_history, why_rejected
from deep_images_hub.catalogue.images import (
    Image,
    Picture,
    exact_copies,
    gallery,
    image_by_sha256,
    image_viewers,
    labels_of,
    most_alike,
    near_copies,
    verdicts_of,
)
from deep_images_hub.catalogue.labels import ancestors
from deep_images_hub.catalogue.network_labels import network_labels_of
from deep_images_hub.catalogue.picture_reports import report_picture
from deep_images_hub.errors import InvalidInputError, NotFoundError
from deep_images_hub.licences import LICENCE_URLS
from deep_images_hub.object_store.keys import picture_key, thumbnail_key
from deep_images_hub.picture_reports import MAX_NOTE_LENGTH, REPORT_WORDS
from webapp.access import current_user, may, public, signed_in, signed_in_user
from webapp.galleries import gallery_answer
from webapp.security import REPORT_LIMIT, YEAR_S, limiter
from webapp.selection import selected
from webapp.services import hub

blueprint = Blueprint("images", __name__, url_prefix="/images")

# Of the same label, below a picture.
MORE_IMAGES = 12
# Among so many of the label the most alike are found: to read the features of more would take longer than the rest of the page.
COMPARED_IMAGES = 500

_SHA256 = re.compile(r"[0-9a-f]{64}")


@blueprint.get("")
@public
def index() -> ResponseReturnValue:
    """Show the pictures of the whole hub, filtered and in the order that the address says."""
    with hub().engine.connect() as connection:
        return gallery_answer(connection, "images.html", label_id=None, address={"endpoint": "images.index"})


@blueprint.get("/<sha256>")
@public
def page(sha256: str) -> ResponseReturnValue:
    """Show a picture, every check's verdict in plain words, and its lineage."""
    with hub().engine.connect() as connection:
        image = seen_image(connection, sha256)
        is_public = image.label_id is not None
        # Newest first; the current label is shown as the picture's own.
        labels = labels_of(connection, image_id=image.image_id)
        near = near_copies(connection, image_id=image.image_id)
        more, is_alike = _more_of(connection, image, without={picture.image_id for picture in near})
        return render_template(
            "image.html",
            image=image,
            hidden=None if is_public else why_rejected(connection, object_key=image.original_key),
            history=object_history(connection, object_key=image.original_key) if may("operate") else [],
            earlier_labels=[label for label in labels if not label.is_current],
            said_by=next((label.said_by for label in labels if label.is_current), None),
            verdicts=verdicts_of(connection, image_id=image.image_id),
            near=near,
            above=ancestors(connection, label_id=image.label_id) if image.label_id else [],
            more=more,
            is_alike=is_alike,
            exact=exact_copies(connection, image_id=image.image_id),
            licence_url=LICENCE_URLS[image.licence],
            said_by_models=network_labels_of(connection, image_id=image.image_id),
            is_selected=image.image_id in selected().pictures,
            is_left_out=image.image_id in selected().left_out,
        )


@blueprint.get("/<sha256>/report")
@signed_in
def report(sha256: str) -> ResponseReturnValue:
    """Show the form in which somebody says what is wrong with a picture that everybody sees; `reason` is chosen beforehand."""
    return _report_page(public_image(sha256), reason=request.args.get("reason", ""))


@blueprint.post("/<sha256>/report")
@limiter.limit(REPORT_LIMIT)
@signed_in
def submit_report(sha256: str) -> ResponseReturnValue:
    """Write a report down for the operators."""
    image = public_image(sha256)
    reason, note = request.form.get("reason", ""), request.form.get("note", "")
    try:
        with hub().engine.begin() as connection:
            is_new = report_picture(
                connection, image_id=image.image_id, user_id=signed_in_user().id, reason=reason, note=note.replace("\r\n", "\n")
            )
    except InvalidInputError as error:
        return _report_page(image, reason=reason, note=note, problem=str(error)), 400
    flash(
        "Thank you. An operator will look at this picture."
        if is_new
        else "You have reported this picture before, and an operator will look at it."
    )
    return redirect(url_for("images.page", sha256=sha256))


@blueprint.get("/<sha256>/picture.jpg")
@public
def picture(sha256: str) -> Response:
    """Give the stored picture."""
    return jpeg(sha256, picture_key(check_sha256(sha256)))


@blueprint.get("/<sha256>/thumbnail.jpg")
@public
def thumbnail(sha256: str) -> Response:
    """Give the thumbnail."""
    return jpeg(sha256, thumbnail_key(check_sha256(sha256)))


def jpeg(sha256: str, key: str) -> Response:
    """Send one of a picture's files to whoever may see it. Raises NotFoundError."""
    user = current_user()
    with hub().engine.connect() as connection:
        viewers = image_viewers(connection, sha256, user_id=user.id if user else None)
    if viewers is None or not (viewers.is_public or viewers.is_senders or may("operate")):
        raise _no_such_picture()
    response = Response(mimetype="image/jpeg")
    if not viewers.is_public:
        response.cache_control.private = True
        response.cache_control.no_store = True
        response.data = hub().store.read(key)
        return response
    response.set_etag(sha256)
    response.cache_control.public = True
    response.cache_control.max_age = YEAR_S
    response.cache_control.immutable = True
    if sha256 not in request.if_none_match:
        response.data = hub().store.read(key)
    response.make_conditional(request)
    return response


def seen_image(connection: Connection, sha256: str) -> Image:
    """Return a picture that whoever asks may see. Raises NotFoundError, the same for no picture and for one that they may not."""
    check_sha256(sha256)
    try:
        image = image_by_sha256(connection, sha256)
    except NotFoundError:
        raise _no_such_picture() from None
    if image.label_id is None and not _may_see_hidden(image):
        raise _no_such_picture()
    return image


def _more_of(connection: Connection, image: Image, *, without: Set[int]) -> tuple[list[Picture], bool]:
    """Return a few pictures of a picture's own label, and whether they begin with those most like it.

    Behind those, and where no network saw it, come those that came before it, and the newest where there are too few.
    """
    if image.label_id is None:
        return [], False
    limit = MORE_IMAGES + len(without) + 1
    of_label = partial(gallery, connection, label_id=image.label_id, with_descendants=False, limit=limit)
    found = most_alike(connection, image_id=image.image_id, label_id=image.label_id, newest=COMPARED_IMAGES, limit=limit)
    is_alike = bool(found)
    if len(found) < limit:
        found += of_label(after_image_id=image.image_id)
    if len(found) < limit:
        found += of_label()
    others = {picture.image_id: picture for picture in found if picture.image_id not in {image.image_id, *without}}
    return list(others.values())[:MORE_IMAGES], is_alike


def _may_see_hidden(image: Image) -> bool:
    user = current_user()
    is_senders = user is not None and user.id == image.supplier_id and image.taken_down_at is None
    return is_senders or may("operate")


def public_image(sha256: str) -> Image:
    """Return a picture that everybody sees. Raises NotFoundError."""
    with hub().engine.connect() as connection:
        image = seen_image(connection, sha256)
    if image.label_id is None:
        raise _no_such_picture()
    return image


def _report_page(image: Image, *, reason: str = "", note: str = "", problem: str | None = None) -> str:
    return render_template(
        "report.html",
        image=image,
        reasons=REPORT_WORDS,
        reason=reason,
        note=note[: 2 * MAX_NOTE_LENGTH],
        max_length=MAX_NOTE_LENGTH,
        problem=problem,
    )


def _no_such_picture() -> NotFoundError:
    """Return the same answer for a picture that is not here and for one that is not for the asker."""
    return NotFoundError("There is no such picture here. It may have been taken out of the hub.")


def check_sha256(sha256: str) -> str:
    """Return what stands in an address where a picture's sha256 belongs. Raises NotFoundError when it is none."""
    if not _SHA256.fullmatch(sha256):
        raise NotFoundError("There is no such picture: its address holds 64 digits from 0-9a-f. It may have been cut off.")
    return sha256
