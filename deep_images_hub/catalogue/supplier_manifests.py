"""Suppliers' manifests, held against the catalogue. What they are is `landing`'s, which knows no catalogue."""

from dataclasses import dataclass

from sqlalchemy import Connection

from deep_images_hub.catalogue.labels import labels_by_codes
from deep_images_hub.catalogue.users import user_by_email
from deep_images_hub.errors import InvalidInputError
from deep_images_hub.landing.delivery import Delivery
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.landing.supplier_manifest import delivery_from_manifest, supplier_manifest_from_json
from deep_images_hub.object_store import ObjectStat


@dataclass(frozen=True)
class CheckedManifest:
    """A manifest that was read.

    Attributes:
        found: as it was listed.
        supplier_id: whom it names, where there is such an account.
        delivery: what it asks for, or why that is refused.
    """

    found: ObjectStat
    supplier_id: int | None
    delivery: Delivery | Refused


def check_manifest(
    connection: Connection, body: bytes, found: ObjectStat, *, source_url: str, only_supplier: str | None = None
) -> CheckedManifest:
    """Return what a manifest asks for, or why it is refused: it is none, or the catalogue does not know what it names.

    Args:
        only_supplier: e-mail address of the only account that may send from this source; None: each.
    """
    try:
        manifest = supplier_manifest_from_json(body)
    except InvalidInputError as error:
        return CheckedManifest(found, None, Refused("not_a_manifest", str(error)))
    supplier = user_by_email(connection, manifest.supplier)
    supplier_id = None if supplier is None else supplier.id
    if only_supplier is not None and manifest.supplier.strip().lower() != only_supplier.strip().lower():
        problem = f"The manifest names the supplier {manifest.supplier!r}, who may not send from here."
        return CheckedManifest(found, supplier_id, Refused("other_supplier", problem))
    if supplier is None or not supplier.may("submit"):
        problem = f"There is no account {manifest.supplier!r} that may send. Expected the e-mail address of a supplier's account."
        return CheckedManifest(found, supplier_id, Refused("unknown_supplier", problem))
    if not labels_by_codes(connection, [manifest.label]):
        problem = (
            f"There is no label with the code {manifest.label!r}. Expected a label's code, such as '/m/014j1m', not its name."
        )
        return CheckedManifest(found, supplier.id, Refused("unknown_label", problem))
    delivery: Delivery | Refused
    try:
        delivery = delivery_from_manifest(
            manifest,
            body=body,
            found=found,
            source_url=source_url,
            supplier_email=supplier.email,
            supplier_name=supplier.display_name,
        )
    except InvalidInputError as error:
        delivery = Refused("unusable_name", str(error))
    return CheckedManifest(found, supplier.id, delivery)
