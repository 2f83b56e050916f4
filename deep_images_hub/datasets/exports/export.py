"""An export: a version, the part of it that is wanted, and the pictures of that part in the orders that formats need.

What formats share lies here: which splits and how many pictures there are, class indices, folder names, shards.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, Protocol

from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount, split_names
from deep_images_hub.datasets.exports.parts import Part
from deep_images_hub.datasets.label_folders import label_folders
from deep_images_hub.object_store import ObjectStore

MAX_FILES_IN_FOLDER = 10_000
# About 200 MB of pictures with a short side of 256: what WebDataset's readers expect of a shard, and soon fetched again.
IMAGES_IN_SHARD = 10_000


class VersionPicture(NamedTuple):
    """A picture of a version, with what a download says of it, in the order of `sql/queries/version_pictures.sql`'s columns.

    Attributes:
        position: its place in the version.
        sha256: of the bytes as sent.
        label_code: its label in this version.
        split: one of SPLITS.
        group_key: pictures with the same are never parted by a split.
        picture_key: where the stored picture lies.
        picture_size_bytes: its length.
        width_px, height_px: of the original, upright.
        licence: one of LICENCES.
        attribution: whom to name, as the supplier asked; None: nobody.
        taken_at: None when the supplier did not say.
        country_code, city: of its batch, None unless the supplier opted in.
        picture_sha256, picture_crc32: of the stored picture; None where it was taken in before they were kept.
    """

    position: int
    sha256: str
    label_code: str
    split: str
    group_key: str
    picture_key: str
    picture_size_bytes: int
    width_px: int
    height_px: int
    licence: str
    attribution: str | None
    taken_at: datetime | None
    country_code: str | None
    city: str | None
    picture_sha256: str | None
    picture_crc32: int | None


class ExportedVersion(Protocol):
    """What an export needs to know of a dataset version."""

    @property
    def name(self) -> str:
        """What its maker called it; may hold anything."""
        ...

    @property
    def digest(self) -> str:
        """What stands for its content."""
        ...

    @property
    def credits_revision(self) -> int:
        """How often suppliers of its pictures took their names back: other bytes, and the same content."""
        ...


class PictureSource(Protocol):
    """Reads the pictures of one version from the catalogue. It holds no connection between two pages."""

    def attributions(self, split: str | None, label_code: str | None) -> Sequence[AttributionCount]:
        """Return how many pictures of what `in_order` yields came under each licence and attribution."""
        ...

    def in_order(self, split: str | None, label_code: str | None) -> Iterator[VersionPicture]:
        """Yield the pictures of a split (None: of all), or those of one label (None: of all) in it, by position."""
        ...

    def shard(self, split: str, label_code: str | None, *, number: int, of: int) -> list[VersionPicture]:
        """Return one of so many about equal parts of what `in_order` yields, in an order that mixes the labels."""
        ...

    def first(self, split: str, label_code: str | None, count: int) -> list[VersionPicture]:
        """Return so many pictures of what `in_order` yields, from all over it, in an order that mixes the labels."""
        ...


@dataclass(frozen=True)
class Export:
    """A part of a version, ready to be written in any format.

    Attributes:
        version: which one.
        part: what of it.
        version_counts: the whole version's pictures by label and split.
        taken_down: sha256 of pictures that versions before this patch had.
        source: its pictures.
        store: where their bytes lie.
    """

    version: ExportedVersion
    part: Part
    version_counts: Sequence[LabelSplitCount]
    taken_down: Sequence[str]
    source: PictureSource
    store: ObjectStore

    @cached_property
    def names(self) -> dict[str, str]:
        """Display names by label code, of all labels of the version."""
        return {count.label_code: count.label_name for count in sorted(self.version_counts, key=lambda of: of.label_code)}

    @cached_property
    def folders(self) -> dict[str, str]:
        """Folder names by label code."""
        return label_folders(self.names)

    @cached_property
    def class_indices(self) -> dict[str, int]:
        """Class indices by label code, in their order: by folder name, as Keras and torchvision number folders."""
        folders = self.folders
        return {code: index for index, code in enumerate(sorted(folders, key=folders.__getitem__))}

    @cached_property
    def counts(self) -> list[LabelSplitCount]:
        """The part's pictures by label and split."""
        part = self.part
        wanted = [
            count
            for count in self.version_counts
            if part.split in (None, count.split) and part.label_code in (None, count.label_code)
        ]
        if part.first is None or all(total <= part.first for total in _totals(wanted).values()):
            return wanted
        images = Counter((picture.label_code, split) for split in split_names(wanted) for picture in self.pictures(split))
        return [LabelSplitCount(code, self.names[code], split, count) for (code, split), count in sorted(images.items())]

    @cached_property
    def splits(self) -> list[str]:
        """The splits that have pictures, in their usual order."""
        return split_names(self.counts)

    @cached_property
    def image_counts(self) -> Counter[str]:
        """How many pictures each split has."""
        return _totals(self.counts)

    @cached_property
    def attributions(self) -> Sequence[AttributionCount]:
        """The part's pictures by licence and attribution."""
        if self.part.first is None:
            return self.source.attributions(self.part.split, self.part.label_code)
        images = Counter((of.licence, of.attribution) for split in self.splits for of in self.pictures(split))
        found = sorted(images.items(), key=lambda pair: (pair[0][0], pair[0][1] is not None, pair[0][1] or ""))
        return [AttributionCount(licence, attribution, count) for (licence, attribution), count in found]

    def pictures(self, split: str) -> Iterator[VersionPicture]:
        """Yield the part's pictures of a split by position."""
        if self.part.first is None:
            yield from self.source.in_order(split, self.part.label_code)
        else:
            yield from sorted(self._first(split), key=lambda picture: picture.position)

    def named(self, split: str) -> Iterator[tuple[str, VersionPicture]]:
        """Yield the part's pictures of a split by position, with their path within the split's folder of the ImageFolder zip."""
        seen: Counter[str] = Counter()
        images = Counter({count.label_code: count.image_count for count in self.counts if count.split == split})
        for picture in self.pictures(split):
            code = picture.label_code
            folder = self.folders[code]
            if images[code] > MAX_FILES_IN_FOLDER:
                folder += f"/{seen[code] // MAX_FILES_IN_FOLDER:04d}"
                seen[code] += 1
            yield f"{folder}/{picture.sha256}.jpg", picture

    def shard_count(self, split: str) -> int:
        """Return in how many shards the part's pictures of a split go, about IMAGES_IN_SHARD in each."""
        return -(-self.image_counts[split] // IMAGES_IN_SHARD)

    def images_in_shard(self, split: str) -> int:
        """Return about how many pictures each shard of a split has."""
        return -(-self.image_counts[split] // self.shard_count(split))

    def shard(self, split: str, number: int) -> list[VersionPicture]:
        """Return the pictures of a shard, numbered from 0, in an order that mixes the labels: readers shuffle only near by."""
        if self.part.first is not None:
            return self._first(split)[number :: self.shard_count(split)]
        return self.source.shard(split, self.part.label_code, number=number, of=self.shard_count(split))

    def _first(self, split: str) -> list[VersionPicture]:
        assert self.part.first is not None
        if split not in self._first_pictures:
            self._first_pictures[split] = self.source.first(split, self.part.label_code, self.part.first)
        return self._first_pictures[split]

    @cached_property
    def _first_pictures(self) -> dict[str, list[VersionPicture]]:
        """Few pictures that are asked for often, by split."""
        return {}


def _totals(counts: Sequence[LabelSplitCount]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for count in counts:
        totals[count.split] += count.image_count
    return totals
