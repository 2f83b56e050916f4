"""Accounts that are deleted: nothing says any more whose they were, and what they gave under a licence stays."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

from deep_images_hub import forgetting
from deep_images_hub.batches.manifest import Manifest, ManifestObject
from deep_images_hub.catalogue.account_mails import ask_mail
from deep_images_hub.catalogue.datasets import version_by_id
from deep_images_hub.catalogue.demands import ask_for, vote
from deep_images_hub.catalogue.labels import label_by_code
from deep_images_hub.catalogue.landing import manifest_refused
from deep_images_hub.catalogue.uploads import open_uploads, start_upload
from deep_images_hub.catalogue.users import User, change_email, user_of
from deep_images_hub.errors import ConflictError, ForbiddenError
from deep_images_hub.forgetting import delete_account
from deep_images_hub.landing.refusals import Refused
from deep_images_hub.object_store import ObjectStat
from deep_images_hub.object_store.keys import landing_key, manifest_key
from deep_images_hub.uploads.upload import NewUpload
from tests.builders import PASSWORD, HubBuilder, photographs
from tests.integration.portal.conftest import api_token, send, token
from webapp import create_app
from webapp.security import limiter


@pytest.fixture(scope="module")
def portal(hub_of) -> Iterator[HubBuilder]:
    with hub_of() as hub:
        builder = HubBuilder(hub)
        builder.labels({"/m/apple": "Apple"})
        for role in ("supplier", "scientist", "operator"):
            builder.user(role)
        yield builder


@pytest.fixture(scope="module")
def app(portal: HubBuilder) -> Flask:
    return create_app(hub=portal.hub)


@pytest.fixture(autouse=True)
def _forgotten_attempts(app: Flask) -> None:
    with app.app_context():
        limiter.reset()


def sign_in(app: Flask, user: User) -> FlaskClient:
    client = app.test_client()
    assert send(client, "/sign-in", email=user.email, password=PASSWORD).status_code == 302
    return client


def moved(portal: HubBuilder, user: User) -> User:
    """Give an account another address, with a letter to the one of before and a refused manifest that says it."""
    found = ObjectStat(f"{user.id}.manifest.json", 1, datetime.now(UTC))
    refused = Refused("other_supplier", f"The manifest names the supplier {user.email!r}, who may not send from here.")
    with portal.hub.engine.begin() as connection:
        change_email(connection, user, user.email.replace("supplier", "moved"), changed_by=user.id)
        ask_mail(connection, purpose="address_changed", email=user.email, display_name=user.display_name)
        manifest_refused(connection, source_url="s3://suppliers", found=found, supplier_id=user.id, refused=refused)
        return user_of(connection, user.id)


def write_manifest(portal: HubBuilder, key: str, user: User) -> None:
    sent = ManifestObject(object_key=landing_key(key, 0, ".jpg"), filename="0.jpg", size_bytes=1)
    manifest = Manifest(
        batch_key=key,
        supplier_email=user.email,
        supplier_name=user.display_name,
        label_code="/m/apple",
        licence="by",
        attribution=user.display_name,
        submitted_at=datetime.now(UTC),
        objects=(sent,),
    )
    portal.hub.store.create(manifest_key(key), manifest.to_json())


def addresses(app: Flask, portal: HubBuilder, version_id: int) -> list[str]:
    """Return the addresses of an export's files, which name their ETags."""
    shown = {"Authorization": f"Bearer {api_token(portal.hub, portal.users['operator'])}"}
    answer = app.test_client().get(f"/api/v1/versions/{version_id}/exports/csv", headers=shown)
    return [file["url"] for file in answer.json["files"]]


def said_anywhere(portal: HubBuilder, words: str) -> set[str]:
    """Return the tables and objects that hold some words."""
    with portal.hub.engine.connect() as connection:
        tables = connection.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars().all()
        found = {
            table
            for table in tables
            if connection.scalar(
                text(f'select exists (select from "{table}" as said where strpos(said::text, :words) > 0)'), {"words": words}
            )
        }
    return found | {one.key for one in portal.hub.store.list() if words.encode() in portal.hub.store.read(one.key)}


@pytest.mark.parametrize("keeps_credit", [False, True], ids=["forgotten", "credited"])
def test_deleted_supplier_is_forgotten_and_pictures_stay(app, portal, keeps_credit) -> None:
    name = f"Zenobia {keeps_credit} Quill"
    first = portal.user("supplier", name)
    user = moved(portal, first)
    key = f"of-{keeps_credit}"
    images = portal.batch(key, "/m/apple", photographs(3, seed=key), supplier=name, email=user.email, attribution=name)
    write_manifest(portal, key, user)
    version = portal.version("/m/apple", name=f"Frozen {keeps_credit}")
    before = addresses(app, portal, version.id)
    asked_before = app.extensions["services"].attributions(version)
    client, shown = sign_in(app, user), api_token(portal.hub, user)
    client.post(
        "/send",
        data={"label": "/m/apple", "licence": "by", "consent": "yes", "where": "none", "csrf_token": token(client)},
        headers={"Accept": "application/json"},
    )
    send(client, "/account/name", display_name=f"{name} II")

    assert send(client, "/account/delete", present_password="wrong").status_code == 400
    credit = {"keeps_credit": "yes"} if keeps_credit else {}
    assert send(client, "/account/delete", present_password=PASSWORD, **credit).location == "/"

    assert client.get("/account").status_code == 403
    assert app.test_client().get("/api/v1/account", headers={"Authorization": f"Bearer {shown}"}).status_code == 401
    assert send(app.test_client(), "/sign-in", email=user.email, password=PASSWORD).status_code == 401
    with portal.hub.engine.connect() as connection:
        assert open_uploads(connection, supplier_id=user.id) == []
        now = version_by_id(connection, version.id)
    # The letter that says so is the last that goes to the address.
    assert said_anywhere(portal, user.email) <= {"account_mails"}
    assert said_anywhere(portal, first.email) == set()
    assert said_anywhere(portal, name) <= {"account_mails"} | (
        {"batches", f"landing/{key}/manifest.json"} if keeps_credit else set()
    )
    page = app.test_client().get(f"/images/{images[0]}").text
    assert "A former supplier" in page
    assert (name in page) == keeps_credit
    assert (now.digest, now.image_count) == (version.digest, version.image_count)
    assert (addresses(app, portal, version.id) == before) == keeps_credit
    assert (app.extensions["services"].attributions(now) == asked_before) == keeps_credit


