"""Find what is new in a tree of label folders, and part it into deliveries. Knows the source; no catalogue, no Spark.

Names ascend in a folder, but not over all folders: hence each folder has a marker of its own, the last file that was taken in,
and is listed from there on. What comes later under a name before the marker is not seen. Whoever wants it lists everything again,
and leaves out what the hub has. Folders that were seen beside pictures are to be kept with the markers, before these move.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from deep_images_hub.images.content_type import PICTURE_SUFFIXES
from deep_images_hub.landing.delivery import MAX_FILE_BYTES, Delivery, SourceFile, batch_key_of, credit
from deep_images_hub.landing.folder_labels import FolderLabels
from deep_images_hub.object_store import ObjectStat, ObjectStore, SubFolder, UnusableName

# Small enough that little is done again after a kill, and that all cores have something to do.
MAX_BATCH_FILES = 500


@dataclass(frozen=True)
class Terms:
    """What an operator says of everything that is adopted in one go.

    Attributes:
        supplier_email: the account's.
        supplier_name: the account's.
        licence: one of `licences.LICENCES`.
        attribution: None: the supplier, where the licence asks for a credit.
        place_query: None: no place.
    """

    supplier_email: str
    supplier_name: str
    licence: str
    attribution: str | None = None
    place_query: str | None = None


@dataclass
class LeftOut:
    """What was seen and not taken in, and why.

    Attributes:
        without_label: pictures by folder that stands for no label.
        known: pictures that the hub has from this source.
        in_no_folder: pictures that lie right in the source.
        no_pictures: files and folders that are hidden, and files whose name is not that of a picture.
        too_large: pictures that are longer than what is copied.
        unusable: names that cannot be object keys, with the problem of the first.
    """

    without_label: Counter[str] = field(default_factory=Counter)
    known: int = 0
    in_no_folder: int = 0
    no_pictures: int = 0
    too_large: int = 0
    unusable: int = 0
    first_unusable: str = ""


@dataclass(frozen=True)
class Adoption:
    """One walk over a source.

    Attributes:
        source: the tree.
        terms: under which it is taken in.
        labels: what its folders stand for.
        markers: names of the last file that was taken in, by folder; empty where none was.
        names_known: None, or names of a folder's files that the hub has: then markers are not heeded.
        beside_pictures: folders that are new and lie in a folder of pictures. From its marker on, they are not seen again.
    """

    source: ObjectStore
    terms: Terms
    labels: FolderLabels
    markers: Mapping[str, str]
    names_known: Callable[[str], Collection[str]] | None = None
    left_out: LeftOut = field(default_factory=LeftOut)
    beside_pictures: list[str] = field(default_factory=list)

    def deliveries(self) -> Iterator[Delivery]:
        """Yield what is new, by folder and in order of the names in each; `left_out` counts the rest as it is seen.

        Folders that have markers are looked into, and all that are seen on the way. One that is new, under a folder that holds
        pictures itself, is seen where its name comes after the marker: like a file.
        """
        waiting = sorted({"", *self.markers}, reverse=True)
        seen = set(waiting)
        while waiting:
            folder = waiting.pop()
            label_code = self.labels.label_of(folder) if folder else None
            found: list[ObjectStat] = []
            for entry in self._entries(folder, label_code):
                if isinstance(entry, SubFolder):
                    if entry.key not in seen:
                        seen.add(entry.key)
                        waiting.append(entry.key)
                        if label_code is not None:
                            self.beside_pictures.append(entry.key)
                elif label_code is None:
                    self._count_without_label(folder)
                else:
                    found.append(entry)
                    if len(found) == MAX_BATCH_FILES:
                        yield self._delivery(folder, label_code, found)
                        found = []
            if found and label_code is not None:
                yield self._delivery(folder, label_code, found)

    def _entries(self, folder: str, label_code: str | None) -> Iterator[ObjectStat | SubFolder]:
        """Yield a folder's sub-folders and the pictures that are to be taken in."""
        marker = self.markers.get(folder) if label_code is not None and self.names_known is None else None
        known = self.names_known(folder) if label_code is not None and self.names_known is not None else ()
        for entry in self.source.list_folder(folder, f"{folder}/{marker}" if marker else ""):
            if isinstance(entry, UnusableName):
                self.left_out.unusable += 1
                self.left_out.first_unusable = self.left_out.first_unusable or entry.problem
            elif _is_hidden(entry.key):
                self.left_out.no_pictures += 1
            elif isinstance(entry, SubFolder):
                yield entry
            elif PurePosixPath(entry.key).suffix.lower() not in PICTURE_SUFFIXES:
                self.left_out.no_pictures += 1
            elif entry.size_bytes > MAX_FILE_BYTES:
                self.left_out.too_large += 1
            elif PurePosixPath(entry.key).name in known:
                self.left_out.known += 1
            else:
                yield entry

    def _count_without_label(self, folder: str) -> None:
        if folder:
            self.left_out.without_label[folder] += 1
        else:
            self.left_out.in_no_folder += 1

    def _delivery(self, folder: str, label_code: str, found: list[ObjectStat]) -> Delivery:
        terms = self.terms
        said = (
            self.source.url, label_code, terms.supplier_email, terms.licence, terms.attribution, terms.place_query,
            [(entry.key, entry.size_bytes) for entry in found],
        )  # fmt: skip
        return Delivery(
            batch_key=batch_key_of("adopt", folder.rpartition("/")[2], *said),
            origin=folder_origin(self.source.url, folder),
            folder=folder,
            supplier_email=terms.supplier_email,
            supplier_name=terms.supplier_name,
            label_code=label_code,
            licence=terms.licence,
            attribution=credit(terms.licence, terms.attribution, terms.supplier_name),
            place_query=terms.place_query,
            submitted_at=max(entry.modified_at for entry in found),
            is_whole=False,
            files=tuple(SourceFile(entry.key, PurePosixPath(entry.key).name) for entry in found),
        )


def folder_origin(source_url: str, folder: str) -> str:
    """Return the origin of batches from a folder; by it, what the hub has from there is found again."""
    return f"{source_url}/{folder}"


def _is_hidden(key: str) -> bool:
    return PurePosixPath(key).name.startswith(".")
