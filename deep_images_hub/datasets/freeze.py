"""Freeze a recipe: from what is asked to the list of pictures that never changes.

The same recipe on the same catalogue gives the same digest and the same version, however often and by whomever it is frozen.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from deep_images_hub.catalogue.datasets import DatasetVersion, candidates, save_version
from deep_images_hub.catalogue.images import pictures_by_sha256s
from deep_images_hub.catalogue.labels import Label, label_names, labels_by_codes
from deep_images_hub.datasets.content import DIGEST_HEADER, content_line
from deep_images_hub.datasets.recipe import Recipe, check_label_codes
from deep_images_hub.datasets.split import SplitCandidate, draw, split
from deep_images_hub.errors import InvalidInputError

MAX_NAME_LENGTH = 120
# Beyond this the exact pictures are found out when the dataset is made, not while somebody waits for an answer.
COUNTED_UP_TO_IMAGES = 20_000


@dataclass(frozen=True)
class Expected:
    """What a recipe would give now.

    Attributes:
        about: how many pictures, at most, by the labels' kept counts.
        counts: exactly, by label code and split; None: there may be more than COUNTED_UP_TO_IMAGES, which are not counted.
        size_bytes: of those that are counted.
    """

    about: int
    counts: Counter[tuple[str, str]] | None = None
    size_bytes: int = 0


def freeze(connection: Connection, recipe: Recipe, *, name: str, created_by: int | None) -> DatasetVersion:
    """Write down the pictures that a recipe gives now, with their splits and groups.

    Args:
        name: for people; a version that is there already keeps its own.
        created_by: the account that asks, or None for the hub itself.

    Returns:
        The version: a new one, or the one that this recipe gave before with the same content.

    Raises:
        InvalidInputError: a label or picture does not exist (the nearest label is named), the name is empty or too long, or
            the recipe gives no picture.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise InvalidInputError(
            f"The dataset's name has {len(name)} characters; expected 1 to {MAX_NAME_LENGTH}. Give it another."
        )
    pictures = compose(connection, recipe)
    if not pictures:
        raise InvalidInputError("No picture fits this recipe. Choose more labels, or ask for less of the pictures.")
    digest = content_digest(pictures)
    return save_version(connection, recipe=recipe, digest=digest, name=name, created_by=created_by, pictures=pictures)


def compose(connection: Connection, recipe: Recipe) -> list[SplitCandidate]:
    """Return the pictures that a recipe gives now, by label code, then sha256. Writes nothing.

    Raises:
        InvalidInputError: a label or a picture of the recipe does not exist.
    """
    _check_existence(connection, recipe, labels_by_codes(connection, recipe.label_codes))
    drawn = draw(candidates(connection, recipe=recipe), max_per_label=recipe.max_per_label, seed=recipe.seed)
    return split(drawn, fractions=recipe.fractions, seed=recipe.seed)


def expect(connection: Connection, recipe: Recipe) -> Expected:
    """Return what a recipe would give now, counted as far as that is quick. Raises InvalidInputError as `compose` does."""
    labels = labels_by_codes(connection, recipe.label_codes)
    about = len(recipe.pictures) + sum(
        label.subtree_images if recipe.with_descendants else label.own_images for label in labels.values()
    )
    if about > COUNTED_UP_TO_IMAGES:
        _check_existence(connection, recipe, labels)
        return Expected(about)
    pictures = compose(connection, recipe)
    counts = Counter((picture.candidate.label_code, picture.split) for picture in pictures)
    return Expected(about, counts, sum(picture.candidate.size_bytes for picture in pictures))


def content_digest(pictures: Sequence[SplitCandidate]) -> str:
    """Return the sha256 of a version's content: every picture's label, hash, split and group, whatever order they come in."""
    digest = hashlib.sha256(DIGEST_HEADER.encode())
    for picture in sorted(pictures, key=lambda picture: (picture.candidate.label_code, picture.candidate.sha256)):
        of = picture.candidate
        line = content_line(sha256=of.sha256, label_code=of.label_code, split=picture.split, group_key=picture.group_key)
        digest.update(line.encode())
    return digest.hexdigest()


def _check_existence(connection: Connection, recipe: Recipe, labels: Mapping[str, Label]) -> None:
    if len(labels) < len(recipe.label_codes):
        check_label_codes(recipe.label_codes, label_names(connection))
    if unknown := set(recipe.pictures) - pictures_by_sha256s(connection, recipe.pictures).keys():
        raise InvalidInputError(f"There is no picture with the sha256 {min(unknown)}. Take it out of the recipe.")
