"""The demo's accounts: kept from run to run, and one of them has sent something."""

from pathlib import Path

from sqlalchemy import Connection

from deep_images_hub.accounts import ROLES
from deep_images_hub.catalogue.batches import batch_by_key
from deep_images_hub.catalogue.users import user_by_email
from deep_images_hub.cli.demo_accounts import DemoAccounts
from deep_images_hub.passwords import is_password
from tests.integration.catalogue.planting import plant_batch, plant_labels


def test_demo_signs_in_as_the_supplier_of_the_crowds_first_batch(connection: Connection, tmp_path: Path) -> None:
    plant_labels(connection)
    plant_batch(connection, "crowd-1-00000", supplier="ben")
    plant_batch(connection, "crowd-1-00001", supplier="ada")
    accounts = DemoAccounts(tmp_path)
    accounts.ensure(connection)

    accounts.join_crowd(connection, "crowd-1")
    supplier = user_by_email(connection, accounts.emails["supplier"])
    again = DemoAccounts(tmp_path)
    again.join_crowd(connection, "crowd-1")

    assert supplier is not None
    assert supplier.id == batch_by_key(connection, "crowd-1-00000").supplier_id
    assert is_password(accounts.passwords["supplier"], supplier.password_hash)
    # Whoever is signed in from the run before stays it: the password was not set anew.
    assert user_by_email(connection, again.emails["supplier"]) == supplier
    assert [user.role for role in ROLES if (user := user_by_email(connection, accounts.emails[role]))] == list(ROLES)
