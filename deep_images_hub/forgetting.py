"""Deleting an account, as its owner or an operator decides: a person is forgotten, and what they gave under a licence stays.

The store first, then the catalogue in one transaction: whoever is cut off in between asks again, and it goes on.
"""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine

from deep_images_hub.batches.manifest import manifest_from_json
from deep_images_hub.catalogue.account_admin import held_to_delete
from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.forgetting import FORMER_SUPPLIER, batch_keys_of, forget_user, forgotten_address, names_of
from deep_images_hub.catalogue.uploads import open_uploads
from deep_images_hub.catalogue.users import User
from deep_images_hub.datasets.keeping import remove_forgotten
from deep_images_hub.errors import ConflictError, InvalidInputError, NotFoundError
from deep_images_hub.logs import open_log
from deep_images_hub.object_store import ObjectStore
from deep_images_hub.object_store.keys import manifest_key
from deep_images_hub.uploads.receiving import Receiver

_MANIFESTS_AT_ONCE = 16
# What stands where a manifest cannot be read: it may name somebody in its broken text, and nothing else can be told of it.
_EMPTIED = b"{}"
_log = open_log(__name__)


def delete_account(
    engine: Engine, store: ObjectStore, receiver: Receiver, *, user_id: int, decided_by: int | None, keeps_credit: bool
) -> None:
    """Delete an account: nobody signs in to it again, and nothing says any more whose it was. There is no way back.

    Uploads that were not finished are discarded. Pictures stay, since others have them under their licence.

    Args:
        decided_by: its owner, or an operator; None: whoever sits at the command line.
        keeps_credit: the licences of its pictures go on to name the person; False: they name a former supplier.

    Raises:
        HubError: as `held_to_delete`; ConflictError also where something was sent with the account meanwhile.
        UnavailableError: the store cannot be reached; the account is as it was, but for what was discarded.
    """
    with engine.begin() as connection:
        user = held_to_delete(connection, decided_by=decided_by, user_id=user_id)
        uploads = open_uploads(connection, supplier_id=user.id)
    for upload in uploads:
        _end_upload(receiver, user, upload.key)
    with engine.connect() as connection:
        names, batch_keys = names_of(connection, user), batch_keys_of(connection, user)
    with ThreadPoolExecutor(_MANIFESTS_AT_ONCE) as pool:
        list(pool.map(lambda key: _forget_sender(store, key, user.id, None if keeps_credit else names), batch_keys))
    with engine.begin() as connection:
        user = held_to_delete(connection, decided_by=decided_by, user_id=user_id)
        _check_nothing_came(connection, user, batch_keys)
        forget_user(connection, user, changed_by=decided_by, keeps_credit=keeps_credit)
        if user.password_hash is not None:
            ask_mail(connection, purpose="account_deleted", email=user.email, display_name=user.display_name)
    remove_forgotten(engine, store)


def _end_upload(receiver: Receiver, user: User, key: str) -> None:
    """Discard an upload; one that is becoming a batch becomes one."""
    try:
        receiver.discard(user, key)
    except NotFoundError:
        return
    except ConflictError:
        receiver.finish(user, key)


def _check_nothing_came(connection: Connection, user: User, batch_keys: list[str]) -> None:
    """Raise ConflictError where an account has an upload, or a batch whose manifest still says who sent it."""
    if open_uploads(connection, supplier_id=user.id) or set(batch_keys_of(connection, user)) != set(batch_keys):
        raise ConflictError(
            "Photographs were sent with this account while it was being deleted, so it is still there. Delete it again."
        )


def _forget_sender(store: ObjectStore, batch_key: str, user_id: int, names: list[str] | None) -> None:
    """Write a batch's manifest anew, without who sent it. names: credits that are taken back with it; None: none is."""
    key = manifest_key(batch_key)
    try:
        manifest = manifest_from_json(store.read(key))
    except NotFoundError:
        return
    except InvalidInputError as error:
        _log.warning("broken_manifest_emptied", key=key, message=str(error))
        store.replace(key, _EMPTIED, "application/json")
        return
    said = {"supplier_email": forgotten_address(user_id), "supplier_name": FORMER_SUPPLIER}
    if names is not None and manifest.attribution is not None and (manifest.origin is None or manifest.attribution in names):
        said["attribution"] = FORMER_SUPPLIER
    store.replace(key, manifest.model_copy(update=said).to_json(), "application/json")
