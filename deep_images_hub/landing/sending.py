"""Send a delivery: its photographs first, the batch's manifest last. Doing it again, or after being cut off, leaves the same.

Knows stores; no catalogue, no Spark. Photographs are copied inside the store where source and hub are in one S3 service. Those
with a sha256 are read once more, from the copy, which nobody changes any longer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath

from deep_images_hub.batches.manifest import Manifest, ManifestObject, manifest_from_json
from deep_images_hub.errors import DeniedError, InvalidInputError, NotFoundError
from deep_images_hub.landing.delivery import MAX_FILE_BYTES, Delivery, SourceFile
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.object_store import ObjectStore, SubFolder, UnusableName
from deep_images_hub.object_store.keys import landing_key, manifest_key

# Copies under way at once: they are all waiting for the store.
COPIES_AT_ONCE = 16
_COPIES_IN_A_ROW = 256

_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


@dataclass(frozen=True)
class Sent:
    """A delivery whose photographs lie in the hub's landing area, under its manifest.

    Attributes:
        files: photographs of the batch; 0: none could be had, and there is no batch.
        left_out: files that could not be had, and why, by filename.
        unnamed: objects in a whole delivery's folder that it does not name. They stay where they are.
    """

    files: int
    left_out: Mapping[str, Refused] = field(default_factory=dict)
    unnamed: int = 0


def send(
    delivery: Delivery, source: ObjectStore, store: ObjectStore, *, on_sent: Callable[[int], None] = lambda _: None
) -> Sent | Refused:
    """Copy a delivery into the landing area and write its manifest, unless it is there. No two at once of one delivery.

    Args:
        on_sent: is told now and then of how many more photographs were copied.

    Raises:
        UnavailableError: the source or the store cannot be reached; what was copied is used next time.
    """
    found: tuple[dict[str, int], int] | Refused = _listed(delivery, source) if delivery.is_whole else ({}, 0)
    if isinstance(found, Refused):
        return found
    listed, unnamed = found
    if (kept := _kept_manifest(delivery, store)) is not None:
        return Sent(len(kept.objects), left_out=_left_out_before(delivery, kept), unnamed=unnamed)
    if delivery.is_whole and (refused := _refused_by_listing(delivery.files, listed)):
        return refused
    found_there = _copies(delivery, source, store, on_sent)
    objects = [one for one in found_there if isinstance(one, ManifestObject)]
    left_out = {file.filename: one for file, one in zip(delivery.files, found_there, strict=False) if isinstance(one, Refused)}
    if left_out and delivery.is_whole:
        return next(iter(left_out.values()))
    if objects:
        store.flush()
        store.create(manifest_key(delivery.batch_key), _manifest(delivery, objects).to_json(), "application/json")
    return Sent(len(objects), left_out=left_out, unnamed=unnamed)


def _listed(delivery: Delivery, source: ObjectStore) -> tuple[dict[str, int], int] | Refused:
    """Return the sizes of the delivery's files that lie in the folder, by key, and how many other objects lie there.

    A thousand come in one answer, where to ask for each takes a thousand.
    """
    named = {file.key for file in delivery.files}
    sizes: dict[str, int] = {}
    unnamed = 0
    try:
        for found in source.list(f"{delivery.folder}/"):
            if found.key in named:
                sizes[found.key] = found.size_bytes
            else:
                unnamed += 1
    except InvalidInputError:
        # Without the error's own words: of a folder, they say where on the machine it lies, and suppliers read this.
        return Refused(
            "unusable_name",
            f"{_first_unusable(source, delivery.folder) or ascii(delivery.folder)} cannot be taken in: it is no plain file or "
            "folder, or its name cannot be an object's. Rename or remove it, then put the manifest there again.",
        )
    return sizes, unnamed


def _first_unusable(source: ObjectStore, folder: str) -> str | None:
    """Return the name of the first thing in a folder, at any depth, that cannot be an object."""
    try:
        for entry in source.list_folder(folder):
            if isinstance(entry, UnusableName):
                return entry.name
            if isinstance(entry, SubFolder) and (found := _first_unusable(source, entry.key)):
                return found
    except InvalidInputError:
        return ascii(folder)
    return None


def _refused_by_listing(files: Sequence[SourceFile], listed: dict[str, int]) -> Refused | None:
    if missing := [file for file in files if file.key not in listed]:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        return Refused(
            "missing_file",
            f"The manifest names {missing[0].filename!r}{more}, which is not in its folder. "
            "Put it there, then put the manifest there again.",
        )
    for file in files:
        if listed[file.key] > MAX_FILE_BYTES:
            return Refused(
                "file_too_large",
                f"{file.filename!r} has {listed[file.key]} bytes. Expected at most {MAX_FILE_BYTES}: a photograph.",
            )
        if file.size_bytes not in (None, listed[file.key]):
            return _size_differs(file, listed[file.key])
    return None


def _kept_manifest(delivery: Delivery, store: ObjectStore) -> Manifest | None:
    try:
        return manifest_from_json(store.read(manifest_key(delivery.batch_key)))
    except NotFoundError:
        return None


def _left_out_before(delivery: Delivery, kept: Manifest) -> dict[str, Refused]:
    """Return what a run that was cut off behind the manifest left out; why, nobody has written down."""
    sent = {one.filename for one in kept.objects}
    names = (file.filename for file in delivery.files if file.filename not in sent)
    return {name: Refused("missing_file", f"{name!r} could not be had when the others were copied.") for name in names}


def _copies(
    delivery: Delivery, source: ObjectStore, store: ObjectStore, on_sent: Callable[[int], None]
) -> list[ManifestObject | Refused]:
    """Copy all files, and return what became of each, in order. A whole delivery ends with the part in which one is refused."""
    copied: list[ManifestObject | Refused] = []
    numbered = list(enumerate(delivery.files))
    with ThreadPoolExecutor(COPIES_AT_ONCE, thread_name_prefix="copying") as pool:
        for start in range(0, len(numbered), _COPIES_IN_A_ROW):
            part = numbered[start : start + _COPIES_IN_A_ROW]
            copied += pool.map(lambda one: _copy(delivery.batch_key, one, source, store), part)
            if delivery.is_whole and any(isinstance(one, Refused) for one in copied):
                # They are nobody's. Left there, they would stand for files that the supplier may replace.
                list(pool.map(store.delete, [one.object_key for one in copied if isinstance(one, ManifestObject)]))
                return copied
            on_sent(len(part))
    return copied


def _copy(batch_key: str, numbered: tuple[int, SourceFile], source: ObjectStore, store: ObjectStore) -> ManifestObject | Refused:
    position, file = numbered
    suffix = PurePosixPath(file.key).suffix.lower()
    key = landing_key(batch_key, position, suffix if _SUFFIX.fullmatch(suffix) else "")
    problem: Refused | None = None
    # Twice: a copy that is there from a run that was cut off may be of what the supplier has replaced since.
    for _ in range(2):
        try:
            store.copy(file.key, key, source=source)
        except NotFoundError:
            return Refused("missing_file", f"{file.filename!r} is gone.")
        except DeniedError:
            # Without the error's own words: suppliers read this.
            return Refused(
                "denied_file",
                f"{file.filename!r} is there, and the store does not give it to the hub. Let the hub read it, then try again.",
            )
        except InvalidInputError as error:
            return Refused("unusable_name", str(error))
        size_bytes = store.stat(key).size_bytes
        problem = _problem(file, key, size_bytes, store)
        if problem is None:
            return ManifestObject(object_key=key, filename=file.filename, size_bytes=size_bytes, taken_at=file.taken_at)
        store.delete(key)
    assert problem is not None
    return problem


def _problem(file: SourceFile, key: str, size_bytes: int, store: ObjectStore) -> Refused | None:
    if file.size_bytes not in (None, size_bytes):
        return _size_differs(file, size_bytes)
    if file.sha256 is None:
        return None
    digest = sha256()
    for block in store.read_blocks(key):
        digest.update(block)
    if digest.hexdigest() == file.sha256:
        return None
    return Refused(
        "sha256_differs",
        f"{file.filename!r} has the sha256 {digest.hexdigest()}; the manifest says {file.sha256}. Correct one, "
        "then put the manifest there again.",
    )


def _size_differs(file: SourceFile, size_bytes: int) -> Refused:
    return Refused(
        "size_differs",
        f"{file.filename!r} has {size_bytes} bytes; the manifest says {file.size_bytes}. Correct one, "
        "then put the manifest there again.",
    )


def _manifest(delivery: Delivery, objects: Sequence[ManifestObject]) -> Manifest:
    return Manifest(
        batch_key=delivery.batch_key,
        supplier_email=delivery.supplier_email,
        supplier_name=delivery.supplier_name,
        label_code=delivery.label_code,
        licence=delivery.licence,
        attribution=delivery.attribution,
        place_query=delivery.place_query,
        submitted_at=delivery.submitted_at,
        origin=delivery.origin,
        objects=tuple(objects),
    )
