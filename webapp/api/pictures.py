"""Pictures: galleries with the portal's filters and orders, one picture with all that is known, its files, reporting it."""

from typing import Any

from flask import Response, request, url_for
from sqlalchemy import Connection

from deep_images_hub.catalogue.galleries import Gallery, count_fitting, gallery_page, open_gallery
from deep_images_hub.catalogue.images import Image, exact_copies, labels_of, near_copies, verdicts_of
from deep_images_hub.catalogue.images import Picture as GalleryPicture
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.picture_reports import report_picture
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.images.gallery_places import place_at, place_from_text
from deep_images_hub.images.picture_filter import picture_filter_from_query
from deep_images_hub.licences import LICENCE_URLS
from deep_images_hub.object_store.keys import picture_key, thumbnail_key
from deep_images_hub.wire import pictures as wire
from webapp.access import public, signed_in_user, signed_in_with
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.images import check_sha256, jpeg, public_image, seen_image
from webapp.security import REPORT_LIMIT, limiter
from webapp.services import hub


@api.get("/pictures", tag="Pictures", query=wire.PicturesAsked, answer=wire.PicturePage)
@public
def list_pictures(query: wire.PicturesAsked) -> wire.PicturePage:
    """List the pictures of a label, or of the hub, that fit a filter, in one of four orders.

    The filter is what the address of a gallery of the portal says, in the same words. A part may be shorter than `limit`
    (`is_cut_short`) where few of many pictures fit; go on with `next`.
    """
    if query.cursor is not None and query.at is not None:
        raise InvalidInputError("The request has `cursor` and `at`: go on from one place. Leave one of them out.")
    with hub().engine.connect() as connection:
        gallery = _gallery(connection, query.label)
        sort = gallery.wanted.sort
        after = place_from_text(sort, place_of(query.cursor))
        if query.at:
            after = place_at(sort, query.at)
        page = gallery_page(connection, gallery, after=after, limit=query.limit)
    return wire.PicturePage(
        pictures=[wire.Picture(**picture_fields(picture)) for picture in page.pictures],
        is_cut_short=page.is_cut_short,
        next=following(page.after.text) if page.after else None,
    )


@api.get("/pictures/counts", tag="Pictures", query=wire.FilterAsked, answer=wire.PictureCounts)
@public
def count_pictures(query: wire.FilterAsked) -> wire.PictureCounts:
    """Say how many pictures fit a filter, exactly as far as that is quick, and what those of the label have in common."""
    with hub().engine.connect() as connection:
        gallery = _gallery(connection, query.label)
        fitting = count_fitting(connection, gallery)
    facets = {name: [wire.FacetValue.model_validate(value) for value in values] for name, values in gallery.facets.items()}
    return wire.PictureCounts(least=fitting.least, most=fitting.most, facets=facets)


@api.get("/pictures/<sha256>", tag="Pictures", answer=wire.PictureDetail)
@public
def read_picture(sha256: str) -> wire.PictureDetail:
    """Give a picture with every check's verdict, its lineage, and what looks the same.

    One that is refused, in review or gone out again is there for its supplier and operators alone.
    """
    with hub().engine.connect() as connection:
        image = seen_image(connection, sha256)
        return wire.PictureDetail(
            **_lineage(image),
            labels=[wire.GivenLabel.model_validate(label) for label in labels_of(connection, image_id=image.image_id)],
            verdicts=[wire.Verdict.model_validate(verdict) for verdict in verdicts_of(connection, image_id=image.image_id)],
            near_copies=[
                wire.NearCopy(**picture_fields(copy), score=copy.score)
                for copy in near_copies(connection, image_id=image.image_id)
            ],
            exact_copies=[wire.ExactCopy.model_validate(copy) for copy in exact_copies(connection, image_id=image.image_id)],
        )


@api.get("/pictures/<sha256>/picture.jpg", tag="Pictures", gives=("image/jpeg",))
@public
def download_picture(sha256: str) -> Response:
    """Give the stored picture: upright, its short side as long as the hub keeps it."""
    return jpeg(sha256, picture_key(check_sha256(sha256)))


@api.get("/pictures/<sha256>/thumbnail.jpg", tag="Pictures", gives=("image/jpeg",))
@public
def download_thumbnail(sha256: str) -> Response:
    """Give the thumbnail."""
    return jpeg(sha256, thumbnail_key(check_sha256(sha256)))


@api.post("/pictures/<sha256>/reports", tag="Pictures", body=wire.ReportAsked, answer=wire.ReportAnswer, statuses=(201, 200))
@limiter.limit(REPORT_LIMIT)
@signed_in_with("report")
def report_a_picture(sha256: str, body: wire.ReportAsked) -> tuple[wire.ReportAnswer, int]:
    """Tell the operators what is wrong with a picture that everybody sees."""
    image = public_image(sha256)
    with hub().engine.begin() as connection:
        is_new = report_picture(
            connection, image_id=image.image_id, user_id=signed_in_user().id, reason=body.reason, note=body.note
        )
    return wire.ReportAnswer(is_new=is_new), 201 if is_new else 200


def picture_urls(sha256: str) -> dict[str, str]:
    """Return where a picture's files are."""
    return {
        "picture_url": url_for("api.download_picture", sha256=sha256, _external=True),
        "thumbnail_url": url_for("api.download_thumbnail", sha256=sha256, _external=True),
    }


def picture_fields(picture: GalleryPicture) -> dict[str, Any]:
    """Return what is said of a picture in a list."""
    said = ("sha256", "label_code", "label_name", "width_px", "height_px")
    return {**{name: getattr(picture, name) for name in said}, **picture_urls(picture.sha256)}


def _gallery(connection: Connection, label_code: str | None) -> Gallery:
    label_id = None if label_code is None else label_by_code(connection, label_code).id
    wanted = picture_filter_from_query(dict(request.args.lists()))
    return open_gallery(connection, label_id=label_id, wanted=wanted)


def _lineage(image: Image) -> dict[str, Any]:
    said = (
        "sha256", "label_code", "label_name", "width_px", "height_px", "format", "size_bytes", "quality_score", "licence",
        "attribution", "supplier_name", "batch_key", "country_code", "city", "taken_at", "created_at",
    )  # fmt: skip
    return {
        **{name: getattr(image, name) for name in said},
        **picture_urls(image.sha256),
        "licence_url": LICENCE_URLS[image.licence],
        "status": "hidden" if image.label_id is None else "public",
    }
