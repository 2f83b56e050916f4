"""Open a version's download: joins the catalogue and the store with the files that `exports` makes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Engine

from deep_images_hub.catalogue.datasets import (
    DatasetVersion,
    attribution_counts,
    label_split_counts,
    version_first,
    version_page,
    version_shard,
)
from deep_images_hub.catalogue.patches import tombstones
from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount
from deep_images_hub.datasets.exports.export import Export, VersionPicture
from deep_images_hub.datasets.exports.image_folder import ImageFolderZip
from deep_images_hub.datasets.exports.parts import Part
from deep_images_hub.object_store import ObjectStore


@dataclass(frozen=True)
class CataloguePictures:
    """The pictures of a version, read from the catalogue page by page: whoever reads slowly holds no connection in between."""

    engine: Engine
    version_id: int

    def in_order(self, split: str | None, label_code: str | None) -> Iterator[VersionPicture]:
        """Yield the pictures of a split, or those of one label in it, by position."""
        after_position = -1
        while True:
            with self.engine.connect() as connection:
                page = version_page(
                    connection,
                    version_id=self.version_id,
                    split=split,
                    label_code=label_code,
                    after_position=after_position,
                )
            if not page:
                return
            yield from page
            after_position = page[-1].position

    def shard(self, split: str, label_code: str | None, *, number: int, of: int) -> list[VersionPicture]:
        """Return one of so many about equal parts of what `in_order` yields, in an order that mixes the labels."""
        with self.engine.connect() as connection:
            return version_shard(connection, version_id=self.version_id, split=split, label_code=label_code, number=number, of=of)

    def first(self, split: str, label_code: str | None, count: int) -> list[VersionPicture]:
        """Return so many pictures of what `in_order` yields, from all over it, in an order that mixes the labels."""
        with self.engine.connect() as connection:
            return version_first(connection, version_id=self.version_id, split=split, label_code=label_code, limit=count)

    def attributions(self, split: str | None, label_code: str | None) -> list[AttributionCount]:
        """Return how many pictures of what `in_order` yields came under each licence and attribution."""
        with self.engine.connect() as connection:
            return attribution_counts(connection, self.version_id, split=split, label_code=label_code)


def open_export(
    version: DatasetVersion,
    *,
    engine: Engine,
    store: ObjectStore,
    part: Part | None = None,
    counts: Sequence[LabelSplitCount] | None = None,
) -> Export:
    """Open a version, or a part of it, for writing it in any format.

    Args:
        version: the one that `takedown.current_version` names: a version itself has its pictures for ever.
        part: None: all of it.
        counts: its pictures by label and split, where they are known already; None: they are counted.
    """
    with engine.connect() as connection:
        return Export(
            version,
            part=part or Part(),
            version_counts=label_split_counts(connection, version.id) if counts is None else counts,
            taken_down=[stone.sha256 for stone in tombstones(connection, version.id) if not stone.is_own],
            source=CataloguePictures(engine, version.id),
            store=store,
        )


def write_zip(version: DatasetVersion, *, engine: Engine, store: ObjectStore, file: IO[bytes]) -> None:
    """Write the ImageFolder zip of a version to an open file."""
    for block in ImageFolderZip(open_export(version, engine=engine, store=store)).blocks():
        file.write(block)
