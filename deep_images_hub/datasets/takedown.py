"""Take a picture down: out of galleries, search, new datasets and new downloads, all in one transaction.

A dataset version never changes. One that has the picture gets a patch instead: a version of its own, with its own digest, that
has everything else as it was, and takes its place for downloads and training. Copies that somebody has already are theirs to
delete: the patch says which.
"""

from sqlalchemy import Connection

from deep_images_hub.catalogue.datasets import DatasetVersion, save_version, version_by_id
from deep_images_hub.catalogue.decisions import submission_of_object
from deep_images_hub.catalogue.images import image_by_sha256
from deep_images_hub.catalogue.kept_files import forget_files_with
from deep_images_hub.catalogue.patches import (
    latest_patch,
    mark_patched,
    mark_taken_down,
    one_takedown_at_a_time,
    pictures_left,
    tombstones,
    unpatched_versions_with,
)
from deep_images_hub.catalogue.picture_reports import close_reports
from deep_images_hub.catalogue.reviews import lock_decision, refuse_as_taken_down
from deep_images_hub.datasets.freeze import content_digest
from deep_images_hub.datasets.recipe import recipe_from_body
from deep_images_hub.errors import ConflictError
from deep_images_hub.picture_reports import REPORT_WORDS


def take_down(connection: Connection, *, sha256: str, user_id: int) -> list[DatasetVersion]:
    """Take a reported picture down, close its reports, and return the patches of the dataset versions that had it.

    Call it in a transaction of its own, and `keeping.remove_forgotten` after it: nobody gets kept files with the picture from the
    end of the transaction on, and then they are gone. Reads and writes every picture of those versions. Others who take something
    down wait.

    Raises:
        NotFoundError: there is no such picture.
        ConflictError: it has no open report, or no longer: nothing is changed.
    """
    one_takedown_at_a_time(connection)
    image = image_by_sha256(connection, sha256)
    reasons = close_reports(connection, image_id=image.image_id, outcome="taken_down", user_id=user_id)
    submission_id = submission_of_object(connection, image.original_key)
    # In this order: the decision's batch, the picture, the counts of labels.
    lock_decision(connection, submission_id)
    mark_taken_down(connection, image_id=image.image_id)
    patches = [_patch(connection, version) for version in unpatched_versions_with(connection, image_id=image.image_id)]
    why = "; ".join(REPORT_WORDS[reason] for reason in dict.fromkeys(reasons))
    refuse_as_taken_down(connection, submission_id=submission_id, why=why, user_id=user_id)
    forget_files_with(connection, image_id=image.image_id)
    return [patch for patch in patches if patch is not None]


def current_version(connection: Connection, version_id: int) -> DatasetVersion:
    """Return the version that is to be used in a version's place: itself, unless pictures of it were taken down.

    Makes the patch where a version was frozen in the moment in which a picture of it was taken down.

    Raises:
        NotFoundError: there is no such version.
        ConflictError: every picture of it was taken down.
    """
    version = latest_patch(connection, version_by_id(connection, version_id))
    if not any(stone.is_own for stone in tombstones(connection, version.id)):
        return version
    patch = _patch(connection, version)
    if patch is None:
        raise ConflictError("Every picture of this dataset was taken down: nothing is left of it to use. Freeze another one.")
    return patch


def _patch(connection: Connection, version: DatasetVersion) -> DatasetVersion | None:
    """Put a version with what is left of one in its place. None: nothing is left."""
    left = pictures_left(connection, version.id)
    if not left:
        return None
    patch = save_version(
        connection,
        recipe=recipe_from_body(version.recipe_body),
        digest=content_digest(left),
        name=version.name,
        created_by=version.created_by,
        pictures=left,
    )
    mark_patched(connection, version_id=version.id, patched_by=patch.id)
    return patch
