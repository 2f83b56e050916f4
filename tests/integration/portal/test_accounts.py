"""Signing in and out, and what holds a stranger off."""

import pytest
from sqlalchemy import text

from deep_images_hub.passwords import hash_password
from tests.builders import PASSWORD
from tests.integration.portal.conftest import send, token


def test_sign_in_starts_a_session_and_sign_out_ends_it(visitor, portal) -> None:
    assert "Sign in" in visitor.get("/").text
    assert send(visitor, "/sign-in", email=portal.users["scientist"].email.upper(), password=PASSWORD).location == "/"
    assert "Signed in as A scientist" in visitor.get("/").text
    assert send(visitor, "/sign-out").status_code == 302
    assert "Signed in as" not in visitor.get("/").text


@pytest.mark.parametrize("field", ["email", "password"])
def test_wrong_address_and_wrong_password_get_the_same_answer(visitor, portal, field) -> None:
    right = {"email": portal.users["premium"].email, "password": PASSWORD}
    answer = send(visitor, "/sign-in", **{**right, field: "nobody@example.org"})
    assert answer.status_code == 401
    assert "do not go together" in answer.text
    with visitor.session_transaction() as session:
        assert "user_id" not in session


def test_account_without_a_password_cannot_sign_in(visitor) -> None:
    assert send(visitor, "/sign-in", email="batch-0@example.org", password="").status_code == 401


def test_sign_in_goes_to_no_other_host(visitor, portal) -> None:
    fields = {"email": portal.users["premium"].email, "password": PASSWORD}
    assert send(visitor, "/sign-in", **fields, next="//evil.example/").location == "/"
    assert send(visitor, "/sign-in", **fields, next="/labels?q=x").location == "/labels?q=x"


def test_session_before_sign_in_is_not_kept_but_for_the_selection(visitor, portal) -> None:
    old_token = token(visitor, "/sign-in")
    send(visitor, "/selection/labels/add", label_code="/m/apple")
    with visitor.session_transaction() as session:
        session["planted"] = "by somebody else"
    send(visitor, "/sign-in", email=portal.users["premium"].email, password=PASSWORD)
    with visitor.session_transaction() as session:
        assert "planted" not in session
        assert session["selection"]["labels"] == ["/m/apple"]
    assert visitor.post("/selection/clear", data={"csrf_token": old_token}).status_code == 400


def test_session_ends_when_the_password_changes_or_the_account_is_closed(signed_in, portal, monkeypatch) -> None:
    monkeypatch.setitem(portal.users, "supplier", portal.users["supplier"])
    user = portal.user("supplier", "Leaving soon")
    for change in ("password_hash = :value", "is_active = (:value = '')"):
        client = signed_in("supplier")
        assert "Leaving soon" in client.get("/").text
        with portal.hub.engine.begin() as connection:
            connection.execute(
                text(f"update users set {change} where id = :id"), {"id": user.id, "value": hash_password(PASSWORD)}
            )
        assert "Leaving soon" not in client.get("/").text


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor, portal) -> None:
    answer = send(visitor, "/sign-in", email=portal.users["premium"].email, password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_only_a_page_renews_the_session_and_a_picture_asked_for_before_takes_nothing_back(signed_in, portal) -> None:
    client = signed_in("premium")
    picture = portal.images["/m/apple"][0]
    with client.session_transaction() as session:
        session["renewed_at"] = 0
    # What is asked for while a page is open, and may be answered after a choice was made.
    for path, accept in (
        (f"/images/{picture}/thumbnail.jpg", "image/avif,image/*,*/*;q=0.8"),
        ("/images?part=1", "*/*"),
        ("/labels/suggestions?q=a", "application/json"),
    ):
        answer = client.get(path, headers={"Accept": accept})
        assert answer.status_code == 200, path
        assert "Set-Cookie" not in answer.headers, path
    page = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert "hub_session=" in client.get("/", headers=page).headers["Set-Cookie"]
    assert "Set-Cookie" not in client.get("/", headers=page).headers


def test_too_many_attempts_are_put_off(visitor, portal) -> None:
    fields = {"email": portal.users["premium"].email, "password": "wrong password", "csrf_token": token(visitor, "/sign-in")}
    statuses = [visitor.post("/sign-in", data=fields).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = visitor.post("/sign-in", data={**fields, "password": PASSWORD})
    assert answer.status_code == 429
    assert "Wait a minute" in answer.text


def test_form_without_its_token_does_nothing(visitor, signed_in, portal) -> None:
    answer = visitor.post("/sign-in", data={"email": portal.users["premium"].email, "password": PASSWORD})
    assert answer.status_code == 400
    assert "not sent from this portal" in answer.text
    client = signed_in("premium")
    client.post("/selection/labels/add", data={"label_code": "/m/apple", "csrf_token": "forged"})
    with client.session_transaction() as session:
        assert "selection" not in session
    assert client.post(f"/datasets/{portal.version_id}/train").status_code == 400
