"""The demo's accounts, one for each role, with passwords that are made once and kept under `home`."""

import json
import os
import secrets
from pathlib import Path

from sqlalchemy import Connection

from deep_images_hub.accounts import ROLES
from deep_images_hub.catalogue.users import create_user, user_by_email

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

    @staticmethod
    def email(role: str) -> str:
        """Return the address that a role signs in with."""
        return f"{role}@demo.example"

    def ensure(self, connection: Connection) -> dict[str, int]:
        """Make the accounts that are missing, and return all ids by role."""
        ids = {}
        for role, password in self.passwords.items():
            user = user_by_email(connection, self.email(role))
            if user is None:
                name = f"Demo {role}"
                user = create_user(connection, email=self.email(role), display_name=name, role=role, password=password)
            ids[role] = user.id
        return ids
