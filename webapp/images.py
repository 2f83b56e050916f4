"""One picture: its bytes, and its page with what was found and where it came from.

A picture with a current label is everybody's, and its bytes never change, so that a browser asks once. One without (refused, in
review, or gone out again) is there for operators and for whoever sent it, and for nobody else; no cache keeps it. The original,
with whatever the camera wrote into it, is never served.
"""

import re

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.decisions import object_history, why_rejected
from deep_images_hub.catalogue.images import (
    exact_copies,
    image_by_sha256,
    image_viewers,
    labels_of,
    near_copies,
    verdicts_of,
)
from deep_images_hub.errors import NotFoundError
from deep_images_hub.licences import LICENCE_URLS
from deep_images_hub.object_store.keys import picture_key, thumbnail_key
from webapp.access import current_user, may, public
from webapp.security import YEAR_S
from webapp.selection import selected
from webapp.services import hub

blueprint = Blueprint("images", __name__, url_prefix="/images")

_SHA256 = re.compile(r"[0-9a-f]{64}")


@blueprint.get("/<sha256>")
@public
def page(sha256: str) -> ResponseReturnValue:
    """Show a picture, every check's verdict in plain words, and its lineage."""
    _check_sha256(sha256)
    with hub().engine.connect() as connection:
        image = image_by_sha256(connection, sha256)
        is_public = image.label_id is not None
        if not is_public and not _is_own(image.supplier_id):
            raise _no_such_picture()
        # Newest first; the current label is shown as the picture's own.
        labels = labels_of(connection, image_id=image.image_id)
        return render_template(
            "image.html",
            image=image,
            hidden=None if is_public else why_rejected(connection, object_key=image.original_key),
            history=object_history(connection, object_key=image.original_key) if may("operate") else [],
            earlier_labels=[label for label in labels if not label.is_current],
            said_by=next((label.said_by for label in labels if label.is_current), None),
            verdicts=verdicts_of(connection, image_id=image.image_id),
            near=near_copies(connection, image_id=image.image_id),
            exact=exact_copies(connection, image_id=image.image_id),
            licence_url=LICENCE_URLS[image.licence],
            is_selected=sha256 in selected().pictures,
            is_left_out=sha256 in selected().left_out,
        )


@blueprint.get("/<sha256>/picture.jpg")
@public
def picture(sha256: str) -> Response:
    """Give the stored picture."""
    return _jpeg(sha256, picture_key(_check_sha256(sha256)))


@blueprint.get("/<sha256>/thumbnail.jpg")
@public
def thumbnail(sha256: str) -> Response:
    """Give the thumbnail."""
    return _jpeg(sha256, thumbnail_key(_check_sha256(sha256)))


def _jpeg(sha256: str, key: str) -> Response:
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


def _is_own(supplier_id: int) -> bool:
    user = current_user()
    return user is not None and (user.id == supplier_id or may("operate"))


def _no_such_picture() -> NotFoundError:
    """Return the same answer for a picture that is not here and for one that is not for the asker."""
    return NotFoundError("There is no such picture here. It may have been taken out of the hub.")


def _check_sha256(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise NotFoundError("There is no such picture: its address holds 64 digits from 0-9a-f. It may have been cut off.")
    return sha256
