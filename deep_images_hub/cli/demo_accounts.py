"""The demo's accounts, one for each role, with passwords that are made once and kept under `home`."""

import json
import os
import secrets
from pathlib import Path

from sqlalchemy import Connection

from deep_images_hub.accounts import ROLES
from deep_images_hub.catalogue.batches import batch_by_key
from deep_images_hub.catalogue.users import change_password, create_user, user_by_email, user_of
from deep_images_hub.passwords import is_password
from deep_images_hub.simulation.crowd import batch_key

_FILE = "demo-passwords.json"
_PASSWORD_BYTES = 12


class DemoAccounts:
    """Accounts of one hub: their addresses and passwords by role."""

    def __init__(self, home: Path) -> None:
        """Read the passwords, or make them where there are none yet."""
        self.file = home / _FILE
        if not self.file.exists():
            passwords = {role: secrets.token_urlsafe(_PASSWORD_BYTES) for role in ROLES}
            # Written aside, readable by us alone from its first byte, and renamed: there is never half a file.
            aside = self.file.with_suffix(".new")
            aside.unlink(missing_ok=True)
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(passwords, file)
            aside.replace(self.file)
        self.passwords: dict[str, str] = json.loads(self.file.read_text(encoding="utf-8"))
        self.emails = {role: f"{role}@demo.example" for role in self.passwords}

    def ensure(self, connection: Connection) -> dict[str, int]:
        """Make the accounts that are missing, and return all ids by role."""
        ids = {}
        for role, password in self.passwords.items():
            user = user_by_email(connection, self.emails[role])
            if user is None:
                name = f"Demo {role}"
                user = create_user(connection, email=self.emails[role], display_name=name, role=role, password=password)
            ids[role] = user.id
        return ids

    def join_crowd(self, connection: Connection, crowd: str) -> None:
        """Sign in as a supplier of the crowd, the one of its first batch: that account has a record to look at."""
        supplier = user_of(connection, batch_by_key(connection, batch_key(crowd, 0)).supplier_id)
        password = self.passwords["supplier"]
        if supplier.password_hash is None or not is_password(password, supplier.password_hash):
            change_password(connection, supplier, password, changed_by=None)
        self.emails["supplier"] = supplier.email
