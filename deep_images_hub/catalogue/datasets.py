"""Recipes and dataset versions: which pictures a recipe admits, writing a frozen version down, reading it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from deep_images_hub.catalogue.engine import copy_rows
from deep_images_hub.catalogue.images import Picture
from deep_images_hub.catalogue.queries import load_query
from deep_images_hub.catalogue.tables import dataset_versions, recipes
from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount
from deep_images_hub.datasets.croissant import Facts
from deep_images_hub.datasets.exports.export import VersionPicture
from deep_images_hub.datasets.recipe import Recipe
from deep_images_hub.datasets.split import Candidate, SplitCandidate
from deep_images_hub.errors import InvalidInputError, NotFoundError

_READ_ROWS = 1_000
_versions = select(
    dataset_versions.c.id,
    dataset_versions.c.name,
    dataset_versions.c.digest,
    recipes.c.digest.label("recipe_digest"),
    recipes.c.body.label("recipe_body"),
    dataset_versions.c.image_count,
    dataset_versions.c.train_count,
    dataset_versions.c.validation_count,
    dataset_versions.c.test_count,
    dataset_versions.c.label_count,
    dataset_versions.c.size_bytes,
    dataset_versions.c.created_by,
    dataset_versions.c.created_at,
    dataset_versions.c.patched_by,
    dataset_versions.c.credits_revision,
).join_from(dataset_versions, recipes, recipes.c.id == dataset_versions.c.recipe_id)


@dataclass(frozen=True)
class DatasetVersion:
    """A frozen answer to a recipe; its content never changes.

    Attributes:
        id: its row.
        name: as its maker called it.
        digest: of its content: pictures, labels, splits.
        recipe_digest, recipe_body: what was asked; the body is JSON values for `recipe_from_body`.
        image_count: of all splits; train_count, validation_count and test_count add up to it.
        size_bytes: of all its stored pictures.
        created_by: the account that froze it first, or None.
        patched_by: the version that has what is left of it since pictures were taken down; None: it has all its pictures.
        credits_revision: how often suppliers of its pictures took their names back.
    """

    id: int
    name: str
    digest: str
    recipe_digest: str
    recipe_body: dict[str, Any]
    image_count: int
    train_count: int
    validation_count: int
    test_count: int
    label_count: int
    size_bytes: int
    created_by: int | None
    created_at: datetime
    patched_by: int | None
    credits_revision: int = 0


@dataclass(frozen=True)
class TrainingPicture:
    """A picture of a version as training reads it.

    Attributes:
        position: its place in the version.
        label_code: its label in this version.
        split: `train`, `validation` or `test`.
        group_key: equal for pictures of one batch or that are copies of one another, which no split parts.
    """

    position: int
    image_id: int
    sha256: str
    label_code: str
    split: str
    group_key: str
    picture_key: str


@dataclass(frozen=True)
class ShownPicture(Picture):
    """A picture of a version, under the version's own label.

    Attributes:
        position: its place in the version.
        is_public: False: nobody but operators may see it any more.
    """

    position: int
    split: str
    is_public: bool


def candidates(connection: Connection, *, recipe: Recipe) -> list[Candidate]:
    """Return every picture that a recipe admits, before its limit per label is applied, by label code, then sha256.

    Pictures have their current label; labels that do not exist admit nothing.
    """
    rows = connection.execute(
        load_query("recipe_candidates"),
        {
            "label_codes": list(recipe.label_codes),
            "with_descendants": recipe.with_descendants,
            "pictures": list(recipe.pictures),
            "left_out": list(recipe.left_out),
            "city": recipe.city,
            "licences": list(recipe.licences),
            "min_quality": recipe.min_quality,
        },
    )
    return [Candidate(**row._mapping) for row in rows]


def save_version(
    connection: Connection,
    *,
    recipe: Recipe,
    digest: str,
    name: str,
    created_by: int | None,
    pictures: Sequence[SplitCandidate],
) -> DatasetVersion:
    """Write a version down, or return the one that this recipe gave before when it has the same digest, under its first name.

    Args:
        digest: of the content.
        pictures: at least one; a picture's place here is its position in the version.
    """
    recipe_id = _recipe_id(connection, recipe)
    splits = Counter(picture.split for picture in pictures)
    version_id = connection.execute(
        insert(dataset_versions)
        .values(
            recipe_id=recipe_id,
            name=name,
            digest=digest,
            image_count=len(pictures),
            train_count=splits["train"],
            validation_count=splits["validation"],
            test_count=splits["test"],
            label_count=len({picture.candidate.label_code for picture in pictures}),
            size_bytes=sum(picture.candidate.size_bytes for picture in pictures),
            created_by=created_by,
        )
        .on_conflict_do_nothing(index_elements=[dataset_versions.c.recipe_id, dataset_versions.c.digest])
        .returning(dataset_versions.c.id)
    ).scalar_one_or_none()
    if version_id is not None:
        copy_rows(
            connection,
            "dataset_items",
            ("version_id", "position", "image_id", "label_id", "split", "group_key"),
            (
                (version_id, position, of.candidate.image_id, of.candidate.label_id, of.split, of.group_key)
                for position, of in enumerate(pictures)
            ),
        )
        connection.execute(load_query("count_version_batches"), {"version_id": version_id})
    kept = dataset_versions.c.recipe_id == recipe_id, dataset_versions.c.digest == digest
    return DatasetVersion(**connection.execute(_versions.where(*kept)).one()._mapping)


def _recipe_id(connection: Connection, recipe: Recipe) -> int:
    connection.execute(
        insert(recipes).values(digest=recipe.digest, body=recipe.body).on_conflict_do_nothing(index_elements=[recipes.c.digest])
    )
    recipe_id: int = connection.execute(select(recipes.c.id).where(recipes.c.digest == recipe.digest)).scalar_one()
    return recipe_id


def version_by_id(connection: Connection, version_id: int) -> DatasetVersion:
    """Return a version. Raises NotFoundError."""
    row = connection.execute(_versions.where(dataset_versions.c.id == version_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no dataset version with the number {version_id}.")
    return DatasetVersion(**row._mapping)


def version_by_digest(connection: Connection, digest: str) -> DatasetVersion:
    """Return the first version with this content; several recipes may have given it. Raises NotFoundError."""
    of_digest = _versions.where(dataset_versions.c.digest == digest).order_by(dataset_versions.c.id).limit(1)
    row = connection.execute(of_digest).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no dataset version with the digest {digest!r}.")
    return DatasetVersion(**row._mapping)


def version_named(connection: Connection, named: str) -> DatasetVersion:
    """Return the version that a person names: by `NAME/DIGEST`, or by the digest alone; of a digest, its first digits are enough.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: there are several.
    """
    name, _, digest = named.rpartition("/")
    if not digest.isalnum():
        raise InvalidInputError(f"{named!r} names no dataset version. Expected NAME/DIGEST, as its page shows them.")
    of_name = _versions.where(
        dataset_versions.c.digest.startswith(digest.lower()), *([dataset_versions.c.name == name] if name else [])
    )
    found = [DatasetVersion(**row._mapping) for row in connection.execute(of_name.order_by(dataset_versions.c.id))]
    if not found:
        raise NotFoundError(f"There is no dataset version {named!r}. Expected NAME/DIGEST, as its page shows them.")
    if len({version.digest for version in found}) > 1:
        raise InvalidInputError(f"{len(found)} dataset versions begin like {named!r}. Give more digits of the digest.")
    return found[0]


def versions(connection: Connection, *, before_id: int | None = None, limit: int = 50) -> list[DatasetVersion]:
    """Return dataset versions, newest first. Read on with `before_id=page[-1].id`."""
    page = _versions.order_by(dataset_versions.c.id.desc()).limit(limit)
    if before_id is not None:
        page = page.where(dataset_versions.c.id < before_id)
    return [DatasetVersion(**row._mapping) for row in connection.execute(page)]


def version_items(connection: Connection, version_id: int, split: str | None = None) -> Iterator[VersionPicture]:
    """Yield the pictures of a version, or of one of its splits, in order of position.

    Reads through a server-side cursor: memory stays flat, and the connection is busy until the last one is read.
    """
    parameters = {"version_id": version_id, "split": split, "label_code": None, "after_position": -1, "limit": None}
    by_cursor = {"stream_results": True, "yield_per": _READ_ROWS}
    rows = connection.execute(load_query("version_pictures"), parameters, execution_options=by_cursor)
    for row in rows:
        yield VersionPicture._make(row)


def version_page(
    connection: Connection,
    *,
    version_id: int,
    split: str | None = None,
    label_code: str | None = None,
    after_position: int = -1,
    limit: int = _READ_ROWS,
) -> list[VersionPicture]:
    """Return some pictures of a version, a split or a label of it, in order of position. Read on with `page[-1].position`.

    For whoever reads slowly, such as a download: no connection is held between two pages.
    """
    parameters = {"version_id": version_id, "split": split, "label_code": label_code}
    rows = connection.execute(load_query("version_pictures"), parameters | {"after_position": after_position, "limit": limit})
    return [VersionPicture._make(row) for row in rows]


def version_shard(
    connection: Connection, *, version_id: int, split: str, label_code: str | None, number: int, of: int
) -> list[VersionPicture]:
    """Return one of about equal parts of a split, or of a label in it, labels mixed; numbered from 0."""
    parameters = {"version_id": version_id, "split": split, "label_code": label_code, "number": number, "shard_count": of}
    return [VersionPicture._make(row) for row in connection.execute(load_query("version_shard"), parameters)]


def version_first(
    connection: Connection, *, version_id: int, split: str, label_code: str | None, limit: int
) -> list[VersionPicture]:
    """Return so many pictures from all over a split, or of a label in it, labels mixed; fewer are the first of more."""
    parameters = {"version_id": version_id, "split": split, "label_code": label_code, "limit": limit}
    return [VersionPicture._make(row) for row in connection.execute(load_query("version_first"), parameters)]


def version_sample(connection: Connection, *, version_id: int, limit: int) -> list[Picture]:
    """Return pictures from all over a version, evenly by position, so that they show many of its labels."""
    rows = connection.execute(load_query("version_sample"), {"version_id": version_id, "limit": limit})
    return [Picture(**row._mapping) for row in rows]


def version_gallery(
    connection: Connection, *, version_id: int, split: str | None, positions: range, limit: int
) -> list[ShownPicture]:
    """Return pictures of a version, or of a split of it, that stand at some positions, in order of these."""
    parameters = {"version_id": version_id, "split": split, "limit": limit}
    bounds = {"from_position": positions.start, "before_position": positions.stop}
    return [ShownPicture(**row._mapping) for row in connection.execute(load_query("version_gallery"), parameters | bounds)]


def training_pictures(connection: Connection, version_id: int) -> list[TrainingPicture]:
    """Return all pictures of a version as training reads them, in order of position; none that was taken down."""
    rows = connection.execute(
        text(
            "select dataset_items.position, dataset_items.image_id, images.sha256, labels.code as label_code,"
            " dataset_items.split, dataset_items.group_key, images.picture_key from dataset_items"
            " join images on images.id = dataset_items.image_id"
            " join labels on labels.id = dataset_items.label_id where dataset_items.version_id = :version_id"
            " and images.taken_down_at is null order by dataset_items.position"
        ),
        {"version_id": version_id},
    )
    return [TrainingPicture(**row._mapping) for row in rows]


def label_split_counts(connection: Connection, version_id: int) -> list[LabelSplitCount]:
    """Return how many pictures of each label each split of a version has, by label code, then split."""
    rows = connection.execute(load_query("version_label_counts"), {"version_id": version_id})
    return [LabelSplitCount(**row._mapping) for row in rows]


def attribution_counts(
    connection: Connection, version_id: int, *, split: str | None = None, label_code: str | None = None
) -> list[AttributionCount]:
    """Return how many pictures of a version, a split or a label of it came under each licence and attribution, by those."""
    parameters = {"version_id": version_id, "split": split, "label_code": label_code}
    rows = connection.execute(load_query("version_attributions"), parameters)
    return [AttributionCount(**row._mapping) for row in rows]


def version_facts(connection: Connection, version_id: int) -> Facts:
    """Return when, where and in how many batches a version's pictures were taken."""
    return Facts(**connection.execute(load_query("version_facts"), {"version_id": version_id}).one()._mapping)
