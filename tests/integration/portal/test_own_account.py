"""What one changes of one's own account: address, password and name; and what of it others learn."""

import threading

from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.users import User, change_email, change_password, create_user
from deep_images_hub.errors import ConflictError
from tests.builders import PASSWORD
from tests.integration.catalogue.test_concurrent_counts import wait_until_one_waits
from tests.integration.portal.conftest import send, token
from tests.integration.portal.joining import OTHER_PASSWORD, deeds_of, link_in, person, user_at


def test_new_password_ends_links_whose_mail_still_waits(portal, letters) -> None:
    user = person(portal, "Robbed")
    with portal.hub.engine.begin() as connection:
        ask_mail(connection, purpose="new_address", email="thief@example.org", user_id=user.id)
    with portal.hub.engine.begin() as connection:
        change_password(connection, user, OTHER_PASSWORD, changed_by=user.id)
    assert letters() == []


def test_new_address_is_the_accounts_once_it_is_proved(app, portal, letters) -> None:
    user = person(portal, "Moving")
    client = app.test_client()
    send(client, "/sign-in", email=user.email, password=PASSWORD)
    wrong = send(client, "/account/email", email="moved@example.org", present_password="not it")
    assert wrong.status_code == 400
    assert "not your present password" in wrong.text
    send(client, "/account/email", email="moved@example.org", present_password=PASSWORD)
    assert user_at(portal, "moved@example.org") is None
    (letter,) = letters()
    assert letter["To"] == "moved@example.org"
    assert send(client, link_in(letter), password="").location == "/account"
    moved = user_at(portal, "moved@example.org")
    assert moved.id == user.id
    told = letters()[-1]
    assert (told["To"], told["Subject"].partition(":")[0]) == (user.email, "Your account has another address")
    assert deeds_of(portal, user.id)[-1] == ("email", user.email, "moved@example.org", user.id)


def test_address_of_somebody_else_is_not_taken_and_not_told(app, portal, letters) -> None:
    user, other = person(portal, "Curious"), portal.users["premium"]
    client = app.test_client()
    send(client, "/sign-in", email=user.email, password=PASSWORD)
    answer = send(client, "/account/email", email=other.email, present_password=PASSWORD)
    assert answer.status_code == 302
    assert f"A link is on its way to {other.email}" in client.get("/account").text
    assert [letter["Subject"].partition(":")[0] for letter in letters()] == ["You have an account"]

    send(client, "/account/email", email="soon@example.org", present_password=PASSWORD)
    path = link_in(letters()[-1])
    with portal.hub.engine.begin() as connection:
        create_user(connection, email="soon@example.org", display_name="First", role="supplier")
    assert send(client, path).status_code == 409
    assert user_at(portal, user.email) is not None


def test_address_that_two_take_at_the_same_moment_is_refused_to_the_second(portal, letters) -> None:
    users = [person(portal, name) for name in ("Swift", "Slow")]
    answers: list[str] = []

    def take(user: User) -> None:
        try:
            with portal.hub.engine.begin() as connection:
                change_email(connection, user, "contested@example.org", changed_by=user.id)
        except ConflictError as error:
            answers.append(str(error))

    with portal.hub.engine.begin() as connection:
        change_email(connection, users[0], "contested@example.org", changed_by=users[0].id)
        second = threading.Thread(target=take, args=(users[1],))
        second.start()
        wait_until_one_waits(portal.hub.engine)
    second.join()
    assert answers == ["This address belongs to another account by now. Choose another one."]


def test_own_account_is_changed_and_says_so(app, portal, letters) -> None:
    user = person(portal, "Careful")
    client, elsewhere = app.test_client(), app.test_client()
    for one in (client, elsewhere):
        send(one, "/sign-in", email=user.email, password=PASSWORD)
    assert send(client, "/account/name", display_name=" ").status_code == 400
    assert send(client, "/account/name", display_name="C. <i>Careful</i>").status_code == 302
    assert send(client, "/account/password", present_password="wrong", password=OTHER_PASSWORD).status_code == 400
    assert send(client, "/account/password", present_password=PASSWORD, password="short").status_code == 400
    assert send(client, "/account/password", present_password=PASSWORD, password=OTHER_PASSWORD).status_code == 302
    page = client.get("/account").text
    assert "C. &lt;i&gt;Careful&lt;/i&gt;" in page
    assert page.index("Password changed") < page.index("Name changed") < page.index("Account made")
    assert elsewhere.get("/account").status_code == 403
    assert letters()[-1]["Subject"].startswith("Your password was changed")

    send(elsewhere, "/sign-in", email=user.email, password=OTHER_PASSWORD)
    assert send(client, "/account/sign-out-everywhere").location == "/sign-in"
    assert elsewhere.get("/account").status_code == 403
    assert token(elsewhere, "/sign-in")
