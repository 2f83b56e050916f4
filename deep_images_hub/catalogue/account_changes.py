"""The history of accounts: what was changed, from what to what, by whom. Rows are added, never changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from deep_images_hub.catalogue.queries import load_query


@dataclass(frozen=True)
class AccountChange:
    """One change of an account.

    Attributes:
        id: hand over a page's last one as `before_id` to read on.
        deed: one of `accounts.ACCOUNT_DEEDS`.
        value_before, value_after: a role, a name or an address, where that is what changed.
        changed_by, changed_by_name: None: somebody at the hub's command line.
    """

    id: int
    user_id: int
    user_name: str
    deed: str
    value_before: str | None
    value_after: str | None
    changed_by: int | None
    changed_by_name: str | None
    created_at: datetime


def add_account_change(
    connection: Connection,
    *,
    user_id: int,
    deed: str,
    value_before: str | None = None,
    value_after: str | None = None,
    changed_by: int | None,
) -> None:
    """Write down a change of an account, in the transaction that makes it."""
    connection.execute(
        text(
            "insert into account_changes (user_id, deed, value_before, value_after, changed_by)"
            " values (:user_id, :deed, :value_before, :value_after, :changed_by)"
        ),
        {
            "user_id": user_id,
            "deed": deed,
            "value_before": value_before,
            "value_after": value_after,
            "changed_by": changed_by,
        },
    )


def changes_of_account(connection: Connection, *, user_id: int, before_id: int | None = None, limit: int) -> list[AccountChange]:
    """Return what became of an account, newest first."""
    rows = connection.execute(load_query("changes_of_account"), {"user_id": user_id, "before_id": before_id, "limit": limit})
    return [AccountChange(**row._mapping) for row in rows]


def password_changed_at(connection: Connection, *, user_id: int) -> datetime | None:
    """Return since when an account has its password; None: nobody has chosen another one since it was made."""
    found = text("select max(created_at) from account_changes where user_id = :user_id and deed = 'password'")
    since: datetime | None = connection.scalar(found, {"user_id": user_id})
    return since


def changes_by_others(connection: Connection, *, before_id: int | None = None, limit: int) -> list[AccountChange]:
    """Return what operators, and whoever sits at the command line, did to others' accounts, newest first."""
    rows = connection.execute(load_query("account_changes_by_others"), {"before_id": before_id, "limit": limit})
    return [AccountChange(**row._mapping) for row in rows]
