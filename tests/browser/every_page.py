"""A hub in which every page of the portal has something to show, and the address of each page in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from deep_images_hub.accounts import PERMISSIONS
from deep_images_hub.catalogue.decisions import DecisionChange, change_decisions
from deep_images_hub.catalogue.training import request_run
from tests.builders import PASSWORD, photographs
from tests.integration.portal.conftest import PortalHub, send, token
from webapp.access import access_of

ROLES = (None, *PERMISSIONS)
# Rules of the address book, and where each is looked at: {names} are filled in by `fill`. A page of several looks has several.
PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/labels": ("/labels", "/labels?q=nothing+has+this+name", "/labels?q=food"),
    "/labels/<int:label_id>": ("/labels/{label}", "/labels/{empty_label}", "/labels/{label}?licence=by&min_quality=0.1"),
    "/latest": ("/latest", "/latest?city=Nowhere"),
    "/images": ("/images", "/images?country=FR"),
    "/images/<sha256>": ("/images/{picture}",),
    "/images/<sha256>/report": ("/images/{picture}/report",),
    "/selection": ("/selection",),
    "/datasets": ("/datasets",),
    "/datasets/<int:version_id>": ("/datasets/{version}",),
    "/datasets/<int:version_id>/changes": ("/datasets/{version}/changes?against={other_version}",),
    "/datasets/<int:version_id>/pictures": ("/datasets/{version}/pictures?split=train&label=/m/apple",),
    "/datasets/<int:version_id>/exports/<format_name>": ("/datasets/{version}/exports/webdataset",),
    "/runs/<int:run_id>": ("/runs/{run}",),
    "/models": ("/models",),
    "/models/compare": ("/models/compare?models={model},{other_model}",),
    "/models/<int:model_id>": ("/models/{model}",),
    "/models/<int:model_id>/answers": ("/models/{model}/answers",),
    "/models/<int:model_id>/try": ("/models/{model}/try", "/models/{model}/try?image={picture}"),
    "/sign-in": ("/sign-in",),
    "/sign-up": ("/sign-up",),
    "/forgot-password": ("/forgot-password",),
    "/links/<token>": ("/links/none",),
    "/account": ("/account",),
    "/account/tokens": ("/account/tokens",),
    "/api": ("/api",),
    "/design": ("/design", "/design?again"),
    "/operations": ("/operations",),
    "/operations/accounts": ("/operations/accounts",),
    "/operations/accounts/changes": ("/operations/accounts/changes",),
    "/operations/accounts/<int:user_id>": ("/operations/accounts/{user}",),
    "/review": ("/review",),
    "/review/reports": ("/review/reports",),
    "/send": ("/send", "/send?label=/m/apple"),
    "/send/<upload_key>": ("/send/{upload}",),
    "/wanted": ("/wanted", "/wanted?near=nowhere+at+all"),
    "/wanted/mine": ("/wanted/mine",),
    "/wanted/new-label": ("/wanted/new-label",),
    "/wanted/proposals": ("/wanted/proposals",),
    "/batches": ("/batches",),
    "/batches/<batch_key>": ("/batches/{batch}",),
}
# What is asked for by pages or programs, and is no page.
NO_PAGES = re.compile(
    r"\.(css|jpg|json|geojson|csv|pdf|md)$|/health$|/by-code$|/suggestions$|/children$|/download$|/files/|<file_name>"
    r"|/datasets/links/|/report\.html$"
)
# What one account alone may see.
OWNED = {"/runs/<int:run_id>": "premium", "/send/<upload_key>": "premium", "/batches/<batch_key>": "operator"}


@dataclass(frozen=True)
class Visit:
    """One page, as somebody of a role looks at it. role None: without an account."""

    path: str
    role: str | None


def pages_of(app: Flask) -> set[str]:
    """Return the rules of every page that the portal has."""
    rules = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))
    return {rule.rule for rule in rules if not rule.rule.startswith(("/static", "/api/")) and not NO_PAGES.search(rule.rule)}


def visits(app: Flask, names: Mapping[str, object]) -> list[Visit]:
    """Return a visit to each page, by one of the roles that may see it: those take turns from page to page."""
    views = {rule.rule: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    found = []
    for rule, paths in PAGES.items():
        access = access_of(views[rule])
        assert access is not None, rule
        roles = [role for role in ROLES if not access.needs_account or (role and access.permission in (None, *PERMISSIONS[role]))]
        if rule in OWNED:
            roles = [OWNED[rule]]
        for path in paths:
            found.append(Visit(path.format(**names), roles[len(found) % len(roles)]))
    return found


def sign_in(app: Flask, portal: PortalHub, role: str) -> FlaskClient:
    """Give a client that has signed in with an account of a role."""
    client = app.test_client()
    fields = {"email": portal.users[role].email, "password": PASSWORD, "csrf_token": token(client, "/sign-in")}
    assert client.post("/sign-in", data=fields).status_code == 302
    return client


def fill(portal: PortalHub, clients: Mapping[str, FlaskClient]) -> dict[str, object]:
    """Let accounts do what leaves something to see; return what the addresses of PAGES are filled in with."""
    apples = portal.images["/m/apple"]
    premium, operator, supplier = clients["premium"], clients["operator"], clients["supplier"]
    send(premium, "/wanted", label="Apple", target=400, note="From below, too.", place="")
    send(supplier, "/wanted", label="Hell's Kitchen", target=10, note="", place="")
    send(premium, "/wanted/new-label", name="Dragon fruit", target=30, note="They are back in the shops.", parent="")
    send(premium, f"/images/{apples[1]}/report", reason="people", note="Somebody is to be seen in it.")
    send(premium, "/selection/labels/add", label_code="/m/apple")
    send(operator, "/selection/pictures/add", sha256=apples[0])
    form = {"label": "/m/apple", "consent": "yes", "licence": "by", "where": "none", "csrf_token": token(premium)}
    upload = premium.post("/send", data=form, headers={"Accept": "application/json"})
    send(premium, "/account/tokens", name="Of a notebook", scopes="read", days="30")
    portal.batch("to-be-reviewed", "/m/apple", photographs(2, seed="to be reviewed"))
    # Before a run waits in the queue: a model takes the first one.
    apples_alone = portal.version("/m/apple", name="Apples alone")
    other_model = portal.model(apples_alone)
    with portal.hub.engine.begin() as connection:
        ids = connection.execute(
            text("select submissions.id from submissions join batches on batches.id = batch_id where key = 'to-be-reviewed'")
        ).scalars()
        changes = [DecisionChange(of, "review", "label_agreement") for of in ids]
        change_decisions(connection, changes=changes, cause="network")
        run = request_run(
            connection, version_id=portal.version_id, requested_by=portal.users["premium"].id, backbone="compact_vgg", workers=1
        )
    return {
        "label": portal.label("/m/food").id,
        "empty_label": portal.label("/m/empty").id,
        "picture": apples[0],
        "version": portal.version_id,
        "other_version": apples_alone.id,
        "run": run.id,
        "model": portal.model_id,
        "other_model": other_model,
        "user": portal.users["supplier"].id,
        "upload": upload.json["key"],
        "batch": "batch-0",
    }
