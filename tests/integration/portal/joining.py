"""Accounts for tests of joining and of one's own account: who has one, what was sent to them, what is written down of them."""

import re
from collections.abc import Callable
from email.message import EmailMessage

from sqlalchemy import text

from deep_images_hub.catalogue.users import User, create_user, user_by_email
from tests.builders import PASSWORD, HubBuilder

OTHER_PASSWORD = "wombat otter lemon"

Letters = Callable[[], list[EmailMessage]]


def link_in(letter: EmailMessage) -> str:
    found = re.search(r"/links/\S+", letter.get_content())
    assert found, letter.get_content()
    return found[0]


def person(portal: HubBuilder, name: str) -> User:
    """Make an account for one test, beside those that all tests share."""
    with portal.hub.engine.begin() as connection:
        return create_user(
            connection, email=f"{name.lower()}@example.org", display_name=name, role="scientist", password=PASSWORD
        )


def user_at(portal: HubBuilder, email: str):
    with portal.hub.engine.connect() as connection:
        return user_by_email(connection, email)


def deeds_of(portal: HubBuilder, user_id: int) -> list[tuple[str, str | None, str | None, int | None]]:
    with portal.hub.engine.connect() as connection:
        rows = connection.execute(
            text("select deed, value_before, value_after, changed_by from account_changes where user_id = :id order by id"),
            {"id": user_id},
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]
