"""Operators and the accounts of others: found, granted roles, closed, invited; and what is kept of who did what."""

import threading

import pytest
from sqlalchemy import text

from deep_images_hub.catalogue.account_admin import find_users, grant_role
from deep_images_hub.catalogue.users import User, create_user, user_of
from deep_images_hub.errors import ForbiddenError
from tests.builders import PASSWORD
from tests.integration.portal.conftest import PortalHub, send


@pytest.fixture
def person(portal: PortalHub) -> User:
    """Give an account that only this test knows."""
    with portal.hub.engine.begin() as connection:
        number = connection.scalar(text("select count(*) from users"))
        return create_user(connection, email=f"Zoe%{number}@example.org", display_name=f"Zoë_{number} Berg", role="scientist")


def again(portal: PortalHub, user: User) -> User:
    with portal.hub.engine.connect() as connection:
        return user_of(connection, user.id)


def deeds_of(portal: PortalHub, user: User) -> list[tuple[object, ...]]:
    with portal.hub.engine.connect() as connection:
        rows = connection.execute(
            text("select deed, value_before, value_after, changed_by from account_changes where user_id = :id order by id"),
            {"id": user.id},
        )
        return [tuple(row) for row in rows]


def test_account_gets_a_role_is_closed_and_opened_and_the_history_says_by_whom(signed_in, portal, person) -> None:
    operator = portal.users["operator"]
    client, page = signed_in("operator"), f"/operations/accounts/{person.id}"
    assert send(client, f"{page}/role", role="premium").location == page
    assert send(client, f"{page}/role", role="premium").location == page
    assert send(client, f"{page}/role", role="king").status_code == 400
    assert send(client, f"{page}/close").location == page
    assert send(client, f"{page}/link").status_code == 400
    assert send(client, f"{page}/reopen").location == page
    assert (again(portal, person).role, again(portal, person).is_active) == ("premium", True)
    assert deeds_of(portal, person)[1:] == [
        ("role", "scientist", "premium", operator.id),
        ("closed", None, None, operator.id),
        ("reopened", None, None, operator.id),
    ]
    for shown in (client.get(page).text, client.get("/operations/accounts/changes").text):
        assert shown.index("Account opened again") < shown.index("Account closed") < shown.index("Role changed")
        assert f"by {operator.display_name}" in shown


def test_session_ends_with_its_account_and_does_not_come_back_with_it(app, signed_in, portal) -> None:
    with portal.hub.engine.begin() as connection:
        user = create_user(connection, email="left@example.org", display_name="Left Open", role="supplier", password=PASSWORD)
    theirs, client = app.test_client(), signed_in("operator")
    send(theirs, "/sign-in", email=user.email, password=PASSWORD)
    for deed in ("close", "reopen"):
        assert send(client, f"/operations/accounts/{user.id}/{deed}").status_code == 302
        assert theirs.get("/account").status_code == 403


def test_operator_decides_nothing_on_their_own_account(signed_in, portal) -> None:
    own = portal.users["operator"]
    client = signed_in("operator")
    for deed, fields in (("role", {"role": "supplier"}), ("close", {}), ("link", {})):
        assert send(client, f"/operations/accounts/{own.id}/{deed}", **fields).status_code == 403
    assert "This is your own account" in client.get(f"/operations/accounts/{own.id}").text
    assert client.get("/operations/accounts/999999").status_code == 404


def test_two_operators_who_take_each_others_role_at_once_leave_one(portal) -> None:
    with portal.hub.engine.begin() as connection:
        pair = [
            create_user(connection, email=f"{name}@example.org", display_name=name, role="operator")
            for name in ("castor", "pollux")
        ]
    refused: list[str] = []
    start = threading.Barrier(2)

    def demote(operator: User, other: User) -> None:
        start.wait()
        try:
            with portal.hub.engine.begin() as connection:
                grant_role(connection, operator_id=operator.id, user_id=other.id, role="supplier")
        except ForbiddenError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=demote, args=(one, other)) for one, other in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert sorted(again(portal, user).role for user in pair) == ["operator", "supplier"]


def test_accounts_are_found_by_how_address_or_name_begin_and_by_role_and_state(signed_in, portal, person) -> None:
    def found(**asked: object) -> list[int]:
        with portal.hub.engine.connect() as connection:
            return [user.id for user in find_users(connection, limit=1_000, **asked)]  # type: ignore[arg-type]

    assert person.id in found(beginning="ZOE%")
    assert person.id in found(beginning="zoë_")
    assert found(beginning="zo_") == found(beginning="berg") == []
    assert person.id in found(role="scientist", state="never")
    assert person.id not in found(role="premium")
    assert person.id not in found(state="closed")
    everybody = found()
    assert everybody == sorted(everybody, reverse=True)
    assert found(before_id=person.id) == everybody[everybody.index(person.id) + 1 :]
    client = signed_in("operator")
    assert "Zoë_" in client.get("/operations/accounts?q=zo%C3%AB&state=never").text
    assert "No account is like this" in client.get("/operations/accounts?q=nobody+at+all").text
    assert client.get("/operations/accounts?role=king").status_code == 400


def test_somebody_who_is_added_gets_a_link_and_only_they_see_it(app, signed_in, portal) -> None:
    client = signed_in("operator")
    answer = send(client, "/operations/accounts", email="Invited@example.org", display_name="I. <b>", role="premium")
    page = client.get(answer.location).text
    assert "I. &lt;b&gt;" in page
    assert "/links/" not in page
    app.extensions["services"].posting.nudge().result(timeout=30)
    letters = [file.read_text() for file in (portal.hub.settings.home / "mail").glob("account-*.eml")]
    (letter,) = [words for words in letters if "invited@example.org" in words]
    assert "Your account" in letter
    assert "/links/" in letter
    taken = send(client, "/operations/accounts", email="invited@example.org", display_name="Twice", role="supplier")
    assert taken.status_code == 409
    assert "has an account already" in taken.text
