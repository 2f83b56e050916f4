"""Open a version's download: joins the catalogue and the store with the form that `image_folder` gives them."""

from collections.abc import Iterator
from typing import IO

from sqlalchemy import Engine

from deep_images_hub.catalogue.datasets import DatasetVersion, attribution_counts, label_split_counts, version_page
from deep_images_hub.catalogue.patches import tombstones
from deep_images_hub.datasets.image_folder import ImageFolder, VersionPicture
from deep_images_hub.object_store import ObjectStore


def open_image_folder(version: DatasetVersion, *, engine: Engine, store: ObjectStore) -> ImageFolder:
    """Open the ImageFolder download of a version. It reads from the catalogue page by page, holding no connection in between.

    Give it the version that `takedown.current_version` names: a version itself has its pictures for ever.
    """
    with engine.connect() as connection:
        counts = label_split_counts(connection, version.id)
        attributions = attribution_counts(connection, version.id)
        taken_down = [stone.sha256 for stone in tombstones(connection, version.id) if not stone.is_own]

    def pictures_of(split: str) -> Iterator[VersionPicture]:
        after_position = -1
        while True:
            with engine.connect() as connection:
                page = version_page(connection, version_id=version.id, split=split, after_position=after_position)
            if not page:
                return
            yield from page
            after_position = page[-1].position

    return ImageFolder(
        version, counts=counts, attributions=attributions, taken_down=taken_down, pictures_of=pictures_of, store=store
    )


def write_zip(version: DatasetVersion, *, engine: Engine, store: ObjectStore, file: IO[bytes]) -> None:
    """Write the ImageFolder zip of a version to an open file."""
    open_image_folder(version, engine=engine, store=store).write(file)
