"""Read suppliers' manifests from where they lie. What they name is checked by the catalogue, and by `sending`."""

from deep_images_hub.errors import NotFoundError
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.landing.supplier_manifest import MAX_MANIFEST_BYTES
from deep_images_hub.object_store import ObjectStat, ObjectStore


def read_manifest(source: ObjectStore, found: ObjectStat) -> bytes | Refused | None:
    """Return a manifest's bytes; None where it is gone. Never reads more than a manifest may have.

    Raises:
        UnavailableError: the source cannot be reached. DeniedError: it does not give the manifest out.
    """
    too_large = Refused(
        "manifest_too_large",
        f"The manifest has more than {MAX_MANIFEST_BYTES} bytes. Send the photographs in several folders, with a manifest each.",
    )
    if found.size_bytes > MAX_MANIFEST_BYTES:
        return too_large
    body = bytearray()
    try:
        for block in source.read_blocks(found.key):
            body += block
            if len(body) > MAX_MANIFEST_BYTES:
                return too_large
    except NotFoundError:
        return None
    return bytes(body)
