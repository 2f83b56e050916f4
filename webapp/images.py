"""One picture: its bytes, and its page with what was found and where it came from.

Bytes are served by sha256 from the store without asking the catalogue: they never change, so that a browser asks once. The
original, with whatever the camera wrote into it, is never served.
"""

import re

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from deep_images_hub.catalogue.images import exact_copies, image_by_sha256, labels_of, near_copies, verdicts_of
from deep_images_hub.errors import NotFoundError
from deep_images_hub.licences import LICENCE_URLS
from deep_images_hub.object_store.keys import picture_key, thumbnail_key
from webapp.access import public
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
        # Newest first; the current label is shown as the picture's own.
        labels = labels_of(connection, image_id=image.image_id)
        return render_template(
            "image.html",
            image=image,
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
    response = Response(mimetype="image/jpeg")
    response.set_etag(sha256)
    response.cache_control.public = True
    response.cache_control.max_age = YEAR_S
    response.cache_control.immutable = True
    if sha256 not in request.if_none_match:
        response.data = hub().store.read(key)
    response.make_conditional(request)
    return response


def _check_sha256(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise NotFoundError("There is no such picture: its address holds 64 digits from 0-9a-f. It may have been cut off.")
    return sha256
