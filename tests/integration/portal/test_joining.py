"""Sign-up and forgotten passwords: what an e-mail's link does, once, and what nobody learns."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.api_tokens import live_tokens
from deep_images_hub.catalogue.users import ensure_supplier
from deep_images_hub.mail import Post, SmtpPost
from tests.builders import PASSWORD
from tests.integration.portal.conftest import PortalHub, api_token, send
from tests.integration.portal.joining import OTHER_PASSWORD, deeds_of, link_in, person, user_at
from tests.smtp_server import SmtpServer
from webapp.guessing import MAX_WRONG_PASSWORDS, count_guess, forgive_guess
from webapp.posting import Posting


def sign_up(client: FlaskClient, email: str, role: str = "scientist", name: str = "Ada"):
    return send(client, "/sign-up", email=email, display_name=name, role=role)


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
