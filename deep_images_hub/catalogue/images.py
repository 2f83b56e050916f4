"""Pictures: galleries by keyset, one picture with all that is known of it, and pictures that look the same."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.near_duplicates import find_likenesses
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.errors import NotFoundError
from deep_images_hub.verdicts import Verdict


@dataclass(frozen=True)
class Picture:
    """A picture as a gallery shows it, under its current label.

    Attributes:
        image_id: its row; hand over a page's last one as `after_image_id` to read on.
        sha256: of the bytes as sent; its name outside the catalogue.
        width_px, height_px: of the original, upright.
    """

    image_id: int
    sha256: str
    label_id: int
    label_code: str
    label_name: str
    picture_key: str
    thumbnail_key: str
    width_px: int
    height_px: int


@dataclass(frozen=True)
class NearCopy(Picture):
    """A picture that looks like another. score: 0 the same but for light, to the threshold of near-duplicates."""

    score: float


@dataclass(frozen=True)
class Image:
    """A picture with where it came from.

    Attributes:
        label_id, label_code, label_name: its current label, None when it has none.
        format: of the bytes as sent, as are size_bytes and sha256.
        picture_size_bytes: of the stored picture.
        quality_score: 0 (worst) to 1.
        taken_down_at: since then it is there for operators alone; None: it was not taken down.
        country_code, city: None unless the supplier shared a place.
    """

    image_id: int
    sha256: str
    label_id: int | None
    label_code: str | None
    label_name: str | None
    picture_key: str
    thumbnail_key: str
    width_px: int
    height_px: int
    format: str
    size_bytes: int
    picture_size_bytes: int
    original_key: str
    quality_score: float
    taken_at: datetime | None
    created_at: datetime
    taken_down_at: datetime | None
    batch_key: str
    supplier_id: int
    supplier_name: str
    licence: str
    attribution: str | None
    country_code: str | None
    city: str | None


@dataclass(frozen=True)
class ImageViewers:
    """Who may see a picture besides operators: everybody, or whoever sent its bytes, whom this is asked for."""

    is_public: bool
    is_senders: bool


@dataclass(frozen=True)
class ImageLabel:
    """A label that somebody gave a picture.

    Attributes:
        said_by: `supplier`, `crowd`, `network` or `operator`.
        confidence: 0 to 1, or None where nobody gave one.
        is_current: one is, at most, in each label set.
    """

    label_set: str
    label_code: str
    label_name: str
    said_by: str
    confidence: float | None
    is_current: bool
    created_at: datetime


@dataclass(frozen=True)
class ExactCopy:
    """A submission that was refused because its bytes were here already."""

    batch_key: str
    position: int
    filename: str


def gallery(
    connection: Connection,
    *,
    label_id: int | None,
    with_descendants: bool = True,
    after_image_id: int | None = None,
    limit: int = 60,
) -> list[Picture]:
    """Return a page of pictures, newest first: of a label, with or without everything under it, or of all when label_id is None.

    Read on with `after_image_id=page[-1].image_id`.
    """
    parameters = {
        "label_id": label_id,
        "with_descendants": with_descendants,
        "after_image_id": after_image_id,
        "limit": limit,
    }
    if label_id is None:
        del parameters["label_id"], parameters["with_descendants"]
    rows = connection.execute(load_query("gallery_of_everything" if label_id is None else "gallery"), parameters)
    return [Picture(**row._mapping) for row in rows]


def image_by_sha256(connection: Connection, sha256: str) -> Image:
    """Return a picture. Raises NotFoundError."""
    row = connection.execute(load_query("image_by_sha256"), {"sha256": sha256}).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no picture with the sha256 {sha256!r}.")
    return Image(**row._mapping)


def image_viewers(connection: Connection, sha256: str, *, user_id: int | None) -> ImageViewers | None:
    """Return who may see a picture, and whether an account is among its senders. None: there is no such picture."""
    row = connection.execute(load_query("image_viewers"), {"sha256": sha256, "user_id": user_id}).one_or_none()
    return None if row is None else ImageViewers(**row._mapping)


def pictures_by_sha256s(connection: Connection, sha256s: Collection[str]) -> dict[str, Picture]:
    """Return those of the pictures that exist and have a label, by sha256."""
    rows = connection.execute(load_query("pictures_by_sha256s"), {"sha256s": list(sha256s)})
    return {row.sha256: Picture(**row._mapping) for row in rows}


def pictures_by_ids(connection: Connection, image_ids: Collection[int]) -> dict[int, Picture]:
    """Return those of the pictures that exist and have a label, by id."""
    rows = connection.execute(load_query("pictures_by_ids"), {"image_ids": list(image_ids)})
    return {row.image_id: Picture(**row._mapping) for row in rows}


def verdicts_of(connection: Connection, *, image_id: int) -> list[Verdict]:
    """Return what every check said of a picture, in the order in which they were made."""
    return [Verdict(**row._mapping) for row in connection.execute(load_query("image_verdicts"), {"image_id": image_id})]


def labels_of(connection: Connection, *, image_id: int) -> list[ImageLabel]:
    """Return every label that a picture has or had, newest first."""
    rows = connection.execute(
        text(
            "select image_labels.label_set, labels.code as label_code, labels.name as label_name, image_labels.said_by,"
            " image_labels.confidence, image_labels.is_current, image_labels.created_at"
            " from image_labels join labels on labels.id = image_labels.label_id"
            " where image_labels.image_id = :image_id order by image_labels.id desc"
        ),
        {"image_id": image_id},
    )
    return [ImageLabel(**row._mapping) for row in rows]


def near_copies(connection: Connection, *, image_id: int, limit: int = 12) -> list[NearCopy]:
    """Return the pictures with a label that are near-duplicates of one, by the same rule as intake's; the most alike first."""
    scores = {
        likeness.other_id: likeness.score
        for likeness in find_likenesses(connection, image_ids=[image_id])
        if likeness.is_near_duplicate
    }
    rows = connection.execute(load_query("pictures_by_ids"), {"image_ids": list(scores)})
    found = [NearCopy(**row._mapping, score=scores[row.image_id]) for row in rows]
    return sorted(found, key=lambda copy: (copy.score, copy.image_id))[:limit]


def most_alike(connection: Connection, *, image_id: int, label_id: int, newest: int, limit: int) -> list[Picture]:
    """Return pictures of a label that look most like one, by a network's features, the most alike first; none without features.

    Args:
        newest: so many of the label are compared: for each some kilobytes of features are read.
    """
    given = {"image_id": image_id, "label_id": label_id, "newest": newest, "limit": limit}
    return [Picture(**row._mapping) for row in connection.execute(load_query("most_alike"), given)]


def exact_copies(connection: Connection, *, image_id: int, limit: int = 12) -> list[ExactCopy]:
    """Return submissions that were refused as copies of a picture, oldest first."""
    rows = connection.execute(
        text(
            "select batches.key as batch_key, submissions.position, submissions.filename"
            " from submissions join batches on batches.id = submissions.batch_id"
            " where submissions.image_id = :image_id and submissions.reason = 'exact_duplicates'"
            " order by submissions.id limit :limit"
        ),
        {"image_id": image_id, "limit": limit},
    )
    return [ExactCopy(**row._mapping) for row in rows]
