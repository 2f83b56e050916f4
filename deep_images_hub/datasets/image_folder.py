"""The ImageFolder download of a dataset version: a zip that streams from the first second and has the same bytes every time.

    {split}/{label}/{sha256}.jpg   at most 10,000 files a folder; a larger label has numbered folders within
    {split}/metadata.csv           file_name relative to it, as Hugging Face's `imagefolder` reads it
    labels.csv  LICENSES.csv  README.md  manifest.json

It loads with keras.utils.image_dataset_from_directory, torchvision's ImageFolder and `load_dataset("imagefolder")`. Every
split has every label's folder, so that class indices agree among splits. Names and e-mails of suppliers are not in it, beyond
the attribution that they asked for.
"""

import csv
import hashlib
import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import IO, Protocol

from deep_images_hub.datasets.card import AttributionCount, LabelSplitCount, dataset_card, split_names
from deep_images_hub.datasets.label_folders import label_folders
from deep_images_hub.datasets.streamed_zip import Member, zip_blocks, zip_size_bytes
from deep_images_hub.licences import LICENCE_URLS
from deep_images_hub.object_store import ObjectStore

MAX_FILES_IN_FOLDER = 10_000
# Up to here the metadata is written twice, once only to be measured, for the sake of a progress bar at the other end.
LENGTH_KNOWN_UP_TO_IMAGES = 20_000
# Pictures on their way from the store at once: hides the store's latency, and holds a few megabytes at most.
_READ_AHEAD = 16
_CSV_ROWS_IN_BLOCK = 1_000

_METADATA_COLUMNS = (
    "file_name",
    "label_code",
    "label",
    "class_index",
    "sha256",
    "group",
    "licence",
    "licence_url",
    "attribution",
    "taken_at",
    "country_code",
    "city",
)


@dataclass(frozen=True)
class VersionPicture:
    """A picture of a version, with what its row of metadata.csv says.

    Attributes:
        position: its place in the version.
        sha256: of the bytes as sent.
        label_code: its label in this version.
        group_key: pictures with the same are never parted by a split.
        picture_key: where the stored picture lies.
        picture_size_bytes: its length.
        licence: one of LICENCES.
        attribution: whom to name, as the supplier asked; None: nobody.
        taken_at: None when the supplier did not say.
        country_code, city: of its batch, None unless the supplier opted in.
    """

    position: int
    sha256: str
    label_code: str
    group_key: str
    picture_key: str
    picture_size_bytes: int
    licence: str
    attribution: str | None
    taken_at: datetime | None
    country_code: str | None
    city: str | None


