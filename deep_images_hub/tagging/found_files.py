"""The pictures that lie in a folder or under a prefix, at any depth."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from deep_images_hub.images.content_type import PICTURE_SUFFIXES
from deep_images_hub.object_store import ObjectStat, ObjectStore, SubFolder, UnusableName


@dataclass
class PassedBy:
    """What was seen and is not looked at: hidden files and those not named like a picture; names that cannot be read."""

    no_pictures: int = 0
    unusable: int = 0


def picture_files(source: ObjectStore, passed_by: PassedBy) -> Iterator[ObjectStat]:
    """Yield the files of a place that are named like pictures, folder by folder; `passed_by` counts the rest as it is seen."""
    waiting = [""]
    while waiting:
        folders = []
        for entry in source.list_folder(waiting.pop()):
            if isinstance(entry, UnusableName):
                passed_by.unusable += 1
            elif PurePosixPath(entry.key).name.startswith("."):
                passed_by.no_pictures += 1
            elif isinstance(entry, SubFolder):
                folders.append(entry.key)
            elif PurePosixPath(entry.key).suffix.lower() in PICTURE_SUFFIXES:
                yield entry
            else:
                passed_by.no_pictures += 1
        waiting += reversed(folders)