def test_wishes_of_somebody_who_is_deleted_pass_on_and_counts_add_up(app, portal) -> None:
    leaving, staying = portal.user("scientist", "Leaving"), portal.user("scientist", "Staying")
    with portal.hub.engine.begin() as connection:
        label_id = label_by_code(connection, "/m/apple").id
        own, others = (
            ask_for(connection, label_id=label_id, user_id=user.id, target_images=count, note="", place_id=None).demand_id
            for user, count in ((leaving, 4_000), (staying, 5_000))
        )
        vote(connection, demand_id=own, user_id=staying.id)
        vote(connection, demand_id=others, user_id=leaving.id)
    client = sign_in(app, leaving)
    send(client, "/wanted/watch", label_id=str(label_id))
    assert send(client, "/account/delete", present_password=PASSWORD).status_code == 302
    with portal.hub.engine.connect() as connection:
        found = connection.execute(text("select id, user_id, status, vote_count from demands order by id")).all()
        left = connection.scalar(text("select count(*) from watches where user_id = :id"), {"id": leaving.id})
    assert [tuple(row) for row in found] == [(own, staying.id, "open", 0), (others, staying.id, "open", 0)]
    assert left == 0


def test_operator_deletes_others_and_not_themselves_and_nobody_comes_back(app, portal) -> None:
    person, operator = portal.user("scientist", "Somebody"), portal.users["operator"]
    client, page = sign_in(app, operator), f"/operations/accounts/{person.id}"
    assert send(client, "/account/delete", present_password=PASSWORD).status_code == 403
    assert send(client, f"/operations/accounts/{operator.id}/delete").status_code == 403
    assert send(client, f"{page}/delete").location == page
    assert "A former user" in client.get("/operations/accounts?state=deleted").text
    assert "A former user" not in client.get("/operations/accounts?state=closed").text
    for verb, fields in (("delete", {}), ("reopen", {}), ("role", {"role": "operator"})):
        assert send(client, f"{page}/{verb}", **fields).status_code == 409
    assert send(client, f"{page}/link").status_code == 400
    with portal.hub.engine.connect() as connection:
        again = user_of(connection, person.id)
    assert (again.is_deleted, again.is_active, again.password_hash, again.role) == (True, False, None, "supplier")


def test_account_of_somebody_else_is_deleted_by_nobody_but_an_operator(app, portal) -> None:
    person, other = portal.user("scientist", "Mine"), portal.user("supplier", "Not mine")
    hub, receiver = portal.hub, app.extensions["services"].receiver
    with pytest.raises(ForbiddenError):
        delete_account(hub.engine, hub.store, receiver, user_id=person.id, decided_by=other.id, keeps_credit=False)
    assert sign_in(app, person)


def test_account_whose_manifest_is_broken_is_deleted_and_the_manifest_names_nobody(app, portal) -> None:
    user, hub = portal.user("supplier", "Wrought"), portal.hub
    portal.batch("broken", "/m/apple", photographs(1, seed="broken"), supplier="Wrought", email=user.email)
    hub.store.create(manifest_key("broken"), f'{{"supplier_email": "{user.email}", "objects": ['.encode())
    receiver = app.extensions["services"].receiver
    delete_account(hub.engine, hub.store, receiver, user_id=user.id, decided_by=None, keeps_credit=True)
    assert hub.store.read(manifest_key("broken")) == b"{}"
    # The letter that says so is still to be sent.
    assert said_anywhere(portal, user.email) == {"account_mails"}


def test_account_that_sends_while_it_is_deleted_stays_until_it_is_deleted_again(app, portal, monkeypatch) -> None:
    user, hub, receiver = portal.user("supplier", "Quick"), portal.hub, app.extensions["services"].receiver
    with hub.engine.connect() as connection:
        label_id = label_by_code(connection, "/m/apple").id

    def begin_meanwhile(connection: Connection, of: User) -> list[str]:
        with hub.engine.begin() as others:
            start_upload(others, supplier_id=of.id, new=NewUpload(label_id, "by"))
        return [of.display_name]

    how = {"user_id": user.id, "decided_by": user.id, "keeps_credit": False}
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(forgetting, "names_of", begin_meanwhile)
        with pytest.raises(ConflictError, match="Delete it again"):
            delete_account(hub.engine, hub.store, receiver, **how)
    assert sign_in(app, user)
    delete_account(hub.engine, hub.store, receiver, **how)
    with hub.engine.connect() as connection:
        assert (user_of(connection, user.id).is_deleted, open_uploads(connection, supplier_id=user.id)) == (True, [])