class _Version(Protocol):
    """What the download needs to know of a dataset version."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def image_count(self) -> int: ...


class ImageFolder:
    """One version's download.

    Args:
        version: which one.
        counts: its pictures by label and split.
        attributions: its pictures by licence and attribution.
        taken_down: sha256 of pictures that versions before this patch had; they are named in the card and the manifest.
        pictures_of: yields the pictures of a split in order of position; called more than once.
        store: where the pictures lie.
    """

    def __init__(
        self,
        version: _Version,
        *,
        counts: Sequence[LabelSplitCount],
        attributions: Sequence[AttributionCount],
        taken_down: Sequence[str] = (),
        pictures_of: Callable[[str], Iterable[VersionPicture]],
        store: ObjectStore,
    ) -> None:
        self._version = version
        self._counts = counts
        self._attributions = attributions
        self._taken_down = taken_down
        self._pictures_of = pictures_of
        self._store = store
        self._names = {count.label_code: count.label_name for count in sorted(counts, key=lambda count: count.label_code)}
        self._folders = label_folders(self._names)
        # As Keras and torchvision number them: by folder name.
        self._class_indices = {code: index for index, code in enumerate(sorted(self._folders, key=self._folders.__getitem__))}
        self._images = Counter({(count.label_code, count.split): count.image_count for count in counts})

    @property
    def folders(self) -> dict[str, str]:
        """Folder names by label code."""
        return dict(self._folders)

    @cached_property
    def size_bytes(self) -> int | None:
        """The exact length of the zip, or None where finding it out would delay the first byte."""
        if self._version.image_count > LENGTH_KNOWN_UP_TO_IMAGES:
            return None
        sizes = [(member.path, sum(map(len, member.blocks))) for member in self._members_before_pictures()]
        sizes += [(path, picture.picture_size_bytes) for path, picture in self._pictures()]
        # A sha256 is as long as any other, so the manifest's length is known before its content.
        manifest = self._manifest([(path, size_bytes, "0" * 64) for path, size_bytes in sizes if not path.endswith("/")])
        return zip_size_bytes([*sizes, ("manifest.json", len(manifest))])

    def blocks(self) -> Iterator[bytes]:
        """Yield the zip. Raises NotFoundError or UnavailableError, in the middle, when the store fails."""
        return zip_blocks(self._members())

    def write(self, file: IO[bytes]) -> None:
        """Write the zip to an open file."""
        for block in self.blocks():
            file.write(block)

    def _members(self) -> Iterator[Member]:
        files: list[tuple[str, int, str]] = []
        pictures = (
            Member(path, picture.picture_size_bytes, [body]) for (path, picture), body in self._read_ahead(self._pictures())
        )
        for member in itertools.chain(self._members_before_pictures(), pictures):
            yield member if member.path.endswith("/") else _recorded(member, files)
        manifest = self._manifest(files)
        yield Member("manifest.json", len(manifest), [manifest])

    def _members_before_pictures(self) -> Iterator[Member]:
        card = dataset_card(
            name=self._version.name,
            digest=self._version.digest,
            counts=self._counts,
            attributions=self._attributions,
            folders=self._folders,
            taken_down=len(self._taken_down),
        )
        yield Member("README.md", None, [card.encode()])
        yield Member("labels.csv", None, self._labels_csv())
        yield Member("LICENSES.csv", None, self._licences_csv())
        for split in split_names(self._counts):
            yield Member(f"{split}/metadata.csv", None, self._metadata_csv(split))
            for folder in sorted(self._folders.values()):
                yield Member(f"{split}/{folder}/", 0, [])

    def _pictures(self) -> Iterator[tuple[str, VersionPicture]]:
        for split in split_names(self._counts):
            for file_name, picture in self._named(split):
                yield f"{split}/{file_name}", picture

    def _named(self, split: str) -> Iterator[tuple[str, VersionPicture]]:
        """Yield the pictures of a split with their path within it."""
        seen: Counter[str] = Counter()
        for picture in self._pictures_of(split):
            code = picture.label_code
            folder = self._folders[code]
            if self._images[code, split] > MAX_FILES_IN_FOLDER:
                folder += f"/{seen[code] // MAX_FILES_IN_FOLDER:04d}"
                seen[code] += 1
            yield f"{folder}/{picture.sha256}.jpg", picture

    def _read_ahead(self, pictures: Iterator[tuple[str, VersionPicture]]) -> Iterator[tuple[tuple[str, VersionPicture], bytes]]:
        with ThreadPoolExecutor(_READ_AHEAD) as pool:
            waiting: list[tuple[tuple[str, VersionPicture], Future[bytes]]] = []
            try:
                while True:
                    for path, picture in itertools.islice(pictures, _READ_AHEAD - len(waiting)):
                        waiting.append(((path, picture), pool.submit(self._store.read, picture.picture_key)))
                    if not waiting:
                        return
                    named, body = waiting.pop(0)
                    yield named, body.result()
            finally:
                # The client went away, or the store failed: do not read for nobody.
                pool.shutdown(wait=False, cancel_futures=True)

    def _metadata_csv(self, split: str) -> Iterator[bytes]:
        return _csv(
            _METADATA_COLUMNS,
            (
                (
                    file_name,
                    picture.label_code,
                    self._names[picture.label_code],
                    self._class_indices[picture.label_code],
                    picture.sha256,
                    picture.group_key,
                    picture.licence,
                    LICENCE_URLS[picture.licence],
                    picture.attribution,
                    picture.taken_at.astimezone(UTC).isoformat() if picture.taken_at else None,
                    picture.country_code,
                    picture.city,
                )
                for file_name, picture in self._named(split)
            ),
        )

    def _labels_csv(self) -> Iterator[bytes]:
        rows = ((index, self._folders[code], code, self._names[code]) for code, index in self._class_indices.items())
        return _csv(("class_index", "folder", "label_code", "label"), rows)

    def _licences_csv(self) -> Iterator[bytes]:
        rows = ((of.licence, LICENCE_URLS[of.licence], of.attribution, of.image_count) for of in self._attributions)
        return _csv(("licence", "licence_url", "attribution", "images"), rows)

    def _manifest(self, files: Iterable[tuple[str, int, str]]) -> bytes:
        listed = [{"path": path, "size_bytes": size_bytes, "sha256": sha256} for path, size_bytes, sha256 in files]
        # Only patches have tombstones: the bytes of all other downloads stay as they were.
        tombstones = {"taken_down": list(self._taken_down)} if self._taken_down else {}
        return json.dumps({"digest": self._version.digest, **tombstones, "files": listed}, indent=0).encode()


def _recorded(member: Member, files: list[tuple[str, int, str]]) -> Member:
    """Return the member, which will add its path, size and sha256 to a list once it is read."""

    def blocks() -> Iterator[bytes]:
        digest, size_bytes = hashlib.sha256(), 0
        for block in member.blocks:
            digest.update(block)
            size_bytes += len(block)
            yield block
        files.append((member.path, size_bytes, digest.hexdigest()))

    return Member(member.path, member.size_bytes, blocks())


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a CSV in blocks of many rows."""
    rows = itertools.chain([header], rows)
    while block := list(itertools.islice(rows, _CSV_ROWS_IN_BLOCK)):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(block)
        yield text.getvalue().encode()
