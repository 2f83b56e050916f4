"""Sign-up, forgotten passwords and changed addresses: what an e-mail's link does, once, and what nobody learns."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.api_tokens import live_tokens
from deep_images_hub.catalogue.users import (
    User,
    change_email,
    change_password,
    create_user,
    ensure_supplier,
    user_by_email,
)
from deep_images_hub.errors import ConflictError
from deep_images_hub.mail import Post, SmtpPost
from tests.builders import PASSWORD
from tests.integration.catalogue.test_concurrent_counts import wait_until_one_waits
from tests.integration.portal.conftest import PortalHub, api_token, send, token
from tests.smtp_server import SmtpServer
from webapp.guessing import MAX_WRONG_PASSWORDS, count_guess, forgive_guess
from webapp.posting import Posting
from webapp.services import Services

OTHER_PASSWORD = "wombat otter lemon"

Letters = Callable[[], list[EmailMessage]]


@pytest.fixture
def letters(app, portal: PortalHub) -> Iterator[Letters]:
    """Give what was sent since the test began, once all of it is."""
    folder = portal.hub.settings.home / "mail"

    def read() -> list[EmailMessage]:
        services: Services = app.extensions["services"]
        services.posting.nudge().result(timeout=30)
        files = sorted(folder.glob("account-*.eml"), key=lambda file: int(file.stem.partition("-")[2]))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]  # type: ignore[misc]

    _empty(portal)
    yield read
    _empty(portal)


def _empty(portal: PortalHub) -> None:
    with portal.hub.engine.begin() as connection:
        connection.execute(text("delete from account_mails"))
        connection.execute(text("delete from attempts"))
    for file in (portal.hub.settings.home / "mail").glob("account-*.eml"):
        file.unlink()


def link_in(letter: EmailMessage) -> str:
    found = re.search(r"/links/\S+", letter.get_content())
    assert found, letter.get_content()
    return found[0]


def sign_up(client: FlaskClient, email: str, role: str = "scientist", name: str = "Ada"):
    return send(client, "/sign-up", email=email, display_name=name, role=role)


def person(portal: PortalHub, name: str) -> User:
    """Make an account for one test, beside those that all tests share."""
    with portal.hub.engine.begin() as connection:
        return create_user(
            connection, email=f"{name.lower()}@example.org", display_name=name, role="scientist", password=PASSWORD
        )


def user_at(portal: PortalHub, email: str):
    with portal.hub.engine.connect() as connection:
        return user_by_email(connection, email)


def deeds_of(portal: PortalHub, user_id: int) -> list[tuple[str, str | None, str | None, int | None]]:
    with portal.hub.engine.connect() as connection:
        rows = connection.execute(
            text("select deed, value_before, value_after, changed_by from account_changes where user_id = :id order by id"),
            {"id": user_id},
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_sign_up_makes_the_account_once_its_address_is_proved(visitor, portal, letters) -> None:
    assert "on its way to <strong>new@example.org</strong>" in sign_up(visitor, " New@example.org", "supplier", "N <b>").text
    (letter,) = letters()
    assert letter["To"] == "new@example.org"
    # The address may be somebody else's: nothing that was typed beside it goes there.
    assert letter.get_content().startswith("Hello,")
    assert "N <b>" not in letter.get_content()
    assert user_at(portal, "new@example.org") is None

    path = link_in(letter)
    assert "Choose a password" in visitor.get(path).text
    # Looking at it, as mail programs do, uses nothing up; neither does a password that is refused.
    refused = send(visitor, path, password="new@example.org")
    assert refused.status_code == 400
    assert "too easy to guess" in refused.text
    assert send(visitor, path, password=OTHER_PASSWORD).location == "/"
    assert "Signed in as N &lt;b&gt; (supplier)" in visitor.get("/").text
    user = user_at(portal, "new@example.org")
    assert deeds_of(portal, user.id) == [("made", None, "supplier", user.id)]


def test_link_works_once_and_no_longer_than_it_says(visitor, portal, letters) -> None:
    sign_up(visitor, "once@example.org")
    path = link_in(letters()[0])
    assert send(visitor, path, password=OTHER_PASSWORD).status_code == 302
    for answer in (visitor.get(path), send(visitor, path, password=PASSWORD), visitor.get("/links/none")):
        assert answer.status_code == 404
        assert "This link does not work" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"

    sign_up(visitor, "late@example.org")
    late = link_in(letters()[-1])
    with portal.hub.engine.begin() as connection:
        connection.execute(text("update account_mails set expires_at = now() where email = 'late@example.org'"))
    assert send(visitor, late, password=OTHER_PASSWORD).status_code == 404
    assert user_at(portal, "late@example.org") is None


def test_catalogue_keeps_no_token_that_works(visitor, portal, letters) -> None:
    sign_up(visitor, "secret@example.org")
    sent = link_in(letters()[0]).removeprefix("/links/")
    with portal.hub.engine.connect() as connection:
        row = str(connection.execute(text("select * from account_mails where email = 'secret@example.org'")).one())
    assert "sent" in row
    assert sent not in row


@pytest.mark.parametrize("role", ["premium", "operator", "", "Scientist"])
def test_nobody_gives_themselves_a_role_that_operators_grant(visitor, letters, role) -> None:
    answer = sign_up(visitor, "greedy@example.org", role)
    assert answer.status_code == 400
    assert "Operators grant every other role" in answer.text
    assert letters() == []


def test_answers_are_the_same_for_known_and_unknown_addresses(visitor, portal, letters) -> None:
    known, unknown = portal.users["premium"].email, "stranger@example.org"

    def shown(answer) -> str:
        html = re.sub(r'csrf_token" value="[^"]+"', "", answer.text)
        return f"{answer.status_code} {html.replace(known, 'X').replace(unknown, 'X')}"

    assert shown(sign_up(visitor, known)) == shown(sign_up(visitor, unknown))
    forgotten = [send(visitor, "/forgot-password", email=email) for email in (known, unknown)]
    assert shown(forgotten[0]) == shown(forgotten[1])
    said = sorted((letter["To"], letter["Subject"].partition(":")[0]) for letter in letters())
    assert said == [
        (known, "Choose another password"),
        (known, "You have an account"),
        (unknown, "Confirm your address"),
    ]


def test_address_gets_no_more_than_three_messages_an_hour_and_nobody_is_told(visitor, portal, letters) -> None:
    email = portal.users["premium"].email
    answers = {send(visitor, "/forgot-password", email=email).status_code for _ in range(5)}
    assert answers == {200}
    assert len(letters()) == 3


def test_somebody_else_who_signs_up_with_an_address_keeps_its_owner_from_no_link(visitor, portal, letters) -> None:
    user = person(portal, "Crowded")
    for _ in range(4):
        sign_up(visitor, user.email)
    send(visitor, "/forgot-password", email=user.email)
    assert letters()[-1]["Subject"].startswith("Choose another password")


def test_forgotten_password_is_replaced_and_every_session_and_link_ends(visitor, app, portal, letters) -> None:
    user = person(portal, "Forgetful")
    elsewhere = app.test_client()
    send(elsewhere, "/sign-in", email=user.email, password=PASSWORD)
    for _ in range(2):
        send(visitor, "/forgot-password", email=user.email)
    first, second = (link_in(letter) for letter in letters())
    assert send(visitor, second, password=OTHER_PASSWORD).location == "/sign-in"
    assert "Forgetful" not in elsewhere.get("/").text
    assert send(visitor, first, password=PASSWORD).status_code == 404
    assert send(visitor, "/sign-in", email=user.email, password=PASSWORD).status_code == 401
    assert send(visitor, "/sign-in", email=user.email, password=OTHER_PASSWORD).status_code == 302
    assert letters()[-1]["Subject"].startswith("Your password was changed")
    assert deeds_of(portal, user.id)[-1] == ("password", None, None, user.id)


@pytest.mark.parametrize("is_ticked", [True, False])
def test_tokens_end_with_a_forgotten_password_unless_their_owner_says_otherwise(visitor, app, portal, letters, is_ticked) -> None:
    user = person(portal, f"Programs{is_ticked}")
    api_token(portal.hub, user)
    send(visitor, "/forgot-password", email=user.email)
    link = link_in(letters()[-1])
    assert re.search(r'name="revoke_tokens" value="yes" checked', visitor.get(link).text)
    send(visitor, link, password=OTHER_PASSWORD, **({"revoke_tokens": "yes"} if is_ticked else {}))
    with portal.hub.engine.connect() as connection:
        assert live_tokens(connection, user_id=user.id) == (0 if is_ticked else 1)
    assert (("tokens_revoked", None, "1", user.id) in deeds_of(portal, user.id)) == is_ticked
    send(visitor, "/sign-in", email=user.email, password=OTHER_PASSWORD)
    assert ("older than your password" in visitor.get("/account/tokens").text) != is_ticked
    send(visitor, "/account/password", present_password=OTHER_PASSWORD, password=PASSWORD, revoke_tokens="yes")
    with portal.hub.engine.connect() as connection:
        assert live_tokens(connection, user_id=user.id) == 0


def test_account_that_is_closed_cannot_be_opened_by_its_mail(visitor, portal, letters) -> None:
    user = person(portal, "Closed")
    send(visitor, "/forgot-password", email=user.email)
    path = link_in(letters()[0])
    with portal.hub.engine.begin() as connection:
        connection.execute(text("update users set is_active = false where id = :id"), {"id": user.id})
    assert send(visitor, path, password=OTHER_PASSWORD).status_code == 404
    send(visitor, "/forgot-password", email=user.email)
    sign_up(visitor, user.email)
    assert {letter["Subject"].partition(":")[0] for letter in letters()[1:]} == {"Your account is closed"}


def test_supplier_of_manifests_takes_over_the_account_that_they_made(visitor, portal, letters) -> None:
    with portal.hub.engine.begin() as connection:
        user_id = ensure_supplier(connection, email="field@example.org", display_name="camera 7")
    sign_up(visitor, "field@example.org", "scientist", "Grace")
    send(visitor, link_in(letters()[0]), password=OTHER_PASSWORD)
    user = user_at(portal, "field@example.org")
    assert (user.id, user.role, user.display_name) == (user_id, "scientist", "Grace")


def test_password_cannot_be_planted_at_an_address_of_somebody_else(visitor, portal, letters) -> None:
    for _ in range(2):
        sign_up(visitor, "victim@example.org")
    first, second = (link_in(letter) for letter in letters())
    send(visitor, first, password=OTHER_PASSWORD)
    assert send(visitor, second, password=PASSWORD).status_code == 404


def test_sign_up_that_is_closed_makes_nothing(portal, letters) -> None:
    from dataclasses import replace

    from webapp import create_app

    settings = portal.hub.settings.model_copy(update={"sign_up_is_open": False})
    client = create_app(hub=replace(portal.hub, settings=settings)).test_client()
    assert "Sign-up is closed" in client.get("/sign-up").text
    assert 'href="/sign-up"' not in client.get("/sign-in").text
    assert sign_up(client, "closed@example.org").status_code == 403
    assert letters() == []


@contextmanager
def sending_by(app: Flask, portal: PortalHub, post: Post) -> Iterator[Posting]:
    """Let the portal send its e-mails another way."""
    posting, services = Posting(portal.hub), app.extensions["services"]
    posting._post = post
    services.posting, kept = posting, services.posting
    try:
        yield posting
    finally:
        services.posting = kept
        if posting._timer is not None:
            posting._timer.cancel()


def test_mail_server_that_is_away_delays_no_answer_and_loses_nothing(visitor, app, portal, letters) -> None:
    with sending_by(app, portal, SmtpPost("127.0.0.1", 1)) as posting:
        assert sign_up(visitor, "patient@example.org").status_code == 200
        posting.nudge().result(timeout=30)
    with portal.hub.engine.connect() as connection:
        row = connection.execute(text("select status, token_sha256, last_error from account_mails")).one()
    assert (row.status, row.token_sha256) == ("waiting", None)
    assert "cannot be used" in row.last_error
    assert [letter["To"] for letter in letters()] == ["patient@example.org"]


def test_mail_that_the_server_puts_off_stands_in_nobodys_way(visitor, app, portal, letters) -> None:
    with SmtpServer() as server:
        post = SmtpPost(server.host, server.port)
        server.refusals = {"nowhere@example.org": "450 4.1.2 domain not found"}
        with sending_by(app, portal, post) as posting:
            for email in ("nowhere@example.org", "patient@example.org"):
                sign_up(visitor, email)
            posting.nudge().result(timeout=30)
            assert [message["To"] for message in server.messages] == ["patient@example.org"]
            # It is left alone for a while, and is not forgotten.
            server.refusals = {}
            posting.nudge().result(timeout=30)
            assert len(server.messages) == 1
        with sending_by(app, portal, post) as later:
            later.nudge().result(timeout=30)
        assert [message["To"] for message in server.messages] == ["patient@example.org", "nowhere@example.org"]


def test_mail_that_the_server_puts_off_for_a_day_is_given_up(app, portal, letters) -> None:
    with SmtpServer() as server:
        server.refusals = {"nowhere@example.org": "450 4.1.2 domain not found"}
        with portal.hub.engine.begin() as connection:
            ask_mail(connection, purpose="sign_up", email="nowhere@example.org", display_name="N", role="supplier")
            connection.execute(text("update account_mails set created_at = now() - interval '25 hours'"))
        with sending_by(app, portal, SmtpPost(server.host, server.port)) as posting:
            posting.nudge().result(timeout=30)
    with portal.hub.engine.connect() as connection:
        assert connection.scalar(text("select status from account_mails")) == "refused"


def test_too_many_wrong_passwords_are_refused_for_known_and_unknown_alike(app, portal, letters) -> None:
    user = person(portal, "Guessed")
    client = app.test_client()
    for email in (user.email, "nobody@example.org"):
        with app.app_context():
            for _ in range(MAX_WRONG_PASSWORDS):
                count_guess(email)
            forgive_guess(email)
        assert send(client, "/sign-in", email=email, password="wrong").status_code == 401
        answer = send(client, "/sign-in", email=email, password=PASSWORD)
        assert answer.status_code == 429
        assert "Too many wrong passwords" in answer.text


def test_owner_who_chose_a_password_by_mail_gets_in_whoever_guessed_before(app, visitor, portal, letters) -> None:
    user = person(portal, "Besieged")
    with app.app_context():
        for _ in range(MAX_WRONG_PASSWORDS):
            count_guess(user.email)
    assert send(visitor, "/sign-in", email=user.email, password=PASSWORD).status_code == 429
    send(visitor, "/forgot-password", email=user.email)
    assert send(visitor, link_in(letters()[0]), password=OTHER_PASSWORD).location == "/sign-in"
    assert send(visitor, "/sign-in", email=user.email, password=OTHER_PASSWORD).status_code == 302


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
